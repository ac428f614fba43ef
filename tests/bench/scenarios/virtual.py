"""The scenarios on virtual time, as a table: what the tests of `sim` measured, over all their seeds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "candor_sim_tests"


@dataclass
class Figure:
    name: str
    least: str
    mean: str
    most: str
    runs: str


@dataclass
class Played:
    """One test of a scenario."""
    number: int
    title: str
    holds: bool
    figures: Sequence[Figure]


def _words(name: str) -> str:
    """CamelCase as words, in small letters; a number stands by itself."""
    return " ".join(re.findall(r"\d+|[A-Z][a-z]*|[a-z]+", name)).lower()


def _figure(name: str, text: str) -> Figure | None:
    told = re.fullmatch(r"least (\S+), mean (\S+), most (\S+) \(of (\d+)\)", text)
    return Figure(name, *told.groups()) if told else None


def played(report: Mapping) -> list[Played]:
    """From what GoogleTest writes with --gtest_output=json."""
    usual = {"name", "file", "line", "status", "result", "timestamp", "time", "classname", "failures"}
    tests = []
    for suite in report["testsuites"]:
        scenario = re.fullmatch(r"Scenario(\d+)(\w*)", suite["name"])
        for test in suite["testsuite"] if scenario else ():
            figures = [_figure(name, str(value)) or Figure(name, "", str(value), "", "")
                       for name, value in test.items() if name not in usual]
            tests.append(Played(int(scenario.group(1)), f"{_words(scenario.group(2))}: {_words(test['name'])}",
                                test["result"] == "COMPLETED" and not test.get("failures"), figures))
    return sorted(tests, key=lambda test: test.number)


def table(tests: Sequence[Played]) -> str:
    lines = ["| # | scenario | holds | figure | least | mean | most | runs |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for test in tests:
        head = f"| {test.number} | {test.title} | {'yes' if test.holds else 'NO'} |"
        for figure in test.figures or [Figure("", "", "", "", "")]:
            lines.append(f"{head} {figure.name} | {figure.least} | {figure.mean} | {figure.most} | {figure.runs} |")
            head = "|  |  |  |"
    return "\n".join(lines)


def measure(binaries: Path) -> list[Played]:
    """Plays them all; some minutes. Raises OSError without the program."""
    with tempfile.TemporaryDirectory(prefix="candor-virtual-") as folder:
        output = Path(folder) / "report.json"
        subprocess.run([binaries / PROGRAM, "--gtest_filter=Scenario*", f"--gtest_output=json:{output}"],
                       env=os.environ | {"CANDOR_EFFORT": "all"}, stdout=subprocess.DEVNULL, check=False)
        return played(json.loads(output.read_text()))
