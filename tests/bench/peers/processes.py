"""Starting, pinning, watching and stopping processes. What is started here is stopped here, by its pid."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from waiting import until

STOP_SECONDS = 5.0
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


class StartFailed(Exception):
    """A process that did not start, or did not answer in time; says what its log ends with."""


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _before_exec(core: int) -> None:
    """Runs in the child: its core, and its end when this script is killed without a chance to clean up."""
    os.sched_setaffinity(0, {core})
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _parents() -> dict[int, int]:
    """Parent by pid, of all processes that can be seen."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                after_name = (entry / "stat").read_text().rpartition(")")[2]
                parents[int(entry.name)] = int(after_name.split()[1])
    return parents


def _with_descendants(pid: int) -> list[int]:
    """`pid` and what it started, parents first."""
    parents = _parents()
    found = [pid]
    for known in found:
        found.extend(child for child, parent in parents.items() if parent == known)
    return found


class Process:
    """One started command, with all its processes and threads."""

    def __init__(self, command: Sequence[str], core: int, log: Path) -> None:
        self._log = log
        with log.open("wb") as log_file:
            # A session of its own: Ctrl-C is ours to handle, in order.
            self._popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log_file, stderr=subprocess.STDOUT,
                start_new_session=True, preexec_fn=partial(_before_exec, core))

    def cpu_seconds(self) -> float:
        """User and system time so far, of every thread that is alive."""
        nanoseconds = 0
        for pid in _with_descendants(self._popen.pid):
            for schedstat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                nanoseconds += int(schedstat.read_text().split()[0])
        return nanoseconds / 1e9

    def waited_seconds(self) -> float:
        """How long its thread that waited longest was ready to run so far, but had no processor."""
        waits = [0]
        for pid in _with_descendants(self._popen.pid):
            for schedstat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                with contextlib.suppress(OSError):  # a thread that has just ended
                    waits.append(int(schedstat.read_text().split()[1]))
        return max(waits) / 1e9

    def check_alive(self) -> None:
        if (status := self._popen.poll()) is not None:
            raise StartFailed(f"ended with status {status}: {self.log_tail()}")

    def log_text(self) -> str:
        return self._log.read_text(errors="replace")

    def log_tail(self) -> str:
        lines = [line for line in self.log_text().splitlines() if line.strip()]
        return " / ".join(lines[-3:]) or "its log is empty"

    def stop(self) -> None:
        """Asks, waits, and kills what is still there."""
        pids = _with_descendants(self._popen.pid) if self._popen.poll() is None else []
        self._popen.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(STOP_SECONDS)
        for pid in pids:
            # Its session says that it still is the process we started, and not a later one with its pid.
            with contextlib.suppress(ProcessLookupError):
                if os.getsid(pid) == self._popen.pid:
                    os.kill(pid, signal.SIGKILL)
        self._popen.wait()


@contextlib.contextmanager
def running(command: Sequence[str], *, core: int, log: Path) -> Iterator[Process]:
    try:
        process = Process(command, core, log)
    except OSError as problem:
        raise StartFailed(f"{command[0]}: {problem.strerror}") from problem
    try:
        yield process
    finally:
        process.stop()


def wait_for_port(process: Process, port: int, seconds: float) -> None:
    """Returns once `port` accepts connections."""

    def refusal() -> str | None:
        process.check_alive()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError as problem:
            return f"does not accept on port {port} after {seconds:.0f}s ({problem}): {process.log_tail()}"
        return None

    until(refusal, seconds, StartFailed)
