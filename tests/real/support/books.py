"""The account of attempts, as everyone keeps it: Candor's ledger, metrics and access log, and nginx's own log."""

from collections import Counter
from dataclasses import dataclass

from support.waiting import until

_OUTCOMES = ("success", "failure", "excluded", "abandoned")


@dataclass(frozen=True)
class Attempt:
    """One attempt, from Candor's access log; `result` is of the request that it belongs to."""

    path: str
    number: int
    outcome: str
    kind: str  # of a failure
    status: int | None
    probe: bool
    result: str

    @property
    def key(self):
        """What nginx's log says of it, too; paths are unique in these tests, and an attempt's number travels
        with it. A second go on a fresh connection has the number of the first, which nginx never saw."""
        return self.path, str(self.number)


def attempts(requests, upstream):
    """Of the lines of an access log."""
    return [Attempt(line["path"], each["n"], each["outcome"], each.get("kind", ""), each["status"], each["probe"],
                    line["result"])
            for line in requests if line["upstream"] == upstream for each in line["attempts"]]


def imbalance(ledger):
    """What the ledger's equation lacks: 0, always."""
    return ledger["started"] - ledger["in_flight"] - sum(ledger[outcome] for outcome in _OUTCOMES)


@dataclass(frozen=True)
class Books:
    """An upstream's account, at rest."""

    ledger: dict
    metrics: object
    requests: list  # of the access log
    attempts: list


def settled_books(case, candor, upstream):
    """Waits until nothing is in flight and the access log is written, and checks that all tell the same."""
    # A caller may have its answer before its request counts as ended.
    until(lambda: candor.metrics().value("candor_requests_in_flight", upstream=upstream) == 0,
          f"no request to {upstream} was in flight")
    until(lambda: candor.ledger(upstream)["in_flight"] == 0, f"no attempt to {upstream} was in flight")
    metrics = candor.metrics()
    ended = int(metrics.value("candor_requests_total", upstream=upstream))

    def logged():
        return [line for line in candor.access_log() if line["upstream"] == upstream]

    until(lambda: len(logged()) >= ended, lambda: f"{ended} requests were logged; {len(logged())} are")
    requests = logged()
    books = Books(candor.ledger(upstream), metrics, requests, attempts(requests, upstream))
    _check_ledger(case, books, upstream, candor.account(upstream)["endpoints"])
    _check_log(case, books, upstream)
    return books


def _check_ledger(case, books, upstream, endpoints):
    ledger, metrics = books.ledger, books.metrics
    case.assertEqual(imbalance(ledger), 0, f"started = in flight + all outcomes: {ledger}")
    case.assertEqual(sum(ledger["failures"].values()), ledger["failure"], ledger)
    case.assertEqual(sum(each["ledger"]["started"] for each in endpoints), ledger["started"],
                     "the endpoints' attempts are the upstream's")
    case.assertEqual(metrics.value("candor_attempts_started_total", upstream=upstream), ledger["started"])
    case.assertEqual(metrics.value("candor_attempts_in_flight", upstream=upstream), ledger["in_flight"])
    for outcome in _OUTCOMES:
        case.assertEqual(metrics.value("candor_attempts_total", upstream=upstream, outcome=outcome),
                         ledger[outcome], outcome)
    for kind, count in ledger["failures"].items():
        case.assertEqual(metrics.value("candor_attempts_total", upstream=upstream, kind=kind), count, kind)


def _check_log(case, books, upstream):
    ledger, metrics = books.ledger, books.metrics
    by_outcome = Counter(each.outcome for each in books.attempts)
    case.assertEqual({outcome: by_outcome[outcome] for outcome in _OUTCOMES},
                     {outcome: ledger[outcome] for outcome in _OUTCOMES},
                     "the attempts in the access log are those of the ledger")
    case.assertEqual(len(books.attempts), ledger["started"], "and no others")
    by_kind = Counter(each.kind for each in books.attempts if each.outcome == "failure")
    case.assertEqual(by_kind, Counter({kind: n for kind, n in ledger["failures"].items() if n}))
    by_result = Counter(line["result"] for line in books.requests)
    for result in ("answered", "failed", "refused", "broken", "abandoned"):
        case.assertEqual(metrics.value("candor_requests_total", upstream=upstream, result=result),
                         by_result[result], f"requests {result}")
    case.assertEqual(metrics.value("candor_access_log_dropped_total"), 0)
    for line in books.requests:
        case.assertLessEqual(line["retries"], max(0, len(line["attempts"]) - 1), line)
