"""One connection of a caller, byte by byte: for what well-behaved callers never send, and never look at."""

import select
import socket
import struct
from dataclasses import dataclass, field

from support.ports import HOST
from support.waiting import PATIENCE


class BrokenOff(Exception):
    """The connection ended inside an answer; `received` is the part of its body that had come."""

    def __init__(self, why, received=b""):
        super().__init__(why)
        self.received = received


@dataclass
class RawAnswer:
    """One answer as it stood on the wire; interim ones before it are in `interim`."""

    version: str
    status: int
    fields: list = field(default_factory=list)
    body: bytes = field(default=b"", repr=False)
    interim: list = field(default_factory=list)

    def get(self, name):
        """The value of a field, several joined by commas; nothing if it isn't there."""
        values = [value for key, value in self.fields if key.lower() == name.lower()]
        return ", ".join(values) if values else None


class Wire:
    """A connection. Every wait is bounded: a silence too long raises TimeoutError."""

    def __init__(self, port):
        self._socket = socket.create_connection((HOST, port), timeout=PATIENCE)
        self._buffer = b""
        self._interim = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        """Everything, as far as the other side takes it."""
        self._socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))
        return self

    def shut(self):
        """Ends the sending; what the other side sends can still be read."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self):
        self._socket.close()

    def reset(self):
        """Leaves without a good-bye."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def get(self, target, fields="", version="1.1"):
        """Sends a request without a body; `fields` are whole lines."""
        return self.send(f"GET {target} HTTP/{version}\r\nHost: web\r\n{fields}\r\n")

    def readable(self):
        """Whether something has come, or the end."""
        return bool(self._buffer) or bool(select.select([self._socket], [], [], 0)[0])

    def is_held_up(self):
        """Whether there was no room to send anything, for a while."""
        return not select.select([], [self._socket], [], 0.5)[1]

    def ends(self):
        """Whether the other side ends the connection, sending nothing more before."""
        if self._buffer:
            return False
        try:
            return not self._more()
        except ConnectionResetError:
            return True

    def is_reset(self):
        """Whether the other side breaks the connection rather than end it, whatever else comes before."""
        try:
            while self._more():
                pass
        except ConnectionResetError:
            return True
        return False

    def answer(self, method="GET"):
        """The next final answer, whole."""
        return self.rest(self.head(), method)

    def rest(self, head, method="GET"):
        """The answer whose head has come, with its body."""
        try:
            head.body = self._body(head, method)
        except ConnectionResetError as problem:
            raise BrokenOff("reset in mid-body", self._buffer) from problem
        return head

    def head(self):
        """The next final answer's head alone."""
        answer = self._head()
        while answer.status < 200:
            self._interim.append(answer)
            answer = self._head()
        answer.interim, self._interim = self._interim, []
        return answer

    def interim(self):
        """The next answer's head, which must be an interim one."""
        answer = self._head()
        assert answer.status < 200, f"expected an interim answer, got {answer}"
        return answer

    def some(self, size):
        """The next bytes as they are."""
        while len(self._buffer) < size:
            if not self._more():
                raise BrokenOff(f"ended before {size} bytes", self._buffer)
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _more(self):
        data = self._socket.recv(65536)
        self._buffer += data
        return bool(data)

    def _line(self):
        while b"\r\n" not in self._buffer:
            if not self._more():
                raise BrokenOff("ended within a line", self._buffer)
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line.decode("latin-1")

    def _head(self):
        version, status, _ = (self._line() + " ").split(" ", 2)
        assert version in ("HTTP/1.1", "HTTP/1.0"), f"no status line: {version} {status}"
        answer = RawAnswer(version, int(status))
        while line := self._line():
            name, colon, value = line.partition(":")
            assert colon and name == name.strip(), f"no field line: {line}"
            answer.fields.append((name, value.strip()))
        return answer

    def _body(self, head, method):
        if method == "HEAD" or head.status in (204, 304) or method == "CONNECT" and head.status == 200:
            return b""
        if head.get("Transfer-Encoding"):
            assert head.get("Transfer-Encoding") == "chunked" and not head.get("Content-Length"), head.fields
            return self._chunks()
        if head.get("Content-Length"):
            return self.some(int(head.get("Content-Length")))
        while self._more():
            pass
        body, self._buffer = self._buffer, b""
        return body

    def _chunks(self):
        body = b""
        while True:
            try:
                size = int(self._line().split(";")[0], 16)
                body += self.some(size)
            except BrokenOff as problem:
                raise BrokenOff("ended between chunks or within one", body + problem.received) from problem
            if size == 0:
                while self._line():  # trailers
                    pass
                return body
            assert self._line() == "", "a chunk of another size than it said"
