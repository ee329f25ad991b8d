"""A client that joins a treewright tree, calls functions of its actors, and streams.

It is a second implementation of the protocol, written from docs/protocol.md alone: what it does
and that page does not say is an error of the page. It needs `cbor2` (Debian: python3-cbor2) and
otherwise the standard library only.

Everything happens on the thread of the caller: whoever waits for something reads frames and hands
them out to their contexts until it has come. Nothing is read in between, so what the other side may
send meanwhile is bounded by the credit it was given.
"""

import collections
import os
import socket
import struct

from treewright_link import Kind, Link, LinkClosed, RemoteError, decode, encode

THEIRS = 1 << 63  # set in the contexts that the side which accepted opens
FIRST_MESSAGES, FIRST_BYTES = 64, 16_384  # credit each direction begins with
WINDOW = (1024, 262_144)  # what this side lets be on its way, in messages and bytes


def path_of(name):
    """The path of the socket of the tree called `name`."""
    if "/" in name:
        return name
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(folder):
        return f"{folder}/treewright/{name}.sock"
    return f"/tmp/treewright-{os.geteuid()}/{name}.sock"


class Context:
    """A call of a function on the other side, from the side that asked for it."""

    def __init__(self, client, number, window):
        self.client, self.number, self.window = client, number, window
        self.has_started, self.first_value = False, None
        self.outcome = None  # (Kind.RESULT, value) or (Kind.ERROR, RemoteError)
        self.inbox = collections.deque()  # what has come and is not read: value and length
        self.they_ended, self.we_ended = False, False
        self.may_send = [FIRST_MESSAGES, FIRST_BYTES]
        self.may_come = [FIRST_MESSAGES, FIRST_BYTES]
        self.to_give_back = [0, 0]

    def started(self):
        """Waits until the function runs, and gives its first value."""
        self.client.pump_until(lambda: self.has_started or self.outcome)
        if not self.has_started:
            self.result()
            raise TypeError("the function returned and has no stream")
        return self.first_value

    def send(self, value):
        """Sends a value; waits until there is credit for it."""
        self._send(Kind.DATA, encode(value))

    def send_raw(self, data):
        """Sends bytes as they are; waits until there is credit for them."""
        self._send(Kind.RAW, data)

    def _send(self, kind, body):
        self.started()
        assert not self.we_ended, "nothing is sent after the end of the stream"
        self.client.pump_until(lambda: self.outcome or min(self.may_send) > 0)
        if self.outcome:
            raise BrokenPipeError("the function has ended and reads no more")
        self.may_send[0] -= 1
        self.may_send[1] -= len(body)
        self.client.link.send(kind, self.number, body)

    def end_of_stream(self):
        """Says that no more messages come from this side."""
        self.started()
        if not self.we_ended and not self.outcome:
            self.client.link.send(Kind.END_OF_STREAM, self.number)
        self.we_ended = True

    def __iter__(self):
        """The messages of the other side, until its end or that of the function."""
        self.started()
        while True:
            self.client.pump_until(lambda: self.inbox or self.they_ended or self.outcome)
            if not self.inbox:
                break
            yield self._read()
        if self.outcome and self.outcome[0] == Kind.ERROR:
            raise self.outcome[1]

    def _read(self):
        """Takes a message out of the inbox, and gives credit back for it when it is time to."""
        value, length = self.inbox.popleft()
        self.to_give_back[0] += 1
        self.to_give_back[1] += length
        if any(2 * read >= window for read, window in zip(self.to_give_back, self.window)):
            self.give(*self.to_give_back)
            self.to_give_back = [0, 0]
        return value

    def give(self, messages, count):
        """Lets the other side send so much more."""
        self.may_come[0] += messages
        self.may_come[1] += count
        if (messages or count) and not self.they_ended and not self.outcome:
            body = encode({"messages": messages, "bytes": count})
            self.client.link.send(Kind.CREDIT, self.number, body)

    def cancel(self, message):
        """Asks for the end of the function; its result or error is the answer."""
        if not self.outcome:
            reason = {"origin": "Request", "message": message, "location": None}
            self.client.link.send(Kind.CANCEL, self.number, encode(reason))

    def result(self):
        """Waits for what the function returns or raises how it failed; drops what was not read."""
        while not self.outcome:
            self.client.pump_until(lambda: self.inbox or self.outcome)
            while self.inbox:
                self._read()
        kind, value = self.outcome
        if kind == Kind.ERROR:
            raise value
        return value

    def arrived(self, kind, body):
        """A message of this context; gives why it is not allowed, or None."""
        if kind == Kind.CREDIT:
            credit = decode(body)
            self.may_send[0] += credit["messages"]
            self.may_send[1] += credit["bytes"]
        elif kind in (Kind.RESULT, Kind.ERROR):
            failed = kind == Kind.ERROR
            self.outcome = (kind, RemoteError(decode(body)) if failed else decode(body))
        elif kind == Kind.STARTED and not self.has_started:
            self.has_started, self.first_value = True, decode(body)
            self.give(self.window[0] - FIRST_MESSAGES, self.window[1] - FIRST_BYTES)
        elif kind in (Kind.DATA, Kind.RAW) and self.has_started and not self.they_ended:
            if min(self.may_come) < 1:
                return f"{kind.name} comes without credit"
            self.may_come[0] -= 1
            self.may_come[1] -= len(body)
            self.inbox.append((body if kind == Kind.RAW else decode(body), len(body)))
        elif kind == Kind.END_OF_STREAM and self.has_started and not self.they_ended:
            self.they_ended = True
        else:
            return f"{kind.name} is not allowed now"
        return None


