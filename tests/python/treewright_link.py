"""Frames of the protocol over a socket: see docs/protocol.md, and treewright_client for the rest.

It needs `cbor2` (Debian: python3-cbor2) and otherwise the standard library only.
"""

import enum
import io
import socket
import struct

import cbor2

VERSION = 1
HEADER = struct.Struct("<IBBHQ")
MORE, DESCRIPTOR = 1, 2
HELLO_LIMIT = 65_536
LONGEST_SENT = 65_536  # of the body of a frame; longer messages leave in several
MAX_FRAME = 1 << 20
MAX_MESSAGE = 64 << 20

Kind = enum.IntEnum(
    "Kind",
    "HELLO BOOT READY START STARTED DATA RAW CREDIT END_OF_STREAM RESULT ERROR CANCEL CANCEL_ACK"
    " PING PONG LOG FIND INTRODUCE GOODBYE FOUND",
)
KINDS = frozenset(Kind)
IN_ORDER = {Kind.STARTED, Kind.DATA, Kind.RAW, Kind.END_OF_STREAM, Kind.RESULT, Kind.LOG}


class ProtocolError(Exception):
    """The other side did what is not allowed; the link is closed."""


class LinkClosed(Exception):
    """The link has ended; the text is what the other side said of it, if it said anything."""


class RemoteError(Exception):
    """A function failed, was refused or was cancelled; `body` is all that was said of it."""

    def __init__(self, body):
        super().__init__(body["message"])
        self.body = body
        self.kind = body["kind"] if isinstance(body["kind"], str) else next(iter(body["kind"]))
        self.hint = body.get("hint")


def encode(value):
    """`value` as the codec `cbor` has it."""
    return cbor2.dumps(value)


def decode(body):
    """The one value in `body`."""
    reader = io.BytesIO(body)
    try:
        value = cbor2.CBORDecoder(reader).decode()
    except (cbor2.CBORDecodeError, ValueError) as error:
        raise ProtocolError(f"a body cannot be read: {error}") from error
    if value is cbor2.break_marker or reader.tell() != len(body):
        raise ProtocolError("a body is not one value")
    return value


class Link:
    """Frames over one socket: whole messages on this side, fragments on the wire."""

    def __init__(self, sock):
        self.sock = sock
        self.reader = sock.makefile("rb")
        self.max_frame, self.max_message = HELLO_LIMIT, HELLO_LIMIT
        self.begun = {}  # context -> (kind, the bodies that have come of a message)

    def is_open(self):
        """Whether this side has not closed it."""
        return self.sock.fileno() >= 0

    def close(self):
        """Closes the socket; whoever reads from the other end sees the end of the stream."""
        self.reader.close()
        self.sock.close()

    def broken(self, why):
        """Ends the link without an answer, and gives the error to raise."""
        self.close()
        return ProtocolError(why)

    def send(self, kind, context=0, body=b"", descriptor=None):
        """Sends one message, in as many frames as it needs."""
        if len(body) > self.max_message:
            raise ValueError(f"{len(body)} bytes are more than the other side takes")
        longest = min(LONGEST_SENT, self.max_frame)
        for begin in range(0, max(len(body), 1), longest):
            part = body[begin : begin + longest]
            flags = MORE if begin + longest < len(body) else 0
            flags |= DESCRIPTOR if descriptor is not None else 0
            frame = HEADER.pack(len(part), kind, flags, VERSION, context) + part
            try:
                if descriptor is not None:
                    frame = frame[socket.send_fds(self.sock, [frame], [descriptor]) :]
                    descriptor = None
                self.sock.sendall(frame)
            except (BrokenPipeError, ConnectionResetError):
                return  # What the other side said last is still to be read.

    def receive(self):
        """The next message that is complete, as kind, context and body."""
        while True:
            kind, flags, context, body = self.frame()
            entry = self.begun.get(context)
            if entry is None and not flags & MORE:
                return kind, context, body
            if entry is not None and kind != entry[0]:
                if kind in IN_ORDER or flags & MORE:
                    raise self.broken(f"{kind.name} comes within a message")
                return kind, context, body
            _, parts = self.begun.setdefault(context, (kind, bytearray()))
            parts += body
            if len(parts) > self.max_message:
                raise self.broken("a message is longer than was agreed upon")
            if not flags & MORE:
                del self.begun[context]
                return kind, context, bytes(parts)

    def frame(self):
        """The next frame."""
        header = self.exactly(HEADER.size, may_end=not self.begun)
        length, kind, flags, version, context = HEADER.unpack(header)
        if version != VERSION or kind not in KINDS:
            raise self.broken(f"version {version} or kind {kind} is not known")
        if length > self.max_frame:
            raise self.broken(f"a frame of {length} bytes is longer than was agreed upon")
        if flags & DESCRIPTOR:
            raise self.broken("a descriptor was announced, and nobody introduces others to a guest")
        return Kind(kind), flags, context, self.exactly(length, may_end=False)

    def exactly(self, length, may_end):
        """This many bytes; the end of the stream is a clean one only between messages."""
        try:
            data = self.reader.read(length)
        except ConnectionResetError:
            data, may_end = b"", False
        if len(data) == length:
            return data
        self.close()
        raise LinkClosed("the link was closed" if may_end and not data else "the link was lost")

    def greet(self):
        """Both Hello frames, and what they agree upon."""
        mine = {
            "lowest_version": VERSION,
            "highest_version": VERSION,
            "codecs": ["cbor"],
            "max_frame": MAX_FRAME,
            "max_message": MAX_MESSAGE,
            "program": "treewright_client.py",
            "agent": "treewright_client.py",
        }
        self.send(Kind.HELLO, body=encode(mine))
        kind, context, body = self.receive()
        if kind == Kind.ERROR and context == 0:
            raise RemoteError(decode(body))
        if kind != Kind.HELLO or context != 0:
            raise self.broken(f"{kind.name} comes in place of a Hello")
        theirs = decode(body)
        version = min(VERSION, theirs["highest_version"])
        self.max_frame = min(MAX_FRAME, theirs["max_frame"])
        self.max_message = min(MAX_MESSAGE, theirs["max_message"])
        # With one codec on this side the choice is that one or none.
        if version < max(VERSION, theirs["lowest_version"]) or "cbor" not in theirs["codecs"]:
            raise self.broken("no version and codec that both speak")
        if self.max_frame < 1024:
            raise self.broken("the frames of the other side are too short")
