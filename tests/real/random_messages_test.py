"""Messages made by chance, sent to an upstream directly and through Candor: as in transparency_test.py, for what nobody
thought of. CANDOR_SEED=N runs N again."""

import os
import random
import socket
import threading
from dataclasses import replace

from support.books import settled_books
from support.case import RealCase, main
from support.comparison import Comparison, Exchange, ask, tell
from support.differences import OF_ANSWERS, OF_REQUESTS, Passage, remarks, through
from support.messages import Reader
from support.ports import HOST
from support.waiting import PATIENCE

_COUNT = 150
_CALLERS = 6
_TOKEN = b"abcXYZ019!#$%&'*+-.^_`|~"
_VALUE = bytes((*range(0x21, 0x7f), *range(0x80, 0x100)))
_TARGET = bytes(set(range(0x21, 0x7f)) - set(b"#"))
_METHODS = (b"GET", b"GET", b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"QUERY", b"x-ODD")
# Fields with a meaning, but none for whoever passes them on.
_KNOWN = (b"Accept", b"Cookie", b"Set-Cookie", b"Date", b"Via", b"Authorization", b"ETag", b"Content-Type", b"Age",
          b"Forwarded", b"Trailer", b"Location", b"Allow", b"Server", b"Vary", b"Link", b"Refresh", b"From")
_STATUSES = (200, 200, 200, 201, 204, 206, 299, 301, 304, 400, 401, 404, 418, 451, 499)


class _Chance:
    """Makes messages. Everything that it makes is valid, and framed in one way."""

    def __init__(self, seed):
        self._rng = random.Random(seed)

    def exchange(self, what):
        method = self._one_of(_METHODS)
        version = self._one_of((b"1.1", b"1.1", b"1.1", b"1.0"))
        request = ask(*self._options(), *self._lines(), method=method, target=self._target(), version=version,
                      host=(self._one_of((b"Host: web", b"host:web", b"HOST: \t web:80 ")),), body=b"")
        request = self._with_body(request, version == b"1.1", method not in (b"GET", b"HEAD", b"OPTIONS"))
        answer, closes = self._answer(method)
        return Exchange(what, request, answer, closes, cuts=self._rng.randrange(1 << 30))

    def _answer(self, method):
        rng, status, closes = self._rng, self._one_of(_STATUSES), False
        lines = [*self._options(), *self._lines()]
        reason = self._bytes(_VALUE + b"  ", 30)
        head = tell(*lines, start=b"HTTP/1.1 %d %s" % (status, reason))
        if method == b"HEAD" or status in (204, 304):
            length = b"Content-Length: %d\r\n\r\n" % rng.randrange(10_000)
            answer = head[:-2] + length if rng.random() < 0.5 and status != 204 else head
        elif rng.random() < 0.2:
            answer, closes = head + self._body(), True
        else:
            answer = self._with_body(head, True, True)
        hints = [tell(*self._lines(), start=b"HTTP/1.1 103 Early Hints") for _ in range(rng.randrange(3))]
        return b"".join(hints if rng.random() < 0.2 else []) + answer, closes

    def _with_body(self, head, may_be_chunked, must):
        """Of a head without framing."""
        kind = self._rng.random()
        if kind < 0.2 and not must:
            return head
        if kind < 0.6 and may_be_chunked:
            return head[:-2] + self._one_of((b"Transfer-Encoding: chunked", b"transfer-encoding:CHUNKED ")) \
                + b"\r\n\r\n" + self._chunks()
        body = self._body()
        return head[:-2] + b"Content-Length: %d\r\n\r\n" % len(body) + body

    def _chunks(self):
        rng, out = self._rng, []
        for _ in range(rng.randrange(8)):
            piece = self._rng.randbytes(rng.choice((1, 2, 15, 16, 17, 255, 4096, 16384, 70_000)))
            size = self._one_of((b"%x", b"%X", b"0%x", b"%x;a=b", b"%x;q=\"\xe9;\"", b"%x ;x")) % len(piece)
            out.append(size + b"\r\n" + piece + b"\r\n")
        trailers = b"".join(line + b"\r\n" for line in self._lines()) if rng.random() < 0.4 else b""
        return b"".join(out) + b"0\r\n" + trailers + b"\r\n"

    def _body(self):
        return self._rng.randbytes(self._one_of((0, 0, 1, 100, 4095, 16_384, 65_537, 200_000)))

    def _options(self):
        """Connection, and what it names."""
        if self._rng.random() < 0.7:
            return []
        named = [b"X-N" + self._bytes(_TOKEN, 10) for _ in range(self._rng.randrange(4))]
        lines = [b"Connection: " + b" , ".join([*named, b"keep-alive"]), *(name.upper() + b": 1" for name in named)]
        self._rng.shuffle(lines)
        return lines

    def _lines(self):
        return [self._line() for _ in range(self._rng.choice((0, 1, 3, 10, 25)))]

    def _line(self):
        rng = self._rng
        name = self._one_of(_KNOWN) if rng.random() < 0.4 else b"X-L" + self._bytes(_TOKEN, 20)
        words = [self._bytes(_VALUE, rng.choice((0, 5, 40, 700))) for _ in range(rng.randrange(4))]
        return (name + b":" + self._one_of((b" ", b"", b"\t ", b"  ")) + self._one_of((b" ", b"\t", b", ")).join(words)
                + self._one_of((b"", b"", b" ", b"\t")))

    def _target(self):
        form = self._rng.random()
        path = b"/" + self._bytes(_TARGET, self._one_of((0, 3, 30, 600)))
        return b"http://" + self._one_of((b"web", b"web:80", b"WEB")) + path if form < 0.15 else path

    def _bytes(self, of, most):
        return bytes(self._rng.choice(of) for _ in range(self._rng.randrange(most + 1)))

    def _one_of(self, these):
        return self._rng.choice(these)


