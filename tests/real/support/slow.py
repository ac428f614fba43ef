"""Peers that are slow on purpose, in great numbers, and an upstream that is patient with them."""

import asyncio
import contextlib
import hashlib
import resource
import socket
import struct
import threading

from support.ports import HOST, HeldPort
from support.waiting import PATIENCE

_ENDLESS = 1 << 40
_PIECE = b"x" * 65_536
_NARROW = 128 * 1024  # so that what a slow reader leaves unread fills Candor's memory, not the kernel's

HALF_HEAD = b"GET /never HTTP/1.1\r\nHost: web\r\nX-Half: "
HALF_BODY = b"POST /never HTTP/1.1\r\nHost: web\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000
NEVER_READ = b"GET /endless HTTP/1.1\r\nHost: web\r\n\r\n"


def body_of(target):
    """The answer to what is asked for by this target."""
    return hashlib.sha256(target.encode()).hexdigest() * 8


def allow_descriptors(wanted):
    """Raises the limit as far as it goes; gives how many there may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


class SlowCrowd:
    """Connections that have sent something, and then do nothing more."""

    def __init__(self, port):
        self._port = port
        self._connections = []

    def __len__(self):
        return len(self._connections)

    def join(self, count, sends):
        for _ in range(count):
            connection = socket.socket()
            self._connections.append(connection)
            connection.settimeout(PATIENCE)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _NARROW)
            connection.connect((HOST, self._port))
            connection.sendall(sends)

    def leave(self, resets=False):
        """All of them."""
        for connection in self._connections:
            if resets:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        self._connections.clear()


class _Serving(asyncio.Protocol):
    """One connection of the upstream."""

    def __init__(self):
        self._transport = None
        self._came = b""
        self._lacks = 0  # bytes of the body that is coming
        self._target = ""
        self._may_write = True

    def connection_made(self, transport):
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _NARROW)
        transport.set_write_buffer_limits(high=_NARROW)

    def data_received(self, data):
        self._came += data
        while self._came:
            if not self._target and not self._read_head():
                return
            taken = min(self._lacks, len(self._came))
            self._came = self._came[taken:]
            self._lacks -= taken
            if self._lacks:
                return
            self._answer()

    def _read_head(self):
        head, end, rest = self._came.partition(b"\r\n\r\n")
        if not end:
            return False
        self._came = rest
        start, *lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines)
        self._target = start.split(" ")[1]
        self._lacks = int(fields.get("content-length", 0))
        if not self._lacks:
            self._answer()
        return True

    def _answer(self):
        target, self._target = self._target, ""
        if not target:
            return
        if target == "/endless":
            self._transport.write(f"HTTP/1.1 200 OK\r\nContent-Length: {_ENDLESS}\r\n\r\n".encode())
            self._write_on()
            return
        body = body_of(target)
        self._transport.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

    def pause_writing(self):
        self._may_write = False

    def resume_writing(self):
        """Only what has no end makes it pause."""
        self._may_write = True
        asyncio.get_running_loop().call_soon(self._write_on)

    def _write_on(self):
        while self._may_write and not self._transport.is_closing():
            self._transport.write(_PIECE)


class PatientUpstream:
    """Answers what it has got whole, waits for the rest, and sends as long as somebody takes it."""

    def __init__(self):
        self._held = HeldPort()
        self.address = f"{HOST}:{self._held.number}"
        self._loop = asyncio.new_event_loop()
        listening = self._loop.create_server(_Serving, HOST, self._held.number, backlog=1024, reuse_address=True)
        self._server = self._loop.run_until_complete(listening)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def died(self):
        """Never; it has nothing to say."""
        return ""

    def report(self):
        return ""

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._server.close()
        with contextlib.suppress(OSError):
            self._loop.close()
        self._held.release()
