"""Exchanges made up by chance: what is sent in both directions, how it is cut, and who breaks off where.

All of it follows from the seed and the exchange's number, so that both sides know it, and a run can be repeated. How
threads and sockets meet is the machine's affair.
"""

import contextlib
import hashlib
import random
import select
import socket
import struct
import threading
from collections import Counter
from dataclasses import dataclass, field

from support.listening import Listening
from support.waiting import PATIENCE

_POOL = memoryview(random.Random("exchanges").randbytes(24 << 20))
LARGEST = 10_000_000
# Most are small, so that the few large ones are affordable.
_SIZES = [(30, 0, 0), (300, 1, 2_000), (100, 2_000, 70_000), (80, 65_000, 600_000), (40, 600_000, 3_000_000),
          (12, 3_000_000, LARGEST)]
_PIPELINED = [(1, 0, 0), (5, 1, 2_000)]
# Who breaks off, and where.
_ENDS = [(800, None), (40, "caller sends"), (40, "caller reads"), (40, "upstream reads"), (30, "upstream's head"),
         (50, "upstream's body")]


class Ended(Exception):
    """The connection ended, or broke, where more was due."""


def _drawn(rng, choices):
    weights = [each[0] for each in choices]
    return rng.choices(choices, weights)[0][1:]


@dataclass
class Body:
    """What is sent one way."""

    content: memoryview = field(repr=False)
    framing: str  # none, length, chunked, close
    cuts: list = field(repr=False)  # of its chunks
    trailers: list  # lines, for a body in chunks
    _sum: str = ""

    def sum(self, size=None):
        """The checksum of its first bytes, or of all."""
        if size is not None and size < len(self.content):
            return hashlib.sha1(self.content[:size]).hexdigest()
        if not self._sum:
            self._sum = hashlib.sha1(self.content).hexdigest()
        return self._sum

    @property
    def fields(self):
        return {"length": f"Content-Length: {len(self.content)}\r\n", "chunked": "Transfer-Encoding: chunked\r\n"}.get(
            self.framing, "")

    def wire(self):
        """The bytes to send, in pieces."""
        if self.framing != "chunked":
            return [self.content] if self.content else []
        pieces = []
        for begin, end in zip([0, *self.cuts], [*self.cuts, len(self.content)]):
            if begin < end:
                extension = ";x=y" if begin % 7 == 0 else ""
                pieces += [f"{end - begin:x}{extension}\r\n".encode(), self.content[begin:end], b"\r\n"]
        return [*pieces, f"0\r\n{''.join(self.trailers)}\r\n".encode()]


def _body(rng, framings, sizes):
    least, most = _drawn(rng, sizes)
    size = rng.randint(least, most)
    at = rng.randrange(len(_POOL) - size)
    cuts = sorted(rng.randrange(size + 1) for _ in range(rng.choice((0, 1, 3, 10, 30))))
    framing = rng.choice(framings)
    trailers = [f"X-Trailer: of {at}\r\n"] if framing == "chunked" and rng.random() < 0.3 else []
    return Body(_POOL[at:at + size], framing, cuts, trailers)


