#!/usr/bin/env python3
"""That the harness of the scenarios works: one short scenario, before Candor and before the foil. What both sides
counted must agree with each other; nothing here depends on how fast anything was.

    tests/bench/scenarios/selftest.py [--bin build/dev]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "peers"))

from bench import Bench, Outcome
from catalogue import SCENARIOS, Scenario, common_rows, opens, recovers
from contenders import contenders
from measures import Attempt, Records, Request
from page import BEGIN, END, NOT_YET, Results, readings, render, reread, virtual_time, with_virtual_time
from virtual import played, table

BINARIES = Path("build/dev")
# Each way in which an endpoint can behave, in two seconds.
SHORT = Scenario(
    name="short", numbers=(), title="all there is", happens="Everything, one after the other.", seconds=2.0,
    load=("0:100", "1500:x20"), key="goodput", endpoints=2, attempt_timeout_ms=200, patience_ms=5000,
    script=("0 0 serve latency=2", "1 0 serve latency=2", "0 400 serve fail=0.5", "0 600 refuse", "0 800 hang",
            "0 1000 serve latency=2", "1 1200 serve capacity=50 queue=2", "1 1600 serve"),
    rows=[opens(0.6, 1.0, 100), recovers(1.0, 2.0), *common_rows()])
REQUESTS = 220


class TheHarness(unittest.TestCase):
    def test_what_callers_and_upstream_saw_of_candor_agrees(self) -> None:
        self._check("candor")

    def test_what_callers_and_upstream_saw_of_the_foil_agrees(self) -> None:
        self._check("foil")

    def _check(self, name: str) -> None:
        contender = next(each for each in contenders(BINARIES) if each.name == name)
        cores = sorted(os.sched_getaffinity(0))
        with tempfile.TemporaryDirectory(prefix="candor-scenarios-") as folder:
            outcome = Bench(BINARIES, cores[0], cores[-1]).run(SHORT, contender, Path(folder) / name)
        records = outcome.records
        # Each request was made, ended in one way, and none before it was due.
        self.assertEqual(len(records.requests), REQUESTS)
        good = sum(request.good for request in records.requests)
        self.assertEqual(good + records.errors().total(), REQUESTS)
        self.assertTrue(all(request.latency >= 0 for request in records.requests))
        self.assertEqual(sorted(request.due for request in records.requests),
                         [request.due for request in records.requests])
        # Who was answered well had been served; an attempt whose caller was gone by then may come on top.
        met = [attempt.met for attempt in records.attempts]
        self.assertGreaterEqual(met.count("served"), good)
        self.assertLessEqual(set(met), {"served", "failed", "hung", "refused"})
        self.assertEqual({attempt.endpoint for attempt in records.attempts}, {0, 1})
        # Slices add up to the whole.
        last = max(attempt.at for attempt in records.attempts)
        slices = [records.attempts_between(step / 10, (step + 1) / 10) for step in range(int(last * 10) + 1)]
        self.assertEqual(sum(map(len, slices)), len(records.attempts))
        self.assertGreater(good, 0)
        self._check_page(contender, outcome)

    def _check_page(self, contender, outcome: Outcome) -> None:
        results = Results([SHORT], [contender], {(SHORT.name, contender.name): outcome})
        with tempfile.TemporaryDirectory(prefix="candor-scenarios-") as folder:
            page = Path(folder) / "scenarios.md"
            page.write_text(render(results, page))
            self.assertIn(NOT_YET, page.read_text())
            page.write_text(page.read_text().replace(NOT_YET, "By another hand."))
            page.write_text(render(results, page))
            self.assertEqual(virtual_time(page), "By another hand.")
            self.assertEqual(reread(page.read_text()), page.read_text())
            self.assertEqual(page.read_text().count(BEGIN) + page.read_text().count(END), 2)


class TheMeasures(unittest.TestCase):
    """On records made up: ten seconds at 100 rps, out from the second to the sixth."""

    def setUp(self) -> None:
        dues = [number / 100 for number in range(1000)]
        requests = [Request(due, 0.001, "503" if 2 <= due < 6 else "200") for due in dues]
        attempts = [Attempt(due, 0, "served") for due in dues if not 2.1 <= due < 6]
        self.records = Records([*attempts, Attempt(9.999, 0, "check")], requests)

    def test_the_circuit_is_open_from_the_last_attempt_on(self) -> None:
        self.assertAlmostEqual(self.records.time_to_open(2, 6, 100) or 0, 0.09)

    def test_an_outage_without_an_opening_never_opens(self) -> None:
        self.assertIsNone(self.records.time_to_open(6, 10, 100))

    def test_recovered_is_when_half_a_second_is_good(self) -> None:
        self.assertLessEqual(self.records.time_to_recover(5.9, 10) or 0, 0.1)
        self.assertIsNone(self.records.time_to_recover(2, 6))

    def test_goodput_and_load_are_shares_of_what_was_asked(self) -> None:
        self.assertAlmostEqual(self.records.good_share(), 0.6)
        self.assertAlmostEqual(self.records.worst_load(1), 1, delta=0.02)
        self.assertEqual((len(self.records.attempts), self.records.checks), (610, 1))


class VirtualTime(unittest.TestCase):
    """What GoogleTest reports, as the page's table."""

    REPORT = {"testsuites": [
        {"name": "Scenario10Flapping", "testsuite": [
            {"name": "WhatThereIsIsUsed", "result": "COMPLETED", "time": "1s",
             "goodput": "least 0.31, mean 0.43, most 0.5 (of 200)", "seeds in which it opened": "3"}]},
        {"name": "World", "testsuite": [{"name": "Ends", "result": "COMPLETED"}]},
        {"name": "Scenario04Probe", "testsuite": [
            {"name": "IsFree", "result": "COMPLETED", "failures": [{"failure": "so"}]}]}]}

    def test_scenarios_come_in_their_order_with_their_figures(self) -> None:
        tests = played(self.REPORT)
        self.assertEqual([(test.number, test.title, test.holds) for test in tests],
                         [(4, "probe: is free", False), (10, "flapping: what there is is used", True)])
        rows = table(tests).splitlines()[2:]
        self.assertEqual(rows[0], "| 4 | probe: is free | NO |  |  |  |  |  |")
        self.assertEqual(rows[1], "| 10 | flapping: what there is is used | yes | goodput | 0.31 | 0.43 | 0.5 | 200 |")
        self.assertEqual(rows[2], "|  |  |  | seeds in which it opened |  | 3 |  |  |")

    def test_they_stand_in_their_place_of_the_page_and_nowhere_else(self) -> None:
        page = f"# Page\n\n{BEGIN}\n{NOT_YET}\n{END}\n\nMore.\n"
        self.assertEqual(with_virtual_time(page, "A table."), page.replace(NOT_YET, "A table."))


class TheCatalogue(unittest.TestCase):
    def test_each_scenario_has_its_name_and_its_paragraph(self) -> None:
        names = [scenario.name for scenario in SCENARIOS]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(set(readings()), set(names))

    def test_a_paragraph_takes_the_place_of_the_one_before(self) -> None:
        name, paragraph = next(iter(readings().items()))
        table = "| measure | Candor |\n| --- | --- |\n| goodput | 1.0% |\n"
        page = f"# Page\n\n### A scenario\n\nNumber 1, `{name}`. It happens.\n\n{table}\nOld.\n\n## Notes\n\nNone.\n"
        self.assertEqual(reread(page), page.replace("Old.", paragraph))

    def test_what_stands_in_the_overview_is_a_row(self) -> None:
        for scenario in SCENARIOS:
            self.assertLessEqual(set(scenario.key.split(", ")), {title for title, _ in scenario.rows}, scenario.name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=Path, default=BINARIES)
    options, rest = parser.parse_known_args()
    BINARIES = options.bin.resolve()
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
