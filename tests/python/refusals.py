"""What the client does when the other side keeps to no rule: `refusals.py`, without a tree.

The other side is played by this program, over a socket pair: it has written all it has to say
before the client reads the first of it.
"""

import socket

from treewright_client import Client
from treewright_link import HEADER, Kind, LinkClosed, ProtocolError, encode

HELLO = {
    "lowest_version": 1,
    "highest_version": 1,
    "codecs": ["postcard", "cbor"],
    "max_frame": 4096,
    "max_message": 16_384,
    "program": "rude",
    "agent": "rude",
    "what will be": ["ignored"],
}
UNIT = encode(None)


def frame(kind, context=0, body=b"", flags=0, version=1):
    return HEADER.pack(len(body), kind, flags, version, context) + body


def played(hello, *frames):
    """A client with one open context, and the other side's end of the link."""
    ours, theirs = socket.socketpair()
    theirs.sendall(frame(Kind.HELLO, body=encode(hello)))
    client = Client(ours, {"name": "python", "number": bytes(16)}, timeout=10)
    context = client.open("rude/function")
    theirs.sendall(b"".join(frames))
    theirs.shutdown(socket.SHUT_WR)
    return client, context, theirs


def outcome(*frames, hello=HELLO):
    """How a context ends to which these frames come."""
    try:
        client, context, theirs = played(hello, *frames)
        with theirs:
            return context.result()
    except (ProtocolError, LinkClosed) as error:
        return type(error)


def refuses_what_is_not_allowed():
    started = frame(Kind.STARTED, 1, UNIT)
    data = frame(Kind.DATA, 1, UNIT)
    ended = frame(Kind.END_OF_STREAM, 1)
    result = frame(Kind.RESULT, 1, encode(42))
    assert outcome(started, data, ended, result) == 42
    assert outcome(result, data, frame(99)) == 42  # Nothing is read after what was waited for.
    # Credit of the first 64 messages is used up; the client gives no more before it has read.
    assert outcome(started, data * 64, result) == 42
    refused = [
        [data],
        [ended],
        [started, started],
        [started, ended, data],
        [started, ended, ended],
        [frame(Kind.CANCEL, 1, UNIT)],
        [frame(Kind.START, 1, UNIT)],
        [frame(Kind.DATA, 2, UNIT)],
        [frame(Kind.DATA, 1 << 63 | 1, UNIT)],
        [frame(Kind.FIND, 0, UNIT)],
        [frame(99)],
        [frame(0)],
        [frame(Kind.PING, version=2)],
        [frame(Kind.PING, flags=2)],
        [frame(Kind.PING, body=bytes(4097))],
        [frame(Kind.RESULT, 1, UNIT + UNIT)],
        [frame(Kind.RESULT, 1, b"\xff")],
        [frame(Kind.RESULT, 1, b"\x18", flags=1), data],
        [frame(Kind.RESULT, 1, b"\x18", flags=1), frame(Kind.CREDIT, 1, b"\xa0", flags=1)],
        [frame(Kind.PONG, body=bytes(4096), flags=1)] * 5,
    ]
    for frames in refused:
        assert outcome(*frames) is ProtocolError, frames


def refuses_more_than_its_credit():
    """The window is 1,024 messages: one more than that is one too many."""
    messages = [frame(Kind.DATA, 1, UNIT)] * 1025
    for count, expected in ((1024, LinkClosed), (1025, ProtocolError)):
        client, context, theirs = played(
            HELLO, frame(Kind.STARTED, 1, UNIT), *messages[:count]
        )
        with theirs:
            try:
                client.pump_until(lambda: False)
            except (ProtocolError, LinkClosed) as error:
                assert type(error) is expected, (count, error)


def reads_fragments_and_what_overtakes_them():
    body = encode("x" * 10_000)
    parts = [body[begin : begin + 4096] for begin in range(0, len(body), 4096)]
    frames = [frame(Kind.RESULT, 1, part, flags=1) for part in parts[:-1]]
    frames.insert(1, frame(Kind.CREDIT, 1, encode({"messages": 1, "bytes": 1})))
    frames.insert(1, frame(Kind.PING, body=b"between"))
    frames.append(frame(Kind.RESULT, 1, parts[-1]))
    assert outcome(*frames) == "x" * 10_000
    assert outcome(*frames[:-1]) is LinkClosed
    assert outcome(frames[-1][:-1]) is LinkClosed
    assert outcome() is LinkClosed


def refuses_a_hello_that_it_cannot_agree_with():
    others = ({"lowest_version": 2, "highest_version": 3}, {"codecs": ["x"]}, {"max_frame": 1023})
    for other in others:
        assert outcome(hello=HELLO | other) is ProtocolError, other


def refuses_to_be_called_and_goes_on():
    theirs_first = 1 << 63 | 1
    client, context, theirs = played(
        HELLO,
        frame(Kind.START, theirs_first, b""),
        frame(Kind.CANCEL, theirs_first, UNIT),
        frame(Kind.CANCEL, 0, UNIT),
        frame(Kind.PING, body=b"now"),
        frame(Kind.RESULT, 1, encode("done")),
    )
    assert context.result() == "done"
    client.close()
    with theirs, theirs.makefile("rb") as reader:
        kinds = []
        while header := reader.read(HEADER.size):
            length, kind, _, _, number = HEADER.unpack(header)
            reader.read(length)
            kinds.append((kind, number))
    expected = [(Kind.HELLO, 0), (Kind.START, 1), (Kind.ERROR, theirs_first), (Kind.ERROR, 0)]
    assert kinds == expected + [(Kind.PONG, 0), (Kind.GOODBYE, 0)], kinds


def sends_no_more_than_it_was_allowed():
    """64 messages, or 16,384 bytes and then nothing until there is at least one byte again."""
    for size, count in ((1, 64), (8_000, 3)):
        client, context, theirs = played(HELLO, frame(Kind.STARTED, 1, UNIT))
        with theirs:
            try:
                for _ in range(100):
                    context.send_raw(bytes(size))
            except LinkClosed:
                pass
            else:
                raise AssertionError("all of it was sent")
        left = [64 - count, 16_384 - size * count]
        assert context.may_send == left, (context.may_send, left)


if __name__ == "__main__":
    refuses_what_is_not_allowed()
    refuses_more_than_its_credit()
    reads_fragments_and_what_overtakes_them()
    refuses_a_hello_that_it_cannot_agree_with()
    refuses_to_be_called_and_goes_on()
    sends_no_more_than_it_was_allowed()
