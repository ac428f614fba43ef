"""An upstream that keeps every byte that came, and answers what it could read strictly as a request."""

import hashlib
import socket
import threading
from dataclasses import dataclass

from support.listening import Listening
from support.strict import Limits, read_request
from support.waiting import PATIENCE

WIDE = Limits(head=64 * 1024, target=16 * 1024, fields=200)  # than any caller's: Candor adds fields


def told_of(method, target, content):
    """What an answer's X-Got says of its request."""
    return hashlib.sha256(b"%s %s %s" % (method, target, content)).hexdigest()[:16]


def _answer(connection, message, status):
    told = told_of(message.method, message.target, message.content).encode()
    body = b"" if message.method == b"HEAD" else b"of the upstream"
    connection.sendall(b"HTTP/1.1 %s\r\nContent-Length: 15\r\nX-Got: %s\r\nX-Target: %s\r\n\r\n%s" % (
        status, told, message.target, body))


@dataclass
class Arrival:
    """One connection's bytes: `requests` are the whole ones, `rest` what came after them."""

    requests: list
    rest: bytes = b""
    faults: frozenset = frozenset()  # of the rest
    answered: bool = False  # the rest, before it was whole


class RecordingUpstream(Listening):
    """Listens, and serves each connection in a thread."""

    def __init__(self):
        self.early = None  # a status to answer with as soon as a head has come, if its body has not
        self.requests = []  # the whole ones, of all connections, in the order of their arrival
        self.arrivals = []  # connections that have ended
        self._open = 0
        self._lock = threading.Lock()
        super().__init__()

    def _accepted(self, connection):
        with self._lock:
            self._open += 1

    def _converse(self, connection):
        arrival = Arrival([])
        with connection:
            try:
                connection.settimeout(PATIENCE)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while data := connection.recv(65536):
                    arrival.rest += data
                    self._serve(connection, arrival)
            except OSError:
                pass  # Candor left: its right
            except Exception as problem:  # the mistake is here
                self.problems.append(repr(problem))
                raise
            finally:
                with self._lock:
                    self.arrivals.append(arrival)
                    self._open -= 1

    def _serve(self, connection, arrival):
        while arrival.rest:
            message, found = read_request(arrival.rest, WIDE)
            if message is None:
                arrival.faults = frozenset(found)
                return
            if not message.whole:
                arrival.faults = frozenset(message.faults)
                if self.early and not arrival.answered:
                    arrival.answered = True
                    _answer(connection, message, self.early)
                return
            arrival.rest = arrival.rest[found:]
            arrival.requests.append(message)
            with self._lock:
                self.requests.append(message)
            if not arrival.answered:
                _answer(connection, message, b"200 OK")
            arrival.answered = False

    def all_ended(self):
        """Whether no connection is open."""
        with self._lock:
            return self._open == 0

    def report(self):
        return "\n".join(f"{each.method!r} {each.target!r}" for each in self.requests[-5:])