class Plan:
    """One exchange."""

    def __init__(self, seed, number, pipelined=False):
        rng = random.Random(f"{seed}/{number}")
        sizes = _PIPELINED if pipelined else _SIZES
        self.number = number
        self.path = f"/exchange/{number}"
        self.method = rng.choice(("GET", "GET", "HEAD", "DELETE", "POST", "POST", "PUT", "PATCH"))
        self.request = Body(_POOL[:0], "none", [], [])
        if self.method in ("POST", "PUT", "PATCH"):
            self.request = _body(rng, ("length", "length", "chunked"), sizes)
        self.status = rng.choice((200, 200, 200, 201, 404))
        self.answer = _body(rng, ("length", "length", "length", "chunked", "chunked", "close"), sizes)
        self.interim = rng.random() < 0.05
        # Some heads are long, so that what follows them lies anywhere in what Candor reads into.
        self.request_padding = rng.randrange(60_000) if rng.random() < 0.05 else 0
        self.answer_padding = rng.randrange(60_000) if rng.random() < 0.05 else 0
        self.caller_closes = not pipelined and rng.random() < 0.1
        self.upstream_closes = self.answer.framing == "close" or rng.random() < 0.1
        # Reads only when the other side can send no more, or has sent all.
        self.caller_tarries = not pipelined and rng.random() < 0.15
        self.upstream_tarries = not pipelined and rng.random() < 0.15
        self.end = None if pipelined else _drawn(rng, _ENDS)[0]
        if self.end == "upstream's body" and (self.method == "HEAD" or not self.answer.wire()):
            self.end = None
        self.resets = rng.random() < 0.5 or self.answer.framing == "close"  # whoever breaks off, instead of closing
        self.where = rng.random()  # it breaks off
        self.request_sent = threading.Event()  # or it can't be, for the moment
        self.answer_sent = threading.Event()

    def __repr__(self):
        return (f"exchange {self.number}: {self.method} {len(self.request.content)} bytes {self.request.framing}, "
                f"{self.status} {len(self.answer.content)} bytes {self.answer.framing}, end {self.end}")

    @property
    def gets(self):
        """The answer's content, as its caller gets it."""
        return self.answer.content[:0] if self.method == "HEAD" else self.answer.content

    def request_pieces(self):
        close = "Connection: close\r\n" if self.caller_closes else ""
        padding = f"X-Padding: {'x' * self.request_padding}\r\n" if self.request_padding else ""
        return [f"{self.method} {self.path} HTTP/1.1\r\nHost: web\r\n{padding}{self.request.fields}{close}\r\n"
                .encode(), *self.request.wire()]

    def answer_pieces(self, received):
        """`received`: the checksum of the request's content as it came."""
        close = "Connection: close\r\n" if self.upstream_closes else ""
        padding = f"X-Padding: {'x' * self.answer_padding}\r\n" if self.answer_padding else ""
        early = "HTTP/1.1 103 Early Hints\r\nLink: early\r\n\r\n" if self.interim else ""
        head = (f"{early}HTTP/1.1 {self.status} As planned\r\nX-Path: {self.path}\r\nX-Received: {received}\r\n"
                f"{padding}{self.answer.fields}{close}\r\n")
        return [head.encode(), *([] if self.method == "HEAD" else self.answer.wire())]


class Stream:
    """A connection: sends in pieces, and reads heads and bodies. Nothing here waits for ever."""

    def __init__(self, connection):
        connection.setblocking(False)  # one with a timeout would wait where it should say that it can't send
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._buffer = b""
        self.trailers = []  # of the body that was read last

    def send(self, pieces, stuck, most=None):
        """Sends the pieces, or their first `most` bytes; sets `stuck` when no more can be sent, for the moment or
        at all."""
        try:
            for piece in _joined(pieces):
                view = memoryview(piece)[:most]
                most = None if most is None else most - len(view)
                while view:
                    view = view[self._send_some(view, stuck):]
        except ConnectionError as problem:
            raise Ended(str(problem)) from problem
        finally:
            stuck.set()

    def _send_some(self, view, stuck):
        try:
            return self._connection.send(view)
        except BlockingIOError:
            stuck.set()
            if not select.select([], [self._connection], [], PATIENCE)[1]:
                raise TimeoutError("nobody reads") from None
            return 0

    def until_readable(self):
        """Whether something has come, or the end."""
        return bool(self._buffer) or bool(select.select([self._connection], [], [], PATIENCE)[0])

    def _more(self):
        while True:
            try:
                return self._connection.recv(256 * 1024)
            except BlockingIOError:
                if not self.until_readable():
                    raise TimeoutError("nobody sends") from None
            except ConnectionError as problem:
                raise Ended(str(problem)) from problem

    def _until(self, mark):
        while mark not in self._buffer:
            more = self._more()
            if not more:
                raise Ended("closed")
            self._buffer += more
        found, _, self._buffer = self._buffer.partition(mark)
        return found

    def head(self):
        """The start line and the fields, by their lower-case names; nothing if the connection ends before."""
        if not self._buffer:
            self._buffer = self._more()
            if not self._buffer:
                return None
        start, *lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        fields = {}
        for line in lines:
            name, _, value = line.partition(": ")
            assert name and name.lower() not in fields, f"this field should not be here: {line}"
            fields[name.lower()] = value
        return start, fields

    def pieces(self, framing):
        """The content of a body; `framing`: none, close, chunked or a number."""
        self.trailers = []
        if framing == "chunked":
            while size := int(self._until(b"\r\n").partition(b";")[0], 16):
                yield from self._exactly(size)
                assert self._until(b"\r\n") == b"", "a chunk of another size than it said"
            while trailer := self._until(b"\r\n"):
                self.trailers.append(trailer.decode("latin-1") + "\r\n")
        elif framing == "close":
            yield self._buffer
            self._buffer = b""
            while more := self._more():
                yield more
        elif framing != "none":
            yield from self._exactly(framing)

    def _exactly(self, size):
        while size:
            if not self._buffer:
                self._buffer = self._more()
                if not self._buffer:
                    raise Ended("closed")
            piece, self._buffer = self._buffer[:size], self._buffer[size:]
            size -= len(piece)
            yield piece

    def close(self, resets=False):
        if resets:
            with contextlib.suppress(OSError):
                self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()