class Client:
    """A link to an actor, over which its public functions are called."""

    def __init__(self, sock, me, timeout):
        sock.settimeout(timeout)
        self.link, self.me, self.timeout = Link(sock), me, timeout
        self.peer = None  # the actor id of the root, where this is the link that joined
        self.last_context, self.their_last, self.last_question = 0, THEIRS, 0
        self.contexts, self.answers, self.pongs = {}, {}, []
        self.goodbye = None
        self.link.greet()

    @classmethod
    def join(cls, name, timeout=30):
        """Joins the tree that listens by this name, as a guest."""
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(path_of(name))
        _, uid, _ = struct.unpack(
            "3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        )
        if uid != os.geteuid():
            raise PermissionError(f"the tree is of the user {uid}")
        client = cls(sock, {"name": "python", "number": os.urandom(16)}, timeout)
        client.link.send(Kind.INTRODUCE, body=client._introduction(None))
        kind, context, body = client.link.receive()
        if kind == Kind.ERROR:
            raise RemoteError(decode(body))
        if kind != Kind.INTRODUCE or context != 0:
            raise client.link.broken(f"{kind.name} comes in place of an Introduce")
        client.peer = decode(body)["from"]
        return client

    def _introduction(self, to):
        return encode({"from": self.me, "to": to, "is_guest": False})

    def connect(self, actor):
        """A link of its own to the actor with this id, which a question has found."""
        ours, theirs = socket.socketpair()
        with theirs:
            self.link.send(Kind.INTRODUCE, 0, self._introduction(actor), theirs.fileno())
        return Client(ours, self.me, self.timeout)

    def ask(self, question):
        """The ids of the actors that answer `All`, `Named` or `Awaited`; how that of `Ended` did."""
        self.last_question += 1
        number = self.last_question
        self.link.send(Kind.FIND, body=encode({"Ask": [number, question]}))
        self.pump_until(lambda: number in self.answers)
        answer = self.answers.pop(number)
        if "Refused" in answer:
            raise PermissionError(answer["Refused"])
        return answer["Ended"] if "Ended" in answer else answer["Actors"]

    def open(self, task, *arguments, limit=None, window=WINDOW):
        """Starts a function; `limit` is in seconds, `window` in messages and bytes."""
        micros = None if limit is None else int(limit * 1_000_000)
        head = {"task": task, "signature": 0, "limit": micros}
        return self.start(encode(head), encode(list(arguments) or None), window)

    def start(self, head, arguments, window=WINDOW):
        """Starts a function by what is encoded already."""
        self.last_context += 1
        context = self.contexts[self.last_context] = Context(self, self.last_context, window)
        body = struct.pack("<I", len(head)) + head + arguments
        self.link.send(Kind.START, context.number, body)
        return context

    def call(self, task, *arguments, limit=None):
        """Calls a function that only returns, and gives what it returns."""
        return self.open(task, *arguments, limit=limit).result()

    def ping(self, body=b"ping"):
        """Waits for the answer to a ping, which says that all before it was read."""
        self.link.send(Kind.PING, body=body)
        self.pump_until(lambda: self.pongs)
        return self.pongs.pop(0)

    def close(self):
        """Says goodbye and closes the link; what is still open is cancelled by that."""
        if self.link.is_open():
            reason = {"origin": "Request", "message": "done", "location": None}
            self.link.send(Kind.GOODBYE, body=encode(reason))
            self.link.close()

    def pump_until(self, condition):
        """Reads and hands out messages until the condition holds."""
        while not condition():
            self.pump()

    def pump(self):
        """Reads one message and hands it out."""
        try:
            kind, context, body = self.link.receive()
        except LinkClosed as closed:
            if self.goodbye is not None:
                raise LinkClosed(f"{closed}: {self.goodbye}") from None
            raise
        if context == 0:
            why = self._of_the_link(kind, body)
        elif context & THEIRS:
            why = self._of_their_context(kind, context)
        elif context in self.contexts:
            why = self.contexts[context].arrived(kind, body)
            if self.contexts[context].outcome:
                del self.contexts[context]
        else:
            # It has ended, which the other side knows by now or will know.
            why = None if context <= self.last_context else f"{kind.name} of no context"
        if why:
            raise self.link.broken(why)

    def _of_the_link(self, kind, body):
        if kind == Kind.PING:
            self.link.send(Kind.PONG, body=body)
        elif kind == Kind.PONG:
            self.pongs.append(body)
        elif kind == Kind.FOUND:
            found = decode(body)
            self.answers[found["question"]] = found["answer"]
        elif kind == Kind.GOODBYE:
            self.goodbye = decode(body).get("message") or "it said goodbye"
        elif kind == Kind.CANCEL:
            self._refuse(0, "a guest ends when it wants to")
        else:
            return f"{kind.name} has no place on this link"
        return None

    def _of_their_context(self, kind, context):
        """Nothing can be called here: what they start is refused, and the rest of it dropped."""
        if kind == Kind.START and context > self.their_last:
            self.their_last = context
            self._refuse(context, "this client has no functions")
        elif kind == Kind.START or context > self.their_last:
            return f"{kind.name} of a context that is not theirs to use"
        return None

    def _refuse(self, context, message):
        error = {"origin": self.me, "kind": "Error", "message": message}
        self.link.send(Kind.ERROR, context, encode(error))
