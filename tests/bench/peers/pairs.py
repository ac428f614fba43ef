#!/usr/bin/env python3
"""What a second configuration costs, in CPU time per request against the first: both up at once, by turns.

    tests/bench/peers/pairs.py [--starts 12] [--pairs 4] [--workloads small,big,post] [FIRST SECOND]

FIRST and SECOND are names of rows of run.py; `candor` against `candor-everything` if none are given. run.py starts
everything anew for each run, and on a shared machine two runs of one and the same program then differ by a tenth, by
half on a bad day: good enough to tell one proxy from another, not to tell 5%. Here both proxies are up, each with an
upstream of its own, and get load for a second in turn (A B, B A, ...). What the machine does in two neighbouring
seconds is nearly the same, so that the ratio of each pair says something. What a start has settled by chance, such as
where its memory lies, stays with it: so there are several starts, each of which gives the median of its pairs. The
result is the median of the starts, and the quartiles beside it show how well it is known; compare a configuration with
itself to see what the method adds.

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
WARM_UP = 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0], epilog="The method is at the top of this file.")
    parser.add_argument("--starts", type=int, default=12, help="of both proxies (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=4, help="of runs of a second, each start (default: %(default)s)")
    parser.add_argument("--workloads", default=DEFAULT_WORKLOADS,
                        help=f"of {', '.join(workload.name for workload in WORKLOADS)} (default: %(default)s)")
    parser.add_argument("--upstream", default="build/release/candor_bench_upstream",
                        help="the upstream's binary (default: %(default)s)")
    parser.add_argument("rows", nargs="*", metavar="ROW", default=[CANDOR.name, EVERYTHING.name])
    options = parser.parse_args()
    if min(options.starts, options.pairs) < 1 or len(options.rows) != 2:
        parser.error("--starts and --pairs are at least 1, and there are two rows, or none")
    return options


@contextlib.contextmanager
def ready(workload: Workload, proxy: Proxy, options: argparse.Namespace, cores: tuple[int, int],
          folder: Path) -> Iterator[Bench]:
    """The proxy, warm, before an upstream of its own."""
    load_core, proxy_core = cores
    folder.mkdir(parents=True)
    command = [options.upstream, *workload.upstream_flags]
    with running(command, core=load_core, log=folder / "upstream.log") as process:
        upstream = Upstream(process, wait_for_upstream(process))
        with started(proxy, upstream_port=upstream.port, core=proxy_core, folder=folder) as front:
            workload.check(front)
            workload.measure(Bench(front, upstream, WARM_UP, 0))
            yield Bench(front, upstream, SECONDS, 0)


def measured(workload: Workload, rows: list[Proxy], options: argparse.Namespace, cores: tuple[int, int],
             folder: Path) -> list[tuple[float, float]]:
    """What a request cost with the one and with the other, of each pair of a start."""
    pairs = []
    with contextlib.ExitStack() as stack:
        benches = [stack.enter_context(ready(workload, proxy, options, cores, folder / str(place)))
                   for place, proxy in enumerate(rows)]
        for number in range(options.pairs):
            costs = [0.0, 0.0]
            for place in (0, 1) if number % 2 == 0 else (1, 0):
                costs[place] = workload.measure(benches[place]).value
            pairs.append((costs[0], costs[1]))
    return pairs


def compare(workload: Workload, rows: list[Proxy], options: argparse.Namespace, cores: tuple[int, int],
            folder: Path) -> str:
    starts = [measured(workload, rows, options, cores, folder / workload.name / str(number))
              for number in range(options.starts)]
    first, second = zip(*(pair for pairs in starts for pair in pairs))
    ratios = [statistics.median(b / a for a, b in pairs) for pairs in starts]
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
    print(f"|  | {rows[0].title}, µs | {rows[1].title}, µs | ratio: median of {options.starts} starts (quartiles) |")
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
