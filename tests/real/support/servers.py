"""Servers of Python's: http.server, in this process and in one of its own, and httpbin."""

import gzip
import hashlib
import json
import socket
import socketserver
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.ports import HOST, HeldPort
from support.processes import Process
from support.waiting import PATIENCE, until

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


@dataclass(frozen=True)
class Asked:
    """A request that reached the echo server."""

    method: str
    target: str
    fields: tuple  # of names and values
    body: bytes

    def get(self, name):
        values = [value for key, value in self.fields if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    def told(self):
        return {"method": self.method, "target": self.target, "fields": self.fields, "length": len(self.body),
                "digest": hashlib.sha256(self.body).hexdigest()}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    disable_nagle_algorithm = True

    def answer(self):
        asked = Asked(self.command, self.path, tuple(self.headers.items()), b"" if self.path == "/mirror"
                      else b"".join(self._pieces()))
        self.server.asked.append(asked)
        path = self.path.partition("?")[0]
        as_it_came = {"Content-Type": asked.get("Content-Type") or "application/octet-stream"}
        if path == "/echo":
            self._whole(asked.body, as_it_came)
        elif path == "/compressed":
            self._whole(gzip.compress(asked.body), {**as_it_came, "Content-Encoding": "gzip"})
        elif path == "/chunked":
            self._chunked(asked.body[at:at + 10_000] for at in range(0, len(asked.body), 10_000))
        elif path == "/until-close":
            self._until_close(asked.body)
        elif path == "/steps":
            self._chunked(self._steps())
        elif path == "/step":
            self.server.steps.release()
            self._whole(b"", {})
        elif path == "/mirror":
            self._chunked(self._pieces())
        elif path == "/redirect":
            self.send_response(307)
            self.send_header("Location", "/echo")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._whole(json.dumps(asked.told()).encode(), {"Content-Type": "application/json"})

    def _pieces(self):
        """Of the request's body, each as soon as it is there."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():  # trailers
                pass
            return
        left = int(self.headers.get("Content-Length", 0))
        while left and (data := self.rfile.read1(left)):
            left -= len(data)
            yield data

    def _steps(self):
        """Three pieces, each when the caller has told that it has the one before."""
        for step in range(3):
            assert self.server.steps.acquire(timeout=PATIENCE), "nobody asked for the next step"
            yield b"step %d\n" % step

    def _whole(self, body, fields):
        self.send_response(200)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _chunked(self, pieces):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def _until_close(self, body):
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


for _method in METHODS:
    setattr(_Handler, f"do_{_method}", _Handler.answer)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, problems):
        super().__init__((HOST, 0), _Handler)
        self.asked = []
        self.steps = threading.Semaphore(0)
        self._problems = problems

    def handle_error(self, _request, _address):
        problem = sys.exc_info()[1]
        if not isinstance(problem, OSError):  # such as Candor leaving: its right
            self._problems.append(repr(problem))


class _UnixHandler(_Handler):
    disable_nagle_algorithm = False  # there is none


class _UnixServer(_Server):
    """The same on a Unix domain socket."""

    address_family = socket.AF_UNIX

    def __init__(self, problems, path):  # pylint: disable=super-init-not-called
        socketserver.TCPServer.__init__(self, str(path), _UnixHandler, bind_and_activate=False)
        self.socket.bind(str(path))
        self.server_activate()
        self.asked = []
        self.steps = threading.Semaphore(0)
        self._problems = problems

    def get_request(self):
        connection, _ = super().get_request()
        return connection, ("unix", 0)


class EchoServer:
    """Tells what it was asked, or does what the path says: http.server, in threads of this process."""

    def __init__(self, path=None, context=None):
        """`path`: of a Unix domain socket to listen on; `context`: of TLS, to speak that."""
        self._problems = []
        self._server = _UnixServer(self._problems, path) if path else _Server(self._problems)
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.address = f"unix:{path}" if path else f"{HOST}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def asked(self):
        """All requests, in their order."""
        return self._server.asked

    def step(self):
        """Lets one more piece of /steps go."""
        self._server.steps.release()

    def died(self):
        return "; ".join(self._problems)

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def report(self):
        return "\n".join(f"{each.method} {each.target}" for each in self.asked)


class ServerProcess:
    """A server of Python's in a process of its own, on a port that is free."""

    def __init__(self, folder, name, arguments):
        """`arguments`: of python, with {host} and {port}."""
        self._held = HeldPort()
        self.port = self._held.number
        self.address = f"{HOST}:{self.port}"
        self._process = Process([sys.executable, "-B", *(each.format(host=HOST, port=self.port)
                                                         for each in arguments)], folder, name)
        until(self._accepts, lambda: f"{name} accepted connections; it said: {self._process.stderr}")

    def _accepts(self):
        assert self._process.status() is None, f"it did not start: {self._process.stderr}"
        try:
            socket.create_connection((HOST, self.port), timeout=5).close()
        except ConnectionRefusedError:
            return False
        return True

    def said(self):
        return self._process.stdout + self._process.stderr

    def died(self):
        """Nothing: how it ends is the test's affair."""
        return ""

    def close(self):
        self._process.kill()
        self._held.release()

    def report(self):
        return self.said()


def file_server(folder, directory):
    """`python3 -m http.server`: it answers with HTTP/1.0, and ends the connection after each answer."""
    return ServerProcess(folder, "file-server", ["-m", "http.server", "--bind", "{host}", "--directory",
                                                 str(directory), "{port}"])


def httpbin(folder):
    return ServerProcess(folder, "httpbin", ["-m", "gunicorn", "--bind", "{host}:{port}", "--worker-class", "gthread",
                                             "--threads", "16", "--keep-alive", "60", "--access-logfile", "-",
                                             "httpbin:app"])
