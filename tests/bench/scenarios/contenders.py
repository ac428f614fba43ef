"""The proxies that are compared: how each is found, configured and started."""

from __future__ import annotations

import contextlib
import grp
import http.client
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template

from processes import Process, StartFailed, free_port, running, wait_for_port
from waiting import until

HERE = Path(__file__).resolve().parent
START_SECONDS = 10.0
# Where Debian puts daemons, which isn't on every user's PATH.
MORE_PATH = os.pathsep + os.pathsep.join(("/usr/local/sbin", "/usr/sbin", "/sbin"))


@dataclass(frozen=True)
class Surroundings:
    """What a configuration must know of its scenario."""

    endpoint_ports: Sequence[int]
    attempt_timeout_ms: int
    slow_ms: int | None  # where slowness is the matter: what counts as slow
    folder: Path


@dataclass(frozen=True)
class Contender:
    """One column of the tables. `arguments` may name {config}, {folder}, {port}, {timeout} and {endpoints}; templates
    have ${fields}, and `endpoint` is what they say for each endpoint."""

    name: str
    title: str
    binary: str
    template: str | None
    arguments: tuple[str, ...]
    version_arguments: tuple[str, ...]
    endpoint: str = ""
    between: str = "\n"
    single_listed: int = 1  # how often a single endpoint is listed
    marks_slow: bool = False  # marks slow attempts; one that can't is told to cut them off
    more: str = ""  # what its template says in the place of ${more}: two columns may share one

    def find(self) -> str | None:
        """The binary's path, when there is one to run."""
        return shutil.which(self.binary, path=os.environ.get("PATH", os.defpath) + MORE_PATH)

    def version(self) -> str:
        if not self.version_arguments:
            return "tests/bench/scenarios/foil"
        command = [self.find() or self.binary, *self.version_arguments]
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            ended = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
            lines = (ended.stdout + ended.stderr).strip().splitlines()
            # Envoy's line begins with the path it was started by.
            return lines[0].replace(command[0], self.name).strip() if lines else "version unknown"
        return "version unknown"

    @contextlib.contextmanager
    def started(self, around: Surroundings, core: int) -> Iterator[tuple[Process, int]]:
        """The proxy before the endpoints, once it has answered a request well, and its port."""
        port = free_port()
        if around.slow_ms and not self.marks_slow:
            around = replace(around, attempt_timeout_ms=around.slow_ms)
        config = self._write_config(around, port)
        endpoints = [str(each) for each in around.endpoint_ports]
        command = [self.find() or self.binary]
        for argument in self.arguments:
            command += endpoints if argument == "{endpoints}" else [argument.format(
                config=config, folder=around.folder, port=port, timeout=around.attempt_timeout_ms)]
        with running(command, core=core, log=around.folder / "proxy.log") as process:
            wait_for_port(process, port, START_SECONDS)
            _wait_for_answer(process, port)
            yield process, port

    def _write_config(self, around: Surroundings, port: int) -> Path | None:
        if self.template is None:
            return None
        ports = list(around.endpoint_ports)
        if len(ports) == 1:
            ports *= self.single_listed
        text = Template((HERE / self.template).read_text()).substitute(
            listen_port=port, admin_port=free_port(), folder=around.folder,
            endpoints=self.between.join(self.endpoint.format(number=number, port=each)
                                        for number, each in enumerate(ports, 1)),
            attempt_timeout=around.attempt_timeout_ms, attempt_timeout_s=around.attempt_timeout_ms / 1000,
            connect_timeout=min(1000, around.attempt_timeout_ms),
            more=self.more, slow_after=f"slow_after: {around.slow_ms}ms" if around.slow_ms else "",
            user=pwd.getpwuid(os.geteuid()).pw_name, group=grp.getgrgid(os.getegid()).gr_name)
        config = around.folder / self.template
        config.write_text(text)
        return config


def _wait_for_answer(process: Process, port: int) -> None:
    def problem() -> str | None:
        process.check_alive()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/small")
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as failed:
            return repr(failed)
        finally:
            connection.close()
        return None if status == 200 else f"its first answer is {status}: {process.log_tail()}"

    until(problem, START_SECONDS, StartFailed)


# As often as HAProxy and Envoy look, and as quickly believed.
CHECKS = "check: {path: /health, every: 1s, every_ill: 250ms, healthy: 1, unhealthy: 1}"


def contenders(binaries: Path) -> tuple[Contender, ...]:
    """All there are, in the order of the columns; what is built here is in `binaries`."""
    candor = Contender(name="candor", title="Candor", binary=str(binaries / "candor"), template="candor.yaml",
                       arguments=("run", "-c", "{config}"), version_arguments=("version",),
                       endpoint="127.0.0.1:{port}", between=", ", marks_slow=True)
    return (
        candor,
        replace(candor, name="candor-checks", title="Candor, checks", more=CHECKS),
        Contender(name="foil", title="fused (foil)", binary=str(binaries / "candor_scenario_foil"), template=None,
                  arguments=("{port}", "{timeout}", "{endpoints}"), version_arguments=()),
        Contender(name="haproxy", title="HAProxy", binary="haproxy", template="haproxy.cfg",
                  arguments=("-db", "-f", "{config}"), version_arguments=("-v",),
                  endpoint="    server s{number} 127.0.0.1:{port}"),
        Contender(name="nginx", title="nginx", binary="nginx", template="nginx.conf",
                  arguments=("-p", "{folder}", "-e", "stderr", "-c", "{config}"), version_arguments=("-v",),
                  endpoint="        server 127.0.0.1:{port} max_fails=200 fail_timeout=1s;", single_listed=3),
        Contender(name="envoy", title="Envoy", binary="envoy", template="envoy.yaml",
                  arguments=("--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "-c", "{config}"),
                  version_arguments=("--version",),
                  endpoint="              - endpoint: {{address: {{socket_address: "
                           "{{address: 127.0.0.1, port_value: {port}}}}}}}"),
    )
