"""What tests/it/python.rs has the client do: `scenarios.py SCENARIO SOCKET [ARGUMENT ...]`.

Whatever is not as it should be ends the program with an error.
"""

import sys

from treewright_client import Client
from treewright_link import LinkClosed, RemoteError, encode

MEBIBYTE = 1024 * 1024


def fails(call):
    """The error of a call that has to fail."""
    try:
        value = call()
    except RemoteError as error:
        return error
    raise AssertionError(f"it gave {value!r}")


def says(line):
    """Tells the test what has come about."""
    print(line, flush=True)


def calls(client):
    """Tasks: values of many sorts, what is not public, what does not exist, what fails."""
    assert client.call("python/add", 2, -40_000_000_000) == -39_999_999_998
    record = {"name": "æ", "size": None, "scores": [0.5, 1e300], "shape": {"Round": 7}}
    back = client.call("python/describe", record, b"\x00\xff")
    assert back == [record, b"\x00\xff", "Flat", None], back
    assert client.call("python/nothing") is None
    refused = fails(lambda: client.call("python/secret"))
    assert "may be called by its parent only" in str(refused), refused
    assert "expose" in refused.hint
    unknown = fails(lambda: client.call("python/nobody"))
    assert "python/nobody" in str(unknown), unknown
    failed = fails(lambda: client.call("python/fail"))
    assert (failed.kind, str(failed)) == ("Error", "it was told to fail"), failed.body
    assert failed.body["origin"] == client.peer
    panicked = fails(lambda: client.call("python/panic"))
    assert panicked.kind == "Panic" and "told to panic" in str(panicked), panicked.body
    wrong = fails(lambda: client.call("python/add", "two", 2))
    assert wrong.kind == "Error", wrong.body
    # The same written otherwise: no definite lengths, a long integer, an option left out.
    signature = encode("signature") + b"\x1b" + bytes(8)
    head = b"\xbf" + signature + encode("task") + encode("python/add") + b"\xff"
    assert client.start(head, b"\x9f\x02\x1b" + bytes(7) + b"\x03\xff").result() == 5
    for body in (b"still there", b"", bytes(1_000_000)):
        assert client.ping(body) == body
    says(str(refused))


def two_ways(client):
    """10,000 messages each way at once, neither side being further ahead than its credit."""
    count = 10_000
    context = client.open("python/talk", count)
    assert context.started() == count
    messages, most = iter(context), 0
    for number in range(count):
        context.send({"number": number, "text": "ping"})
        most = max(most, len(context.inbox))
        if number % 2 == 0:
            assert next(messages) == {"number": number // 2, "text": "pong"}
    context.end_of_stream()
    rest = [message["number"] for message in messages]
    assert rest == list(range(count // 2, count)), len(rest)
    assert context.result() == sum(range(count))
    assert 0 < most <= 1024, most
    assert not client.contexts


def raw(client):
    """Bytes as they are, and messages in many fragments, in both sorts of streams."""
    context = client.open("python/mirror")
    assert context.started() is None
    messages = iter(context)
    for length in (0, 1, 65_536, 65_537, MEBIBYTE, 3 * MEBIBYTE + 1, 0):
        sent = bytes(place % 251 for place in range(length))
        context.send_raw(sent)
        assert next(messages) == sent, length
    context.end_of_stream()
    assert list(messages) == []
    assert context.result() == 7
    context = client.open("python/talk", 1)
    context.send({"number": 3, "text": "x" * MEBIBYTE})
    assert context.result() == 3
    # A value where bytes are wanted is an error of that context and of nothing else.
    context = client.open("python/mirror")
    context.send("a value")
    assert fails(context.result).kind == "Error"
    client.ping()


def slowly(client):
    """A stream that is read a message at a time, and whose function waits for that."""
    count, window = 1_000, (64, 16_384)
    context = client.open("python/yield", count, window=window)
    assert context.started() is None
    for read, number in enumerate(context):
        assert number == read
        sent = client.call("python/yielded")
        # This one is read, and its credit may have been given back.
        assert sent <= read + 1 + window[0], (sent, read)
        assert len(context.inbox) <= window[0]
    assert read == count - 1 and context.result() is None
    # Who wants no more of it has its result all the same, or cancels it.
    context = client.open("python/yield", count, window=window)
    assert next(iter(context)) == 0
    assert context.result() is None
    context = client.open("python/yield", 1 << 40, window=window)
    assert next(iter(context)) == 0
    context.cancel("enough")
    assert fails(context.result).kind == "Cancelled"


def cancels(client, post):
    """A function that is cancelled, and one whose time is over."""
    context = client.open("python/linger", post, "cancelled")
    client.ping()
    context.cancel("it took too long")
    error = fails(context.result)
    assert error.kind == "Cancelled", error.body
    reason = error.body["reason"]
    assert reason["origin"] == {"Actor": client.me}, reason
    assert reason["message"].endswith("it took too long"), reason
    error = fails(lambda: client.call("python/linger", post, "late", limit=0.05))
    assert error.kind == "Cancelled", error.body
    assert "Deadline" in error.body["reason"]["origin"], error.body
    assert client.call("python/add", 1, 1, limit=30) == 2


def meets(client):
    """Another actor is found by its name and talked to over a link of its own."""
    names = [actor["name"] for actor in client.ask("All")]
    assert names == ["root", "till"], names
    assert client.ask({"Named": "nobody"}) == []
    till = client.ask({"Awaited": "till"})[0]
    direct = client.connect(till)
    assert direct.call("python/add", 20, 1) == 21
    assert direct.call("python/secret") == 42
    says(direct.call("python/who"))
    direct.close()
    gone = {"name": "till", "number": bytes(16)}
    assert client.ask({"Ended": gone}) is None
    try:
        nobody = client.connect(gone)
    except (RemoteError, LinkClosed) as error:
        says(type(error).__name__)
    else:
        raise AssertionError(f"there is a link to {nobody}")
    client.ping()


def is_killed(client, post):
    """Runs this and that, says so, and waits to be killed."""
    client.open("python/linger", post, "task").client.ping()
    client.open("python/linger_in_context", post, "context").started()
    flooded = client.open("python/flood", post, "flood")
    next(iter(flooded))
    last = client.open("python/linger", post, "last")
    client.ping()
    says("ready")
    last.result()


def outlived(client, post):
    """The tree ends meanwhile: the link is closed, and what is open may have an answer before."""
    context = client.open("python/linger", post, "task")
    client.ping()
    says("ready")
    try:
        client.pump_until(lambda: False)
    except LinkClosed as closed:
        says(str(closed))
    if context.outcome:
        assert fails(context.result).kind == "Cancelled"


def main():
    scenario, name, *arguments = sys.argv[1:]
    client = Client.join(name)
    scenarios = (calls, two_ways, raw, slowly, cancels, meets, is_killed, outlived)
    {each.__name__: each for each in scenarios}[scenario](client, *arguments)
    client.close()


main()
