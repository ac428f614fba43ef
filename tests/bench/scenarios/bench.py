"""One run: a fresh upstream, a fresh proxy before it, a script, and callers; then what both sides saw."""

from __future__ import annotations

import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from catalogue import Scenario
from contenders import Contender, Surroundings
from measures import Records, read_attempts, read_requests
from processes import Process, StartFailed, running
from waiting import until

START_SECONDS = 10.0
LEAD_SECONDS = 0.5  # from the order to the script's zero: the load has started by then


class VoidRun(Exception):
    """A run that doesn't count, and why."""


class Upstream:
    """The running upstream, by what it said at its start."""

    def __init__(self, process: Process) -> None:
        def silence() -> str | None:
            process.check_alive()
            return None if "refusals" in process.log_text() else "the upstream does not say its ports"

        until(silence, START_SECONDS, StartFailed)
        said = {name: words for name, *words in (line.split() for line in process.log_text().splitlines())}
        self._control = int(said["control"][0])
        self.ports = [int(port) for port in said["endpoints"]]
        self.counts_refused = said["refusals"] == ["counted"]

    def play(self, script: list[str], start: int) -> None:
        answer = self._order("\n".join([f"script {start}", *script]))
        if answer != "ok\n":
            raise StartFailed(f"the upstream does not take the script: {answer}")

    def attempts(self) -> str:
        return self._order("attempts")

    def _order(self, text: str) -> str:
        with socket.create_connection(("127.0.0.1", self._control), timeout=START_SECONDS) as connection:
            connection.sendall(text.encode())
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


@dataclass(frozen=True)
class Outcome:
    records: Records
    counts_refused: bool
    waited: float  # the share of the time that proxy or upstream were ready to run, but had no processor


@dataclass(frozen=True)
class Bench:
    binaries: Path
    load_core: int
    proxy_core: int
    arrivals: str = "constant"  # or poisson

    def run(self, scenario: Scenario, contender: Contender, folder: Path) -> Outcome:
        folder.mkdir(parents=True)
        command = [str(self.binaries / "candor_scenario_upstream"), str(scenario.endpoints)]
        with running(command, core=self.load_core, log=folder / "upstream.log") as process:
            upstream = Upstream(process)
            around = Surroundings(upstream.ports, scenario.attempt_timeout_ms, scenario.slow_ms, folder)
            with contender.started(around, self.proxy_core) as (proxy, port):
                waited_before = (proxy.waited_seconds(), process.waited_seconds())
                start = time.monotonic_ns() + round(LEAD_SECONDS * 1e9)
                upstream.play(list(scenario.script), start)
                requests = self._load(scenario, port, start)
                took = (time.monotonic_ns() - start) / 1e9
                waited = (proxy.waited_seconds(), process.waited_seconds())
                return Outcome(Records(read_attempts(upstream.attempts()), read_requests(requests)),
                               upstream.counts_refused,
                               max(after - before for after, before in zip(waited, waited_before)) / took)

    def _load(self, scenario: Scenario, port: int, start: int) -> str:
        command = [str(self.binaries / "candor_scenario_load"), str(port), str(start), str(scenario.patience_ms),
                   str(scenario.seed), self.arrivals, *scenario.steps()]
        longest = scenario.seconds + scenario.patience_ms / 1000 + 30
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=longest, check=False)
        except subprocess.TimeoutExpired as hung:
            raise VoidRun("the load did not end") from hung
        if ended.returncode != 0:
            raise VoidRun(f"the load ended with status {ended.returncode}: {ended.stderr.strip()}")
        return ended.stdout
