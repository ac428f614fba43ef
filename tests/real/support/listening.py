"""A server of a test's own, on a port of loopback that was free: what all kinds of them have in common."""

import contextlib
import socket
import threading

from support.ports import HOST, HeldPort


class Listening:
    """Accepts connections, and gives each to `_converse(connection)` in a thread of its own."""

    def __init__(self):
        self.problems = []  # of the server itself, not of what it is asked
        self.connections = 0
        self._held = HeldPort()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((HOST, self._held.number))
        self._listener.listen(512)
        self.port = self._held.number
        self.address = f"{HOST}:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._accepted(connection)
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _accepted(self, connection):
        """Before its thread begins."""

    def _converse(self, connection):
        raise NotImplementedError

    def died(self):
        """Of what went wrong in it; else nothing."""
        return "; ".join(self.problems)

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._held.release()
