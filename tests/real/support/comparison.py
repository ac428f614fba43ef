"""The same request sent to an upstream directly and through Candor, and what each side then saw, side by side."""

import contextlib
import random
import socket
from dataclasses import dataclass

from support.books import settled_books
from support.case import RealCase
from support.differences import OF_ANSWERS, OF_REQUESTS, Passage, remarks, through
from support.messages import Reader
from support.ports import HOST
from support.waiting import PATIENCE

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Exchange:
    """What a caller sends, and what the upstream answers."""

    what: str
    request: bytes
    answer: bytes = OK
    closes: bool = False  # whether the upstream ends the connection after it
    cuts: int | None = None  # a seed: both are sent in pieces; absent: in one

    @property
    def method(self):
        return self.request.lstrip().split(b" ")[0]

    def pieces(self, data):
        if self.cuts is None:
            return [data]
        rng = random.Random(self.cuts)
        at = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(6)))
        return [piece for piece in (data[begin:end] for begin, end in zip([0, *at], [*at, len(data)])) if piece]


def ask(*lines, method=b"GET", target=b"/", version=b"1.1", host=(b"Host: web",), body=b""):
    """A request."""
    return b"\r\n".join((method + b" " + target + b" HTTP/" + version, *host, *lines, b"", body))


def tell(*lines, start=b"HTTP/1.1 200 OK", body=b""):
    """An answer."""
    return b"\r\n".join((start, *lines, b"", body))


class Comparison(RealCase):
    """With an upstream that gives each request the answer of the exchange that is under way."""

    def setUp(self):
        super().setUp()
        self.now = None
        self.seen = []  # requests, as they came
        self.peer = self.upstream(self._record)
        self.proxy = None
        self._kept = {}  # callers' connections, by port
        self.addCleanup(self.hang_up)

    def _record(self, conversation):
        reader = Reader(conversation.receive)
        while seen := reader.request():
            exchange = self.now  # another one may be under way as soon as this is answered
            self.seen.append(seen)
            for piece in exchange.pieces(self.answer()):
                conversation.send(piece)
            if exchange.closes:
                return

    def answer(self):
        """To the request seen last."""
        return self.now.answer

    def hang_up(self):
        """The callers' connections end."""
        for connection, _ in self._kept.values():
            connection.close()
        self._kept.clear()

    def carry(self, port, exchange, attempts=1):
        """The request as the upstream saw it, the answer as the caller saw it, and whether the connection ended. One
        that didn't carries the next exchange, too."""
        self.now = exchange
        before = len(self.seen)
        connection, reader = self._kept.pop(port, None) or self._connect(port)
        for piece in exchange.pieces(exchange.request):
            connection.sendall(piece)
        answer = reader.answer(exchange.method)
        ended = answer.framing == "close"
        if b"close" in answer.tokens(b"connection"):
            with contextlib.suppress(ConnectionResetError):
                ended = reader.at_end()
        if ended or exchange.closes or answer.version == b"HTTP/1.0":
            connection.close()
        else:
            self._kept[port] = connection, reader
        self.assertEqual(len(self.seen), before + attempts, "what the upstream saw of it")
        return self.seen[-1], answer, ended

    def _connect(self, port):
        connection = socket.create_connection((HOST, port), timeout=PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, Reader(lambda: connection.recv(65536))

    def start(self, listeners=(), workers=2, **settings):
        self.proxy = self.candor({"web": {"endpoints": [self.peer.address], "retry": {"attempts": 1},
                                          "breaker": {"enabled": False}, **settings}}, listeners=listeners,
                                 workers=workers)

    def compare(self, exchanges, port="web", of_answers=OF_ANSWERS):
        """Holds every exchange to what may differ."""
        self.start(listeners=[{"mode": "forward_proxy"}] if port == "shared" else [])
        for exchange in exchanges:
            with self.subTest(exchange.what):
                sent, answered, _ = self.carry(self.peer.port, exchange)
                request, answer, ended = self.carry(self.proxy.ports[port], exchange)
                self.assertEqual(remarks(through(OF_REQUESTS, Passage(sent)), request), [], "the request")
                self.assertEqual(remarks(through(of_answers, Passage(answered, asked=sent)), answer), [], "the answer")
                self.assertEqual(ended, b"close" in answer.tokens(b"connection"), "what it says about the connection")
        books = settled_books(self, self.proxy, "web")
        self.assertEqual(books.ledger["started"], len(exchanges))
        self.assertEqual(len(self.seen), 2 * len(exchanges))
