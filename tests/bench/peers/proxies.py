"""The proxies that are compared: how each is found, configured and started."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template

from processes import Process, free_port, running, wait_for_port

HERE = Path(__file__).resolve().parent
START_SECONDS = 10.0
# Where Debian puts daemons, which isn't on every user's PATH.
MORE_PATH = os.pathsep + os.pathsep.join(("/usr/local/sbin", "/usr/sbin", "/sbin"))


@dataclass(frozen=True)
class Proxy:
    """One row of the tables. `arguments` may name {config} and {folder}; templates have ${fields}."""

    name: str
    title: str
    binary: str
    template: str
    arguments: tuple[str, ...]
    version_arguments: tuple[str, ...]

    def find(self) -> str | None:
        """The binary's path, when there is one to run."""
        return shutil.which(self.binary, path=os.environ.get("PATH", os.defpath) + MORE_PATH)

    def version(self) -> str:
        command = [self.find() or self.binary, *self.version_arguments]
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            ended = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
            lines = (ended.stdout + ended.stderr).strip().splitlines()
            # Envoy's line begins with the path it was started by.
            return lines[0].replace(command[0], self.name).strip() if lines else "version unknown"
        return "version unknown"


@dataclass(frozen=True)
class RunningProxy:
    process: Process
    port: int


CANDOR = Proxy(
    name="candor", title="Candor", binary="build/release/candor", template="candor.yaml",
    arguments=("run", "-c", "{config}"), version_arguments=("version",))

# The same program with everything configured that costs something when nothing is wrong: what that is, is in the file.
EVERYTHING = replace(CANDOR, name="candor-everything", title="Candor, everything", template="candor-everything.yaml")

TWO = replace(CANDOR, name="candor-two", title="Candor, two endpoints", template="candor-two.yaml")
OURS = (EVERYTHING, TWO)

PEERS = (
    *OURS,
    Proxy(name="haproxy-resilient", title="HAProxy resilient", binary="haproxy", template="haproxy-resilient.cfg",
          arguments=("-db", "-f", "{config}"), version_arguments=("-v",)),
    Proxy(name="haproxy-plain", title="HAProxy plain", binary="haproxy", template="haproxy-plain.cfg",
          arguments=("-db", "-f", "{config}"), version_arguments=("-v",)),
    Proxy(name="nginx", title="nginx tuned", binary="nginx", template="nginx.conf",
          arguments=("-p", "{folder}", "-e", "stderr", "-c", "{config}"), version_arguments=("-v",)),
    Proxy(name="envoy", title="Envoy", binary="envoy", template="envoy.yaml",
          arguments=("--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "-c", "{config}"),
          version_arguments=("--version",)),
)


def candor_at(path: str) -> Proxy:
    return replace(CANDOR, binary=path)


def _write_config(proxy: Proxy, folder: Path, listen_port: int, upstream_port: int) -> Path:
    template = Template((HERE / proxy.template).read_text())
    config = folder / proxy.template
    config.write_text(template.substitute(
        listen_port=listen_port, upstream_port=upstream_port, admin_port=free_port(), folder=folder,
        user=pwd.getpwuid(os.geteuid()).pw_name, group=grp.getgrgid(os.getegid()).gr_name))
    return config


@contextlib.contextmanager
def started(proxy: Proxy, *, upstream_port: int, core: int, folder: Path) -> Iterator[RunningProxy]:
    """The proxy, accepting, in front of the upstream; its files are in `folder`."""
    port = free_port()
    config = _write_config(proxy, folder, port, upstream_port)
    arguments = (argument.format(config=config, folder=folder) for argument in proxy.arguments)
    command = [proxy.find() or proxy.binary, *arguments]
    with running(command, core=core, log=folder / "proxy.log") as process:
        wait_for_port(process, port, START_SECONDS)
        yield RunningProxy(process, port)