def _seed():
    return int(os.environ.get("CANDOR_SEED") or random.SystemRandom().randrange(1 << 30))


class OneAfterTheOther(Comparison):
    def test_messages_made_by_chance_arrive_as_they_were_sent(self):
        seed = _seed()
        chance = _Chance(seed)
        self.compare([chance.exchange(f"seed {seed}, number {n}") for n in range(_COUNT)])


def _read(data):
    """A reader of bytes that are there."""
    left = [data]
    return Reader(lambda: left.pop() if left else b"")


class AllAtOnce(RealCase):
    """Several callers, some of whose requests go out before the answers to those before them have come."""

    def setUp(self):
        super().setUp()
        self.seed = _seed()
        chance = _Chance(self.seed)
        self.exchanges = [self._numbered(n, chance.exchange(str(n))) for n in range(_COUNT)]
        self.seen = {}  # requests, by number
        self.wrong = []

    def _numbered(self, number, exchange):
        start, _, rest = exchange.request.partition(b"\r\n")
        return replace(exchange, request=start + b"\r\nX-Exchange: %d\r\n" % number + rest)

    def _answer(self, conversation):
        reader = Reader(conversation.receive)
        while seen := reader.request():
            number = int(seen.values(b"x-exchange")[0])
            self.seen.setdefault(number, []).append(seen)
            exchange = self.exchanges[number]
            for piece in exchange.pieces(exchange.answer):
                conversation.send(piece)
            if exchange.closes:
                return

    def _batches(self, numbers, rng):
        """Those of one caller. A request whose answer may end the connection is the last of its batch."""
        batch = []
        for number in numbers:
            batch.append(number)
            if b"HTTP/1.0\r\n" in self.exchanges[number].request or rng.random() < 0.5:
                yield batch
                batch = []
        yield batch

    def _call(self, port, caller):
        wire = None
        for batch in self._batches(range(caller, _COUNT, _CALLERS), random.Random(self.seed + caller)):
            wire = wire or socket.create_connection((HOST, port), timeout=PATIENCE)
            sending = threading.Thread(target=wire.sendall, args=(b"".join(self.exchanges[n].request for n in batch),))
            sending.start()
            reader = Reader(lambda wire=wire: wire.recv(65536))
            for number in batch:
                try:
                    goes_on = self._check(number, reader.answer(self.exchanges[number].method))
                except (AssertionError, OSError) as problem:
                    self.wrong.append((number, repr(problem)))
                    goes_on = False
                    break
            sending.join()
            if not goes_on:
                wire.close()
                wire = None
        if wire:
            wire.close()

    def _check(self, number, answer):
        exchange = self.exchanges[number]
        sent = _read(exchange.request).request()
        answered = _read(exchange.answer).answer(exchange.method)
        self.wrong += [(number, each) for each in remarks(through(OF_ANSWERS, Passage(answered, asked=sent)), answer)]
        for seen in self.seen[number]:
            self.wrong += [(number, each) for each in remarks(through(OF_REQUESTS, Passage(sent)), seen)]
        return b"close" not in answer.tokens(b"connection")

    def test_messages_made_by_chance_are_kept_apart(self):
        peer = self.upstream(self._answer)
        candor = self.candor({"web": {"endpoints": [peer.address], "retry": {"attempts": 1},
                                      "breaker": {"enabled": False}}})
        callers = [threading.Thread(target=self._call, args=(candor.ports["web"], n)) for n in range(_CALLERS)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        self.assertEqual(self.wrong[:5], [], f"seed {self.seed}; {len(self.wrong)} in all")
        self.assertEqual({number: len(seen) for number, seen in self.seen.items()}, dict.fromkeys(range(_COUNT), 1))
        self.assertEqual(settled_books(self, candor, "web").ledger["success"], _COUNT)


if __name__ == "__main__":
    main()
