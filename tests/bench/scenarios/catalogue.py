"""The scenarios: what the upstream does, what the callers do, and what is asked of the records.

The numbers are those of the scenarios on virtual time, as docs/scenarios.md has them: one with two numbers answers two
of its rows. To add one, put it into SCENARIOS, and its paragraph into reading.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from measures import Records

# A row of a scenario's table: its title, and the cell made of the records.
Row = tuple[str, Callable[[Records], str]]

HEALTHY = "serve latency=5"
FAILING = "serve latency=5 fail=1"


@dataclass(frozen=True)
class Scenario:
    name: str
    numbers: tuple[int, ...]
    title: str
    happens: str  # in words, for the page
    seconds: float
    load: Sequence[str]  # steps as open_load.cpp takes them, without the end
    script: Sequence[str]  # phases as script.hpp has them
    key: str  # titles of the rows that stand in the overview, comma-separated
    rows: Sequence[Row]
    endpoints: int = 1
    attempt_timeout_ms: int = 5000
    slow_ms: int | None = None  # who can mark slow attempts does so then; for the others it is the attempt timeout
    patience_ms: int = 10000
    seed: int = 7

    def steps(self) -> list[str]:
        return [*self.load, f"{round(self.seconds * 1000)}:0"]


# Cells.


def _share(value: float) -> str:
    return f"{value:.1%}"


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f}s"


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value * 1000:.0f}ms" if value >= 0.01 else f"{value * 1000:.1f}ms"


def _errors(records: Records) -> str:
    errors = records.errors()
    if not errors:
        return "0"
    return f"{errors.total()} ({', '.join(f'{count} {result}' for result, count in errors.most_common())})"


# Rows that every table has.


def common_rows() -> list[Row]:
    return [
        ("goodput", lambda r: _share(r.good_share())),
        ("errors at callers", _errors),
        ("attempts sent", lambda r: str(len(r.attempts))),
        ("attempts/request", lambda r: f"{r.attempts_per_request():.2f}"),
        ("most attempts over offered, in 100ms / 1s", lambda r: f"{r.worst_load(0.1):.1f}× / {r.worst_load(1):.2f}×"),
        ("latency, median / 99%", lambda r: f"{_milliseconds(r.latency(0.5))} / {_milliseconds(r.latency(0.99))}"),
        ("active checks seen", lambda r: str(r.checks)),
    ]


def _during(title: str, begin: float, end: float, endpoint: int | None = None) -> Row:
    return title, lambda r: str(len(r.attempts_between(begin, end, endpoint)))


def opens(onset: float, until: float, offered: float, endpoint: int | None = None) -> Row:
    return "time to open", lambda r: _seconds(r.time_to_open(onset, until, offered, endpoint))


def recovers(back: float, until: float) -> Row:
    return "time to recover", lambda r: _seconds(r.time_to_recover(back, until))


def _goodput(title: str, begin: float, end: float) -> Row:
    return title, lambda r: _share(r.good_share(begin, end))


def _refusal_latency(begin: float, end: float) -> Row:
    def cell(records: Records) -> str:
        failed = [request for request in records.requests_between(begin, end) if not request.good]
        return f"{_milliseconds(records.latency(0.5, failed))} / {_milliseconds(records.latency(0.99, failed))}"

    return "latency of errors in the outage, median / 99%", cell


# Scenarios.


def _outage(name: str, how: str, happens: str, *, lasts: float, after: float, **more: object) -> Scenario:
    onset, rate = 2.0, 200
    back = onset + lasts
    end = back + after
    return Scenario(
        name=name, numbers=(1, 15), title=f"dead upstream, {lasts:.0f}s, then back: {happens}",
        happens=f"200 rps. Healthy for {onset:.0f}s, then {happens} for {lasts:.0f}s, then healthy again.",
        seconds=end, load=(f"0:{rate}",),
        script=(f"0 0 {HEALTHY}", f"0 {onset * 1000:.0f} {how}", f"0 {back * 1000:.0f} {HEALTHY}"),
        key="time to open, attempts in the outage, time to recover",
        rows=[opens(onset, back, rate), _during("attempts in the outage", onset, back),
              recovers(back, end), _refusal_latency(onset, back), *common_rows()], **more)  # type: ignore[arg-type]


def _flapping() -> Scenario:
    # Turns of 2 to 4 seconds, as chance gave them once.
    turns = (2.4, 3.1, 2.2, 2.0, 3.6, 2.7, 2.0)
    script, at, up = [], 0.0, True
    for turn in turns:
        script.append(f"0 {at * 1000:.0f} {HEALTHY if up else FAILING}")
        at, up = at + turn, not up
    best = sum(turns[::2]) / sum(turns)
    return Scenario(
        name="flapping", numbers=(10,), title="flapping: up and down by turns",
        happens="200 rps. Healthy and answering 503 by turns of "
                f"{', '.join(str(turn) for turn in turns)} seconds: {best:.1%} of the time it is up.",
        seconds=at, load=("0:200",), script=script, key="goodput, attempts that failed",
        rows=[("attempts that failed", lambda r: str(sum(attempt.met == "failed" for attempt in r.attempts))),
              *common_rows()])


def _one_of_five(name: str, how: str, happens: str) -> Scenario:
    onset, end = 1.5, 8.0
    return Scenario(
        name=name, numbers=(11,), title=f"one dead endpoint of five: {happens}",
        happens=f"500 rps on five endpoints. From {onset}s on, one of them is {happens}.",
        seconds=end, load=("0:500",), endpoints=5,
        script=[*(f"{endpoint} 0 {HEALTHY}" for endpoint in range(5)), f"0 {onset * 1000:.0f} {how}"],
        key="attempts to the dead one, errors at callers",
        rows=[_during("attempts to the dead one", onset, end, 0),
              ("time until it is left alone", lambda r: _seconds(r.time_to_open(onset, end, 100, 0))), *common_rows()])


def _overload(name: str, queue: int, happens: str, **more: object) -> Scenario:
    relief, end = 7.0, 11.0
    return Scenario(
        name=name, numbers=(16,), title=f"over capacity: {happens}",
        happens=f"Capacity 100 rps. 130 rps for {relief:.0f}s, then 90. {happens[0].upper()}{happens[1:]}.",
        seconds=end, load=("0:130", f"{relief * 1000:.0f}:90"),
        script=[f"0 0 serve latency=5 capacity=100 queue={queue}"],
        key="goodput over capacity, goodput after it, attempts/request",
        rows=[_goodput("goodput over capacity", 0, relief), _goodput("goodput after it", relief + 1, end),
              *common_rows()],
        **more)  # type: ignore[arg-type]


def _window_end() -> Scenario:
    onset, quiet, burst, end = 1.5, 3.5, 9.5, 11.0
    return Scenario(
        name="window-end", numbers=(3,), title="200 requests at once when the window has passed",
        happens=f"200 rps, healthy; answering 503 from {onset}s on. At {quiet}s the callers fall silent, long enough "
                f"for every window to pass, and at {burst}s 200 of them ask in the same instant.",
        seconds=end, load=("0:200", f"{quiet * 1000:.0f}:0", f"{burst * 1000:.0f}:x200"),
        script=(f"0 0 {HEALTHY}", f"0 {onset * 1000:.0f} {FAILING}"),
        key="attempts by the 200",
        rows=[_during("attempts by the 200", burst, end + 60), opens(onset, quiet, 200),
              _during("attempts in the outage before", onset, burst), _refusal_latency(burst, end)])


SCENARIOS: tuple[Scenario, ...] = (
    _outage("dead-refusing", "refuse", "refusing connections", lasts=10, after=5),
    _outage("dead-503", FAILING, "answering 503", lasts=10, after=5),
    _outage("dead-hanging", "hang", "taking requests and never answering", lasts=5, after=4, attempt_timeout_ms=1000),
    _window_end(),
    Scenario(
        name="random-503", numbers=(5,), title="30% random 503s",
        happens="200 rps. Each attempt fails with a chance of 30%, whatever became of the others.",
        seconds=12, load=("0:200",), script=["0 0 serve latency=5 fail=0.3"],
        key="goodput, attempts/request", rows=common_rows()),
    Scenario(
        name="brown-out", numbers=(9,), title="brown-out: 50ms become 2s",
        happens="200 rps. From 3s to 7s each answer takes 2s instead of 50ms. Candor marks attempts slow at 500ms; the "
                "others, which can't, end them then: it is their attempt timeout.",
        seconds=11, load=("0:200",),
        script=("0 0 serve latency=50", "0 3000 serve latency=2000", "0 7000 serve latency=50"),
        slow_ms=500, key="time to open, attempts while slow, time to recover",
        rows=[opens(3, 7, 200), _during("attempts while slow", 3, 7), recovers(7, 11),
              _refusal_latency(3, 7), *common_rows()]),
    _flapping(),
    _one_of_five("one-of-five-refusing", "refuse", "refusing connections"),
    _one_of_five("one-of-five-503", FAILING, "answering 503"),
    _overload("overload-503", 5, "the excess is answered with 503"),
    _overload("overload-queue", 1000000, "the excess queues until attempts time out after 1s", attempt_timeout_ms=1000),
    Scenario(
        name="blip", numbers=(18,), title="a blip: 200ms of 503s",
        happens="200 rps. 200ms of 503s after 2s.",
        seconds=5, load=("0:200",),
        script=(f"0 0 {HEALTHY}", f"0 2000 {FAILING}", f"0 2200 {HEALTHY}"),
        key="requests lost, time to recover",
        rows=[("requests lost", lambda r: f"{r.errors().total()} (40 asked during the blip)"), recovers(2.2, 5),
              *common_rows()]),
)
