"""An upstream that answers well, badly or not at all, by turns of chance, and knows what it was asked.

What it does with an attempt follows from the seed, the request's X-Id and the attempt's number alone, so that it does
the same again whatever the threads do; and what it says is known from the last two.
"""

import contextlib
import hashlib
import random
import socket
import struct
import threading
from collections import Counter

from support.ports import HOST, HeldPort
from support.waiting import PATIENCE

_POOL = random.Random("pool").randbytes(8 << 20)
_SIZES = [0, 1, 20, 500, 500, 2_000, 2_000, 9_000, 60_000, 65_536, 200_000]

WELL = {"well": 40, "chunked": 14, "slow": 2, "closes": 2, "says_close": 3}
# How an attempt may go, and how often.
WILD = {**WELL, "unavailable": 9, "resets": 3, "mid_head": 3, "mid_body": 4, "truncated": 4, "until_close": 4,
        "late": 2, "hangs": 0.7, "stalls": 0.7, "interim": 3, "unasked": 2, "nonsense": 2, "early": 4, "nothing": 3}
ILL = {"well": 10, "unavailable": 70, "resets": 10, "mid_head": 5, "mid_body": 3, "hangs": 0.5}

_NONSENSE = ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 2OO OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
             "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello"]


def bytes_of(what, size):
    """Bytes that belong to this name alone."""
    mark = hashlib.sha256(what.encode()).digest()
    at = int.from_bytes(mark[:4]) % (len(_POOL) - size)
    return (mark + _POOL[at:at + size])[:size]


def answer_of(identity, attempt):
    """The body of each answer to this attempt."""
    size = random.Random(f"{identity}/{attempt}/size").choice(_SIZES)
    return bytes_of(f"{identity}/{attempt}", size)