def narrow(connection):
    """Lets little be on its way, so that who doesn't read holds up who sends. Less than this, and packets as large
    as those of the loopback interface wait for each other's timers."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 * 1024)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 128 * 1024)


def _joined(pieces):
    """The small ones together."""
    small = []
    for piece in pieces:
        if len(piece) < 16_384:
            small.append(piece)
            continue
        yield b"".join([*small, piece[:0]])
        small = []
        yield piece
    yield b"".join(small)


class Received:
    """A body that comes: its size and checksum, so far."""

    def __init__(self):
        self.size = 0
        self._digest = hashlib.sha1()

    def take(self, pieces, most=None):
        """Takes pieces, up to so many bytes or a few more."""
        if most == 0:
            return
        for piece in pieces:
            self._digest.update(piece)
            self.size += len(piece)
            if most is not None and self.size >= most:
                return

    def sum(self):
        return self._digest.hexdigest()


class PlannedUpstream(Listening):
    """Answers each request as planned."""

    def __init__(self, plans):
        """`plans`: by path."""
        self._plans = plans
        self.seen = Counter()  # heads that came, by path
        self._lock = threading.Lock()
        super().__init__()

    def _accepted(self, connection):
        if self.connections % 4 == 0:
            narrow(connection)

    def _converse(self, connection):
        stream = Stream(connection)
        resets = False
        try:
            while head := stream.head():
                start, fields = head
                method, path, _ = start.split(" ")
                plan = self._plans[path]
                with self._lock:
                    self.seen[path] += 1
                assert method == plan.method, f"{method} for {plan}"
                assert fields.get("x-padding", "") == "x" * plan.request_padding, f"other padding: {plan}"
                try:
                    goes_on = self._answer(stream, plan, fields)
                finally:
                    plan.answer_sent.set()
                if not goes_on:
                    resets = (plan.end or "").startswith("upstream") and plan.resets
                    return
        except Ended:
            pass  # Candor left: its right
        except Exception as problem:  # what came is no request, or another than planned
            self.problems.append(repr(problem))
        finally:
            stream.close(resets)

    def _answer(self, stream, plan, fields):
        """Whether the connection goes on."""
        framing = "chunked" if "transfer-encoding" in fields else int(fields.get("content-length", 0))
        expected = len(plan.request.content) if plan.request.framing == "length" else 0
        assert framing == (plan.request.framing if plan.request.framing == "chunked" else expected), plan
        if plan.upstream_tarries:
            plan.request_sent.wait(PATIENCE)
        received = Received()
        try:
            if plan.end == "upstream reads":
                received.take(stream.pieces(framing), int(plan.where * len(plan.request.content)))
                return False
            received.take(stream.pieces(framing))
            assert received.size == len(plan.request.content), f"{received.size} bytes came: {plan}"
            assert stream.trailers == plan.request.trailers, f"{stream.trailers} came: {plan}"
        finally:
            assert received.sum() == plan.request.sum(received.size), f"other bytes came: {plan}"
        pieces = plan.answer_pieces(received.sum())
        most = None
        if plan.end == "upstream's head":
            most = int(plan.where * (len(pieces[0]) - 1))
        elif plan.end == "upstream's body":
            most = len(pieces[0]) + int(plan.where * (sum(map(len, pieces[1:])) - 1))
        stream.send(pieces, plan.answer_sent, most)
        return most is None and not plan.upstream_closes

    def report(self):
        return "\n".join(self.problems)
