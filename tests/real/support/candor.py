"""The program under test: `candor run -c FILE` on free ports, and all that it says about itself."""

import contextlib
import json
import os
import signal
import sys
from pathlib import Path

import requests

from support.exposition import Metrics
from support.ports import HOST, free_ports
from support.processes import Process, ended
from support.waiting import PATIENCE, NeverCame, until

_STARTS = 5  # tries, should another process take one of the ports first


def binary():
    """The program: the first argument of the test, which support.case takes off, or $CANDOR."""
    path = os.environ.get("CANDOR")
    if not path or not os.access(path, os.X_OK):
        sys.exit(f"which program? Give its path as the first argument, or in CANDOR; got {path!r}")
    return Path(path).resolve()


def command(arguments, folder, name="command", **options):
    """Runs `candor ARGUMENTS...`, which must end by itself."""
    return ended([binary(), *arguments], folder, name, **options)


class Candor:
    """One running proxy. `upstreams` is the section of the configuration, without `listen`: each gets a port."""

    def __init__(self, folder, upstreams, name="candor", descriptors=None, **sections):
        self.name = name
        self.folder = folder
        self.access_log_path = folder / f"{name}-access.log"
        self._upstreams = upstreams
        self._sections = sections
        self._descriptors = descriptors
        self._admin = requests.Session()
        self._admin.trust_env = False  # no proxy of the surroundings
        self.process = None
        self.ports = {}
        self._terminated = False
        self._logged = []  # what has been read of the access log, and how many bytes that is
        self._logged_bytes = 0

    def configuration(self):
        """With fresh ports. The shared port, if `listeners` asks for one, has the name "shared"."""
        names = (*self._upstreams, "admin", "shared")
        self.ports = dict(zip(names, free_ports(len(names))))
        whole = {
            "workers": 2,
            "access_log": {"mode": "all", "path": str(self.access_log_path)},
            **self._sections,
            "admin": {"listen": self._address("admin"), **self._sections.get("admin", {})},
            "upstreams": {name: {"listen": self._address(name), **what} for name, what in self._upstreams.items()},
        }
        if "listeners" in whole:
            whole["listeners"] = [{"listen": self._address("shared"), **each} for each in whole["listeners"]]
        return whole

    def _address(self, name):
        return f"{HOST}:{self.ports[name]}"

    def start(self):
        """Returns once it says that it is ready."""
        config = self.folder / f"{self.name}.json"
        for _ in range(_STARTS):
            config.write_text(json.dumps(self.configuration(), indent=2))
            self.process = Process([binary(), "run", "-c", config], self.folder, self.name, self._descriptors)
            until(lambda: self.process.status() is not None or self.is_ready(),
                  lambda: f"{self.name} was ready; it said: {self.process.stderr}")
            if self.process.status() is None:
                return self
            if "in use" not in self.process.stderr:
                break
        raise AssertionError(f"{self.name} did not start, status {self.process.status()}: {self.process.stderr}")

    # What callers use.

    def url(self, upstream, path):
        return f"http://{self._address(upstream)}{path}"

    # What operators use.

    @property
    def admin_address(self):
        return self._address("admin")

    def ask(self, path, **options):
        """An answer of the admin port; nothing if nobody is there."""
        try:
            return self._admin.get(f"http://{self.admin_address}{path}", timeout=PATIENCE, **options)
        except requests.ConnectionError:
            return None

    def is_ready(self):
        answer = self.ask("/readyz")
        return answer is not None and answer.status_code == 200

    def is_draining(self):
        answer = self.ask("/readyz")
        return answer is not None and answer.status_code == 503

    def metrics(self):
        return Metrics(self.ask("/metrics").text)

    def account(self, upstream):
        """/api/v1/upstreams/NAME."""
        return self.ask(f"/api/v1/upstreams/{upstream}").json()

    def ledger(self, upstream):
        return self.account(upstream)["ledger"]

    def state(self, upstream):
        """Of the circuit."""
        return self.account(upstream)["circuit"]["state"]

    def evidence(self, upstream):
        return self.ask(f"/api/v1/upstreams/{upstream}/evidence").json()

    def access_log(self):
        """Its lines, each a request that has ended. It is written asynchronously: wait for what must be there."""
        if self.access_log_path.exists():
            with open(self.access_log_path, "rb") as log:
                log.seek(self._logged_bytes)
                for line in log:
                    if not line.endswith(b"\n"):
                        break
                    self._logged.append(json.loads(line))
                    self._logged_bytes += len(line)
        return list(self._logged)

    # Its end.

    def terminate(self):
        self._terminated = True
        self.process.signal(signal.SIGTERM)

    def stop(self):
        """Asks it to end, and gives its exit status."""
        if self.process.status() is None:
            self.terminate()
        return self.process.wait()

    def close(self):
        """Ends it, whatever is in flight: the first signal begins a drain, a second one cuts that short."""
        self._admin.close()
        if not self.process or self.process.status() is not None:
            return
        try:
            # One that is already ending may have given up its handler of the signal.
            if not self._terminated:
                self.terminate()
            with contextlib.suppress(NeverCame):
                self.process.wait(within=2)
            if self.process.status() is None:
                self.terminate()
            self.process.wait()
        finally:
            self.process.kill()

    def died(self):
        """How it died, if it did not end well; that includes what the leak sanitizer finds at the very end."""
        if not self.process or self.process.status() == 0 and not self.process.died():
            return ""
        return f"{self.name}: {self.process.died() or f'status {self.process.status()}'}"

    def report(self):
        """For the reader of a failed test."""
        return self.process.stderr if self.process else ""