def in_chunks(body, rng):
    """As a chunked body, cut anyhow."""
    whole, at = [], 0
    while at < len(body):
        size = rng.choice((1, 2, 15, 16, 17, 255, 4_096, 65_535, 65_536, len(body)))
        if len(body) > 5_000:
            size = max(size, len(body) // 9)
        piece = body[at:at + size]
        extension = rng.choice(("", "", "", ";x=y", ';a="b;c"'))
        whole.append(f"{len(piece):{rng.choice('xX')}}{extension}\r\n".encode() + piece + b"\r\n")
        at += len(piece)
    trailer = rng.choice(("", "", "X-Trailer: of this one\r\n"))
    return b"".join(whole) + f"0\r\n{trailer}\r\n".encode()


class _Ended(Exception):
    """Candor ended the connection where more was due."""


class _Reader:
    def __init__(self, connection):
        self._connection = connection
        self._buffer = bytearray()

    def _more(self):
        data = self._connection.recv(65536)
        self._buffer += data
        return bool(data)

    def head(self):
        """The next head, as text; nothing if the connection ends before it is whole."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if not self._more():
                return None
        return self.take(end + 4)[:-4].decode("latin-1")

    def line(self):
        while (end := self._buffer.find(b"\r\n")) < 0:
            if not self._more():
                raise _Ended
        return self.take(end + 2)[:-2]

    def take(self, size):
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def some(self, most):
        if not self._buffer and not self._more():
            raise _Ended
        return self.take(min(most, len(self._buffer)))

    def wait_for_end(self):
        with contextlib.suppress(OSError):
            while self._more():
                self._buffer.clear()


class _Visit:
    """One attempt, as it came, and what is done with it."""

    def __init__(self, upstream, connection, reader, head):
        lines = head.split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        named = dict(line.split(": ", 1) for line in lines[1:])
        self.method, self.path, _ = lines[0].split(" ")
        self.identity = next((value for name, value in named.items() if name.lower() == "x-id"), "nobody")
        self.attempt = int(fields["candor-attempt"])
        self._length = int(fields.get("content-length", 0))
        self._is_chunked = "transfer-encoding" in fields
        self._stopping = upstream.stopping
        self._connection = connection
        self._reader = reader
        self._rng = random.Random(f"{upstream.seed}/{self.identity}/{self.attempt}")
        self._turn = upstream.turn(self._rng)
        self._sum = ""
        self._body = answer_of(self.identity, self.attempt)

    def answer(self):
        """Whether the connection goes on."""
        if self.method == "HEAD":
            self._turn = "well"
        return getattr(self, f"_{self._turn}")()

    # The request's body.

    def _pieces(self):
        if not self._is_chunked:
            left = self._length
            while left:
                piece = self._reader.some(left)
                left -= len(piece)
                yield piece
            return
        while size := int(self._reader.line().split(b";")[0], 16):
            while size:
                piece = self._reader.some(size)
                size -= len(piece)
                yield piece
            assert self._reader.line() == b"", "a chunk of another size than it said"
        while self._reader.line():
            pass

    def _read(self):
        digest = hashlib.sha256()
        for piece in self._pieces():
            digest.update(piece)
        self._sum = f"X-Sum: {digest.hexdigest()}\r\n"

    def _read_a_part(self):
        enough = self._rng.randrange(6)
        for n, _ in enumerate(self._pieces()):
            if n >= enough:
                return

    # The answer.

    def _head(self, fields, status=200):
        return (f"HTTP/1.1 {status} As it is\r\nX-Id: {self.identity}\r\nX-Attempt: {self.attempt}\r\n{self._sum}"
                f"X-Turn: {self._turn}\r\n{fields}\r\n").encode()

    def _send(self, data):
        self._connection.sendall(data)

    def _send_cut(self, data):
        """In several pieces, which may arrive as such."""
        cuts = sorted(self._rng.randrange(len(data) + 1) for _ in range(self._rng.randrange(5)))
        for begin, end in zip([0, *cuts], [*cuts, len(data)]):
            self._send(data[begin:end])

    def _whole(self, fields="", status=200):
        return self._head(f"Content-Length: {len(self._body)}\r\n{fields}", status) + (
            b"" if self.method == "HEAD" else self._body)

    def _reset(self):
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    # The turns.

    def _well(self):
        self._read()
        self._send(self._whole())
        return True

    def _chunked(self):
        self._read()
        self._send_cut(self._head("Transfer-Encoding: chunked\r\n") + in_chunks(self._body, self._rng))
        return True

    def _slow(self):
        self._read()
        whole = self._whole()
        step = len(whole) // 4 + 1
        for at in range(0, len(whole), step):
            self._send(whole[at:at + step])
            self._stopping.wait(self._rng.random() * 0.08)
        return True

    def _late(self):
        self._stopping.wait(self._rng.random() * 0.3)
        return self._well()

    def _closes(self):
        self._well()
        return False

    def _says_close(self):
        self._read()
        self._send(self._whole("Connection: close\r\n"))
        return False

    def _until_close(self):
        self._read()
        self._send_cut(self._head("") + self._body)
        return False

    def _interim(self):
        self._send(b"HTTP/1.1 103 Early Hints\r\nX-Id: interim\r\n\r\n")
        return self._well()

    def _nothing(self):
        self._read()
        self._send(self._head("", 204))
        return True

    def _unasked(self):
        """A second answer that nobody asked for; together with the first, so that it is there before the next
        request can be."""
        self._read()
        whole = self._whole()
        second = b"HTTP/1.1 200 OK\r\nX-Id: unasked\r\nContent-Length: 7\r\n\r\nunasked"
        self._send(whole + second if len(whole) < 4_000 else whole)
        return True

    def _early(self):
        """Before it has read the body."""
        self._send(self._whole(status=self._rng.choice((200, 200, 503))))
        if self._rng.random() < 0.5:
            self._read_a_part()
            return False
        self._read()
        return True

    def _unavailable(self):
        self._read()
        self._send(self._whole(status=self._rng.choice((500, 502, 503, 503, 503, 504, 429))))
        return True

    def _resets(self):
        self._read_a_part()
        return self._reset()

    def _mid_head(self):
        self._read_a_part()
        head = self._head("Content-Length: 10\r\n")
        self._send(head[:self._rng.randrange(1, len(head) - 1)])
        return self._reset() if self._rng.random() < 0.5 else False

    def _half(self):
        """Half an answer, with a length or in chunks."""
        if self._rng.random() < 0.5:
            whole = self._head(f"Content-Length: {len(self._body) + 1}\r\n") + self._body
        else:
            whole = self._head("Transfer-Encoding: chunked\r\n") + in_chunks(self._body, self._rng)
        begin = whole.index(b"\r\n\r\n") + 4
        return whole[:self._rng.randrange(begin, max(begin + 1, len(whole) - 5))]

    def _mid_body(self):
        self._read()
        self._send(self._half())
        return self._reset()

    def _truncated(self):
        self._read()
        self._send(self._half())
        return False

    def _stalls(self):
        self._read()
        self._send(self._half())
        self._reader.wait_for_end()
        return False

    def _hangs(self):
        self._reader.wait_for_end()
        return False

    def _nonsense(self):
        self._read()
        chunks = self._head("Transfer-Encoding: chunked\r\n") + b"nonsense\r\n"
        self._send(self._rng.choice([chunks, *(each.encode() for each in _NONSENSE)]))
        return False


class UnrulyUpstream:
    """Listens, may die, and may come back on the same port."""

    def __init__(self, seed, turns, ill=None):
        """`turns`: how often which; `ill`, an Event: while it is set, it answers as one that is ill."""
        self.seed = seed
        self._turns = turns
        self._ill = ill
        self.stopping = threading.Event()
        self.seen = Counter()  # attempts whose head has come, by path and number
        self.turned = Counter()  # the turns that were taken
        self.problems = []
        self._lock = threading.Lock()
        self._connections = set()
        self._held = HeldPort()
        self.address = f"{HOST}:{self._held.number}"
        self._listener = None
        self._accepting = None
        self.rise()

    def turn(self, rng):
        turns = ILL if self._ill and self._ill.is_set() else self._turns
        turn = rng.choices(list(turns), turns.values())[0]
        with self._lock:
            self.turned[turn] += 1
        return turn

    def rise(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((HOST, self._held.number))
        self._listener.listen(512)
        self._accepting = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._accepting.start()

    def die(self):
        """In the middle of anything. Nothing listens, and nothing is answered, when this returns."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(PATIENCE)
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection):
        try:
            connection.settimeout(PATIENCE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            reader = _Reader(connection)
            while head := reader.head():
                visit = _Visit(self, connection, reader, head)
                with self._lock:
                    self.seen[visit.path, visit.attempt] += 1
                if not visit.answer():
                    break
        except (OSError, _Ended):
            pass  # Candor left: its right
        except Exception as problem:  # what came is no request, or the mistake is here
            self.problems.append(repr(problem))
            raise
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def died(self):
        """Of a mistake of its own, or of something that was no request; else nothing."""
        return "; ".join(self.problems)

    def close(self):
        self.stopping.set()
        self.die()
        self._held.release()

    def report(self):
        return "\n".join(self.problems)
