"""A real nginx as the upstream: its configuration, its life, and what its own access log says it was asked."""

import contextlib
import grp
import json
import os
import pwd
import shutil
import signal
import socket
from dataclasses import dataclass
from string import Template

from support import documents
from support.ports import HOST, HeldPort
from support.processes import Process
from support.waiting import NeverCame, until

# Debian puts daemons where not every user's PATH leads.
_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))

# Everything under /of/ID/ is the same without /of/ID: so that a request can be told by its path alone.
# /echo answers with the body of the request: the outer server writes that to a file, the inner one serves it.
_CONFIG = Template("""\
daemon off;
user $user $group;
worker_processes 1;
pid $folder/nginx.pid;
error_log $folder/nginx-error.log error;
events { worker_connections 1024; }
http {
  log_format attempts escape=json '{"uri":"$$request_uri","id":"$$http_x_id","attempt":"$$http_candor_attempt",'
    '"reason":"$$http_candor_retry_reason","status":$$status,"connection":$$connection,"sent":$$body_bytes_sent,'
    '"request_id":"$$request_id","host":"$$http_host","method":"$$request_method"}';
  access_log $folder/nginx-access.log attempts;
  client_body_temp_path $folder/body;
  proxy_temp_path $folder/proxy;
  fastcgi_temp_path $folder/fastcgi;
  uwsgi_temp_path $folder/uwsgi;
  scgi_temp_path $folder/scgi;
  default_type application/octet-stream;
  client_max_body_size 0;
  keepalive_requests $requests;
  keepalive_timeout $idle;
  server {
    listen $host:$port;
    add_header X-Id $$http_x_id always;
    add_header X-Attempt $$http_candor_attempt always;
    location /of/ { rewrite ^/of/[^/]+(/.*)$$ $$1 last; }
    location /files/ { alias $folder/files/; }
    location /slow/ { alias $folder/files/; limit_rate $$arg_rate; }
    location /chunked/ { alias $folder/files/; ssi on; ssi_types *; }
    location = /status/204 { return 204; }
    location = /status/500 { return 500 "broken"; }
    location = /status/503 { return 503 "not now"; }
    location /put/ { alias $folder/put/; dav_methods PUT; create_full_put_path on; }
    location = /echo {
      client_body_in_file_only clean;
      proxy_method GET;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Body-File $$request_body_file;
      proxy_pass http://unix:$folder/inner.sock:/;
    }
  }
  server {
    listen unix:$folder/inner.sock;
    access_log off;
    root /;
    location / { try_files $$http_x_body_file =404; }
  }
}
""")


@dataclass(frozen=True)
class Line:
    """One line of the access log: one request that reached nginx, which is one attempt."""

    uri: str
    id: str
    attempt: str
    reason: str
    status: int
    connection: int
    sent: int
    request_id: str
    host: str
    method: str


class Nginx:
    """One nginx, master and worker, on a port that stays the same over its lives."""

    def __init__(self, folder, requests=100_000, idle="75s"):
        """How many requests a connection may have, and how long it may idle, before nginx closes it."""
        self.binary = shutil.which("nginx", path=_PATH)
        if not self.binary:
            raise RuntimeError("there is no nginx here: docker/install-packages test installs nginx-light")
        self._held = HeldPort()
        self.port = self._held.number
        self.address = f"{HOST}:{self.port}"
        self.folder = folder / "nginx"
        self.put_folder = self.folder / "put"
        for each in ("files", "put"):
            (self.folder / each).mkdir(parents=True)
        documents.write_all(self.folder / "files")
        self._config = self.folder / "nginx.conf"
        self._config.write_text(_CONFIG.substitute(
            folder=self.folder, host=HOST, port=self.port, user=pwd.getpwuid(os.geteuid()).pw_name,
            group=grp.getgrgid(os.getegid()).gr_name, requests=requests, idle=idle))
        self._process = None

    def start(self):
        """Returns once it accepts connections."""
        command = [self.binary, "-p", self.folder, "-e", self.folder / "nginx-error.log", "-c", self._config]
        (self.folder / "inner.sock").unlink(missing_ok=True)  # a killed nginx leaves it behind
        self._process = Process(command, self.folder, "nginx")
        until(self._accepts, f"nginx accepted connections on {self.address}")
        return self

    def _accepts(self):
        if self._process.status() is not None:
            raise RuntimeError(f"nginx did not start: {self._process.stderr}{self._error_log()}")
        try:
            socket.create_connection((HOST, self.port), timeout=5).close()
        except ConnectionRefusedError:
            return False
        return True

    def _error_log(self):
        log = self.folder / "nginx-error.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def stop(self):
        """Its fast end: connections are closed where they stand. Nothing listens when this returns."""
        self._process.signal(signal.SIGTERM)
        self._process.wait()

    def quit(self):
        """Begins its graceful end: no new connections, what is in flight is finished."""
        self._process.signal(signal.SIGQUIT)

    def wait(self):
        self._process.wait()

    def kill(self):
        """Its end in the middle of anything. Nothing listens when this returns."""
        self._process.kill()
        until(self._is_gone, "nothing listened any more where nginx had been killed")

    def _is_gone(self):
        try:
            socket.create_connection((HOST, self.port), timeout=5).close()
        except OSError:
            return True
        return False

    def freeze(self):
        """Master and worker stand still; the kernel goes on to take connections and bytes for them."""
        self._process.signal_group(signal.SIGSTOP)
        until(self._process.group_is_stopped, "all processes of nginx stood still")

    def wake(self):
        self._process.signal_group(signal.SIGCONT)

    def lines(self):
        """What its access log holds by now. nginx writes a line right after the answer's last byte."""
        log = self.folder / "nginx-access.log"
        if not log.exists():
            return []
        text = log.read_text()
        whole = text[: text.rfind("\n") + 1]
        return [Line(**json.loads(line)) for line in whole.splitlines()]

    def died(self):
        """Nothing: how it ends is the test's affair."""
        return ""

    def close(self):
        """Ends it, in whatever state it is; a master that gets the chance sees its worker off."""
        if self._process:
            self._process.signal_group(signal.SIGCONT)
            self._process.signal(signal.SIGTERM)
            with contextlib.suppress(NeverCame):
                self._process.wait(within=5)
            self._process.kill()
        self._held.release()

    def report(self):
        """For the reader of a failed test."""
        return self._error_log()
