"""An upstream that does exactly what a test says, byte by byte: for what no well-behaved server would do."""

import contextlib
import socket
import struct

from support.listening import Listening
from support.waiting import PATIENCE


class Conversation:
    """One connection that Candor made."""

    def __init__(self, connection, heads):
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._heads = heads
        self._buffer = b""

    def request(self):
        """Reads the next request's head, as text; nothing if the connection ends before. Bodies are not for
        here."""
        while b"\r\n\r\n" not in self._buffer:
            data = self._connection.recv(65536)
            if not data:
                return None
            self._buffer += data
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        self._heads.append(head.decode("latin-1"))
        return self._heads[-1]

    def receive(self):
        """The next bytes as they come, nothing at the end; what came behind a request() first."""
        taken, self._buffer = self._buffer, b""
        return taken or self._connection.recv(65536)

    def send(self, data):
        self._connection.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def answer(self, body, fields=""):
        """A good answer; `fields` are whole lines."""
        self.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{fields}\r\n{body}")

    def shut(self):
        """Ends the sending; what Candor sends can still be received."""
        self._connection.shutdown(socket.SHUT_WR)

    def rest(self):
        """All that comes to the end of Candor's sending."""
        return b"".join(iter(self.receive, b""))

    def echo(self):
        """Sends back what comes, to the end of it."""
        while data := self.receive():
            self.send(data)

    def wait_for_end(self):
        """Returns when Candor has ended or broken the connection."""
        with contextlib.suppress(OSError):
            while self._connection.recv(65536):
                pass

    def reset(self):
        """Breaks it."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()


class ScriptedUpstream(Listening):
    """Listens, and runs `script(conversation)` in a thread for each connection; then closes that."""

    def __init__(self, script):
        self._script = script
        self.heads = []  # of all requests, as they came
        super().__init__()

    def _converse(self, connection):
        with connection:
            try:
                self._script(Conversation(connection, self.heads))
            except OSError:
                pass  # Candor left: its right
            except Exception as problem:  # the script's own mistake
                self.problems.append(repr(problem))
                raise

    def report(self):
        return "\n".join([*self.problems, *(head.splitlines()[0] for head in self.heads)])
