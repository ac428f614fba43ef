"""The results as docs/scenarios.md: what is written by hand around what was measured."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import machine
from bench import Outcome
from catalogue import Row, Scenario
from contenders import HERE, Contender

BEGIN = "<!-- virtual time: begin; what stands up to its end is kept when this page is written anew -->"
END = "<!-- virtual time: end -->"
NOT_YET = "Not measured yet."


@dataclass
class Results:
    scenarios: Sequence[Scenario]
    contenders: Sequence[Contender]
    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    others_share: float = 0.0
    command: str = ""

    def cell(self, scenario: Scenario, contender: Contender, row: Row) -> str:
        outcome = self.outcomes.get((scenario.name, contender.name))
        if outcome is None:
            return "no run counted"
        if not outcome.counts_refused and "refuse" in " ".join(scenario.script) and _counts_attempts(row[0]):
            return "not counted"
        return row[1](outcome.records)


def _counts_attempts(title: str) -> bool:
    return "attempt" in title or "open" in title or "left alone" in title


def _table(corner: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [[corner, *columns], ["---"] * (len(columns) + 1), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def _numbers(scenario: Scenario) -> str:
    return ", ".join(map(str, scenario.numbers))


def overview(results: Results) -> str:
    rows = []
    for scenario in results.scenarios:
        by_title = {title: (title, cell) for title, cell in scenario.rows}
        for place, title in enumerate(scenario.key.split(", ")):
            rows.append([*(("", "") if place else (_numbers(scenario), scenario.title)), title,
                         *(results.cell(scenario, contender, by_title[title]) for contender in results.contenders)])
    return _table("#", ["scenario", "measure", *(contender.title for contender in results.contenders)], rows)


def details(results: Results, scenario: Scenario) -> str:
    return _table("", [contender.title for contender in results.contenders],
                  [[row[0], *(results.cell(scenario, contender, row) for contender in results.contenders)]
                   for row in scenario.rows])


def readings() -> Mapping[str, str]:
    """The paragraph of each scenario, by its name; written by hand, in reading.md."""
    parts = re.split(r"^## (\S+)\n", (HERE / "reading.md").read_text(), flags=re.MULTILINE)
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2])}


def virtual_time(page: Path) -> str:
    """What the page says on virtual time, which is not ours to change."""
    if page.exists() and (kept := re.search(f"{re.escape(BEGIN)}\n(.*?){re.escape(END)}", page.read_text(), re.DOTALL)):
        return kept.group(1).strip()
    return NOT_YET


def with_virtual_time(page: str, text: str) -> str:
    """The page with this in the place for virtual time, and nothing else changed."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def reread(page: str) -> str:
    """The page with the paragraphs as they stand in reading.md now, and nothing else changed."""
    sections = re.split(r"^(?=##)", page, flags=re.MULTILINE)
    paragraphs = readings()
    for number, section in enumerate(sections):
        measured = re.match(r"### .*?`(\S+)`.*\n\|[^\n]*\n", section, re.DOTALL)
        if measured and measured.group(1) in paragraphs:
            sections[number] = f"{measured.group(0)}\n{paragraphs[measured.group(1)]}\n\n"
    return "".join(sections)


def render(results: Results, page: Path) -> str:
    # Its links lead from where it stands; the page stands in docs.
    method = (HERE / "method.md").read_text().strip().replace("](../../../docs/", "](")
    paragraphs = readings()
    parts = [
        "# Scenarios", method.partition("\n\n")[0],
        "## On virtual time, 200 seeds", f"{BEGIN}\n{virtual_time(page)}\n{END}",
        "## Over real sockets", method.partition("\n\n")[2],
        (f"Machine: {machine.describe()}. One run of each, {results.seconds / 60:.0f} minutes in all. Command: "
         f"`{results.command}`. Of both cores, others used {results.others_share:.0%} meanwhile."),
        "\n".join(f"- {contender.title}: {contender.version()}" for contender in results.contenders),
        overview(results).strip(),
    ]
    for scenario in results.scenarios:
        parts += [f"### {scenario.title[0].upper()}{scenario.title[1:]}",
                  f"Number {_numbers(scenario)}, `{scenario.name}`. {scenario.happens}",
                  details(results, scenario).strip()]
        if paragraph := paragraphs.get(scenario.name):
            parts.append(paragraph)
    parts += ["## Notes of the run", "\n".join(f"- {note}" for note in results.notes) or "Every run counted."]
    return "\n\n".join(parts) + "\n"
