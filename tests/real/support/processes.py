"""Programs under test as processes: started, watched, signalled and ended here, each by its own pid."""

import contextlib
import os
import re
import signal
import subprocess
from pathlib import Path

from support.waiting import PATIENCE, until

# What the sanitizers print into the output of a program that they find something in.
_SANITIZER = re.compile(r"(?:ERROR|WARNING|SUMMARY): \w*Sanitizer|runtime error:")


def resident(pid):
    """The bytes of memory that a process has."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("a process without memory")


def cpu_seconds(pid):
    """What all threads of a process have used of the processors, in user and in kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Process:
    """A started command, leader of a process group of its own; its output goes to two files."""

    def __init__(self, command, folder, name, descriptors=None):
        """`descriptors`: how many file descriptors it may have open; absent: as many as this test."""
        self.name = name
        self._out = folder / f"{name}.out"
        self._err = folder / f"{name}.err"
        # Both start the command in their own place, so the pid is the command's. The first sees to it that
        # nothing outlives a test that is killed.
        wrapped = ["setpriv", "--pdeathsig", "TERM", "--"]
        if descriptors is not None:
            wrapped += ["prlimit", f"--nofile={descriptors}:{descriptors}", "--"]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._popen = subprocess.Popen([*wrapped, *map(str, command)], stdin=subprocess.DEVNULL, stdout=out,
                                           stderr=err, cwd=folder, start_new_session=True)

    @property
    def pid(self):
        return self._popen.pid

    @property
    def stdout(self):
        return self._out.read_text(errors="replace")

    @property
    def stderr(self):
        return self._err.read_text(errors="replace")

    def status(self):
        """Its exit status, negative for a signal; nothing while it runs."""
        return self._popen.poll()

    def wait(self, within=PATIENCE):
        """Its exit status, once it has ended by itself."""
        until(lambda: self.status() is not None, f"{self.name} ended", within)
        return self.status()

    def signal(self, which):
        self._popen.send_signal(which)

    def signal_group(self, which):
        """To all its processes at once."""
        if self.status() is None:
            os.killpg(self.pid, which)

    def group_is_stopped(self):
        """Whether each process of the group is stopped, as SIGSTOP does it."""
        return all(state == "T" for state in self._group_states())

    def _group_states(self):
        for entry in os.scandir("/proc"):
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError), open(f"/proc/{entry.name}/stat", encoding="utf-8") as stat:
                state, _, group = stat.read().rpartition(")")[2].split()[:3]
                if int(group) == self.pid:
                    yield state

    def kill(self):
        """Ends it and all it started, in whatever state it is; in vain if it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()

    def died(self):
        """How it died, if a sanitizer complained or a signal that it does not handle ended it; else nothing."""
        if _SANITIZER.search(self.stderr):
            return "a sanitizer found something"
        status = self.status()
        if status is not None and status < 0:
            return f"it was ended by {signal.Signals(-status).name}"
        return ""


def ended(command, folder, name, within=PATIENCE, descriptors=None):
    """Runs a command that ends by itself, to its end."""
    process = Process(command, folder, name, descriptors)
    try:
        process.wait(within)
    finally:
        process.kill()
    return process
