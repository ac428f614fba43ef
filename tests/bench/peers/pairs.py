#!/usr/bin/env python3
"""What a second configuration costs, in CPU time per request against the first: both up at once, by turns.

    tests/bench/peers/pairs.py [--pairs 24] [--workloads small,big,post] [FIRST SECOND]

FIRST and SECOND are names of rows of run.py; `candor` against `candor-everything` if none are given. run.py starts
everything anew for each run, and on a shared machine two runs of one and the same program then differ by a tenth, by
half on a bad day: good enough to tell one proxy from another, not to tell 5%. Here both proxies stay up, each with an
upstream of its own, and get load for a second in turn (A B, B A, ...). What the machine does in two neighbouring
seconds is nearly the same, so that the ratio of each pair says something, and the median of many says it well. The
quartiles beside it show how well; compare a configuration with itself to see what the method adds.

Cores, workloads and what makes a run void are those of run.py.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import run
from processes import running
from proxies import CANDOR, EVERYTHING, PEERS, Proxy, started
from workloads import DEFAULT_WORKLOADS, WORKLOADS, Bench, Upstream, VoidRun, Workload, wait_for_upstream

SECONDS = 1
WARM_UP = 2


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0], epilog="The method is at the top of this file.")
    parser.add_argument("--pairs", type=int, default=24, help="of runs of a second (default: %(default)s)")
    parser.add_argument("--workloads", default=DEFAULT_WORKLOADS,
                        help=f"of {', '.join(workload.name for workload in WORKLOADS)} (default: %(default)s)")
    parser.add_argument("--upstream", default="build/release/candor_bench_upstream",
                        help="the upstream's binary (default: %(default)s)")
    parser.add_argument("rows", nargs="*", metavar="ROW", default=[CANDOR.name, EVERYTHING.name])
    options = parser.parse_args()
    if options.pairs < 1 or len(options.rows) != 2:
        parser.error("--pairs is at least 1, and there are two rows, or none")
    return options


@contextlib.contextmanager
def ready(workload: Workload, proxy: Proxy, options: argparse.Namespace, cores: tuple[int, int],
          folder: Path) -> Iterator[Bench]:
    """The proxy, warm, before an upstream of its own."""
    load_core, proxy_core = cores
    folder.mkdir()
    command = [options.upstream, *workload.upstream_flags]
    with running(command, core=load_core, log=folder / "upstream.log") as process:
        upstream = Upstream(process, wait_for_upstream(process))
        with started(proxy, upstream_port=upstream.port, core=proxy_core, folder=folder) as front:
            workload.check(front)
            workload.measure(Bench(front, upstream, WARM_UP, 0))
            yield Bench(front, upstream, SECONDS, 0)


def compare(workload: Workload, rows: list[Proxy], options: argparse.Namespace, cores: tuple[int, int],
            folder: Path) -> str:
    costs: tuple[list[float], list[float]] = ([], [])
    with contextlib.ExitStack() as stack:
        benches = [stack.enter_context(ready(workload, proxy, options, cores, folder / f"{workload.name}-{place}"))
                   for place, proxy in enumerate(rows)]
        for number in range(options.pairs):
            for place in (0, 1) if number % 2 == 0 else (1, 0):
                costs[place].append(workload.measure(benches[place]).value)
    first, second = costs
    ratios = [b / a for a, b in zip(first, second)]
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return (f"| {workload.name} | {statistics.median(first):.2f} | {statistics.median(second):.2f} | "
            f"**{middle:.3f}** ({low:.3f}–{high:.3f}) |")


def main() -> int:
    options = parse_arguments()
    cores = run.check_tools(options)
    os.sched_setaffinity(0, {cores[0]})  # and wrk's, which inherits it: off the proxy's core
    rows = run.chosen(",".join(options.rows), (CANDOR, *PEERS), "row")
    workloads = run.chosen(options.workloads, WORKLOADS, "workload")
    print(f"Command: `{shlex.join(['tests/bench/peers/pairs.py', *sys.argv[1:]])}`\n")
    print(f"|  | {rows[0].title}, µs | {rows[1].title}, µs | ratio: median of {options.pairs} pairs (quartiles) |")
    print("| --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory(prefix="candor-pairs-") as folder:
        for workload in workloads:
            try:
                print(compare(workload, rows, options, cores, Path(folder)), flush=True)
            except VoidRun as problem:
                sys.exit(f"{workload.name}: {problem}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; everything that was started is stopped")
