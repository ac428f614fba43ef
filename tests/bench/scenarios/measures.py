"""From what the upstream and the callers saw to the figures of a table. Times are seconds from the run's zero."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

OPEN_SHARE = 0.1  # of the offered rate: what attempts fall below in an open circuit
OPEN_OVER = 0.5  # seconds that they stay there
APART = 3  # spacings of the offered rate: what is further from the attempt before isn't the stream any more
RECOVERED_SHARE = 0.95
RECOVERED_OVER = 0.5
SLICE = 0.1


@dataclass(frozen=True)
class Attempt:
    """What reached the upstream. `met`: served, failed, hung, refused or check."""

    at: float
    endpoint: int
    met: str


@dataclass(frozen=True)
class Request:
    """What a caller saw. `result`: a status, or timeout, refused, closed, garbled."""

    due: float
    latency: float
    result: str

    @property
    def good(self) -> bool:
        return self.result.startswith("2")


def read_attempts(text: str) -> list[Attempt]:
    fields = (line.split() for line in text.splitlines())
    return [Attempt(int(at) / 1e6, int(endpoint), met) for at, endpoint, met in fields]


def read_requests(text: str) -> list[Request]:
    fields = (line.split() for line in text.splitlines())
    return [Request(int(due) / 1e6, int(latency) / 1e6, result) for due, latency, result in fields]


class Records:
    """Both sides of one run, with the questions that tables ask. All counts come from these two lists."""

    def __init__(self, attempts: Iterable[Attempt], requests: Iterable[Request]) -> None:
        self.checks = sum(1 for attempt in attempts if attempt.met == "check")
        self.attempts = [attempt for attempt in attempts if attempt.met != "check"]
        self.requests = list(requests)
        self._arrivals = [attempt.at for attempt in self.attempts]
        self._dues = [request.due for request in self.requests]

    def attempts_between(self, begin: float, end: float, endpoint: int | None = None) -> list[Attempt]:
        found = self.attempts[bisect_left(self._arrivals, begin):bisect_left(self._arrivals, end)]
        return found if endpoint is None else [attempt for attempt in found if attempt.endpoint == endpoint]

    def requests_between(self, begin: float, end: float) -> list[Request]:
        return self.requests[bisect_left(self._dues, begin):bisect_left(self._dues, end)]

    def good_share(self, begin: float = 0, end: float = float("inf")) -> float:
        """Of the requests due in that time, how many were answered well."""
        asked = self.requests_between(begin, end)
        return sum(request.good for request in asked) / len(asked) if asked else 0.0

    def errors(self) -> Counter[str]:
        return Counter(request.result for request in self.requests if not request.good)

    def attempts_per_request(self) -> float:
        return len(self.attempts) / len(self.requests)

    def latency(self, share: float, requests: Sequence[Request] | None = None) -> float | None:
        """Of the answers, whatever they say: how long that share of the callers waited at most."""
        latencies = sorted(request.latency for request in (self.requests if requests is None else requests))
        return latencies[min(len(latencies) - 1, int(share * len(latencies)))] if latencies else None

    def time_to_open(self, onset: float, until: float, offered: float, endpoint: int | None = None) -> float | None:
        """From the onset until attempts stay below a tenth of the offered rate for half a second. It ends with the
        last attempt of the stream: the few that stand for probes follow at a distance."""
        limit = OPEN_SHARE * offered * OPEN_OVER
        candidates = [onset, *(attempt.at for attempt in self.attempts_between(onset, until, endpoint))]
        for at in candidates:
            if at + OPEN_OVER > until:
                return None
            # The attempt at this very moment is still one of those before.
            after = self.attempts_between(at + 1e-6, at + OPEN_OVER, endpoint)
            if len(after) < limit and (not after or after[0].at - at > APART / offered):
                return at - onset
        return None

    def time_to_recover(self, back: float, until: float) -> float | None:
        """From the return until 95% of the requests of half a second are answered well."""
        for request in self.requests_between(back, until):
            if request.due + RECOVERED_OVER > until:
                return None
            if self.good_share(request.due, request.due + RECOVERED_OVER) >= RECOVERED_SHARE:
                return request.due - back
        return None

    def worst_load(self, seconds: float) -> float:
        """The slice of that length, in steps of 100 ms, with the most attempts over what callers offered in it. What
        is offered counts as the run's mean, or the slice's own if that is more."""
        last = self.requests[-1].due
        mean = len(self.requests) / last * seconds
        worst = 0.0
        for step in range(int(last / SLICE)):
            begin = step * SLICE
            end = begin + seconds
            if end <= last + SLICE:
                offered = max(mean, len(self.requests_between(begin, end)))
                worst = max(worst, len(self.attempts_between(begin, end)) / offered)
        return worst
