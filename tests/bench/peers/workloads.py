"""What is measured. A workload measures one running proxy and gives a sample, or says why the run is void.

To add one, write a class with the members of `Workload` and put it into WORKLOADS. It decides what its number
is (`unit`) and how it comes about, so that resident memory or latency fit as well as CPU time. A workload that
needs the upstream to misbehave gives it flags (`upstream_flags`).
"""

from __future__ import annotations

import http.client
import json
import subprocess
from dataclasses import dataclass
from typing import Protocol

from processes import Process, StartFailed
from proxies import HERE, RunningProxy
from waiting import until

CONNECTIONS = 64
CHECK_SECONDS = 10.0
KIB = 1024


class VoidRun(Exception):
    """A run that doesn't count, and why."""


@dataclass(frozen=True)
class Sample:
    value: float  # in the workload's unit
    requests_per_second: float
    core_share: float  # of the core it is pinned to, that the proxy used
    others_share: float = 0.0  # of both cores, that neither the proxy nor the load used


@dataclass(frozen=True)
class Upstream:
    process: Process
    port: int

    def counts(self) -> tuple[int, int]:
        """Requests it answered so far, and those among them that it failed on purpose."""
        counts = json.loads(_exchange(self.port, "GET", "/count", 0)[1])
        return counts["requests"], counts["failures"]


def wait_for_upstream(process: Process) -> int:
    """The port that the upstream says it listens on."""

    def silence() -> str | None:
        process.check_alive()
        return None if process.log_text().endswith("\n") else "the upstream does not say its port"

    until(silence, CHECK_SECONDS, StartFailed)
    return int(process.log_text().split()[1])


@dataclass(frozen=True)
class Bench:
    """What a measurement may use: a proxy in front of an upstream. The caller's own core is the load's."""

    proxy: RunningProxy
    upstream: Upstream
    seconds: int
    warm_up: int

    def cpu_seconds(self) -> float:
        return self.proxy.process.cpu_seconds() + self.upstream.process.cpu_seconds()


class Workload(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def upstream_flags(self) -> tuple[str, ...]: ...

    def check(self, proxy: RunningProxy) -> None:
        """One request that has to be answered as expected, or StartFailed."""

    def measure(self, bench: Bench) -> Sample:
        """Raises VoidRun when anything went wrong."""


@dataclass(frozen=True)
class LoadResult:
    """The line that load.lua prints."""

    requests: int
    bytes: int
    microseconds: int
    status: int
    connect: int
    read: int
    write: int
    timeout: int

    def errors(self) -> str:
        kinds = {"answers that are not 2xx": self.status, "connect errors": self.connect, "read errors": self.read,
                 "write errors": self.write, "timeouts": self.timeout}
        return ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)


def _exchange(port: int, method: str, path: str, body_bytes: int) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, body=b"p" * body_bytes if body_bytes else None)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@dataclass(frozen=True)
class SaturatingLoad:
    """As many requests as 64 keep-alive callers get through: CPU of the proxy per request."""

    name: str
    method: str
    path: str
    body_bytes: int
    answer_bytes: int
    fail_ratio: float = 0.0  # share of first attempts that the upstream answers with 503
    unit: str = "CPU µs/request"

    @property
    def upstream_flags(self) -> tuple[str, ...]:
        return ("--fail-ratio", str(self.fail_ratio)) if self.fail_ratio else ()

    def check(self, proxy: RunningProxy) -> None:
        def problem() -> str | None:
            proxy.process.check_alive()
            return self._problem_of_one(proxy)

        until(problem, CHECK_SECONDS, lambda last: StartFailed(f"{self.method} {self.path}: {last}"))

    def measure(self, bench: Bench) -> Sample:
        if bench.warm_up:
            self._load(bench, bench.warm_up)
        requests_before, failures_before = bench.upstream.counts()
        cpu_before = bench.proxy.process.cpu_seconds()
        result = self._load(bench, bench.seconds)
        cpu = bench.proxy.process.cpu_seconds() - cpu_before
        requests_after, failures_after = bench.upstream.counts()
        served = requests_after - requests_before - (failures_after - failures_before)
        self._verify(result, served)
        wall = result.microseconds / 1e6
        return Sample(value=cpu * 1e6 / result.requests, requests_per_second=result.requests / wall,
                      core_share=cpu / wall)

    def _problem_of_one(self, proxy: RunningProxy) -> str | None:
        try:
            status, answer = _exchange(proxy.port, self.method, self.path, self.body_bytes)
        except (OSError, http.client.HTTPException) as problem:
            return repr(problem)
        if status != 200:
            return f"status {status}"
        return None if len(answer) == self.answer_bytes else f"{len(answer)} bytes, not {self.answer_bytes}"

    def _load(self, bench: Bench, seconds: int) -> LoadResult:
        command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s",
                   "--script", str(HERE / "load.lua"),
                   f"http://127.0.0.1:{bench.proxy.port}{self.path}", self.method, str(self.body_bytes)]
        if self.fail_ratio:
            command.append("numbered")
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=False)
        except subprocess.TimeoutExpired as hung:
            raise VoidRun("wrk did not end") from hung
        lines = [line for line in ended.stdout.splitlines() if line.startswith("{")]
        if ended.returncode != 0 or not lines:
            raise VoidRun(f"wrk ended with status {ended.returncode}: {ended.stderr.strip()}")
        return LoadResult(**json.loads(lines[-1]))

    def _verify(self, result: LoadResult, served: int) -> None:
        """Every answer counted must be a whole one, and each must have been asked of the upstream once."""
        if errors := result.errors():
            raise VoidRun(errors)
        if result.requests == 0 or result.bytes < result.requests * self.answer_bytes:
            raise VoidRun(f"{result.bytes} bytes for {result.requests} answers")
        # What was in flight when wrk stopped counting, at either end, is the upstream's alone.
        if not result.requests <= served <= result.requests + 2 * CONNECTIONS:
            raise VoidRun(f"{result.requests} answers, but the upstream served {served}")


WORKLOADS: tuple[Workload, ...] = (
    SaturatingLoad("small", "GET", "/small", body_bytes=0, answer_bytes=1 * KIB),
    SaturatingLoad("big", "GET", "/big", body_bytes=0, answer_bytes=100 * KIB),
    SaturatingLoad("post", "POST", "/post", body_bytes=64 * KIB, answer_bytes=16),
    SaturatingLoad("retry", "GET", "/small", body_bytes=0, answer_bytes=1 * KIB, fail_ratio=0.1),
)
DEFAULT_WORKLOADS = "small,big,post"
