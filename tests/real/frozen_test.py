"""An upstream that stands still in the middle of traffic: it accepts, and says nothing, until it goes on."""

from collections import Counter

from support import callers
from support.books import imbalance, settled_books
from support.callers import Traffic
from support.case import RealCase, main
from support.waiting import until


class UpstreamThatFreezes(RealCase):
    def test_attempts_time_out_the_circuit_opens_and_late_answers_reach_nobody(self):
        nginx = self.nginx()
        candor = self.candor({"web": {
            "endpoints": [nginx.address],
            "timeouts": {"connect": "1s", "attempt": "1s", "request": "4s"},
            "retry": {"attempts": 2, "backoff": {"cap": "25ms"}},
            "breaker": {"open": {"first": "50ms", "cap": "100ms"}, "ramp": {"cap": "200ms"}}}})
        kinds = [callers.SMALL_GET, callers.SMALL_GET, callers.SMALL_ECHO]
        with Traffic(candor.url("web", ""), kinds, callers=6, pace=0.002) as traffic:
            until(lambda: traffic.right() >= 100, "100 requests were answered")
            nginx.freeze()
            until(lambda: self._state(candor) == "open", "the circuit was open")
            until(lambda: candor.metrics().value("candor_probes_total", upstream="web", outcome="failure") >= 1,
                  "a probe had failed")
            before = traffic.count()
            nginx.wake()
            until(lambda: self._state(candor) == "closed", "the circuit was closed")
            until(lambda: traffic.right(before) >= 100, "100 requests were answered after the waking")
            answers = traffic.stop()
        books = settled_books(self, candor, "web")
        self._check_answers(answers, books)
        self._check_lines(nginx, books)

    def _state(self, candor):
        account = candor.account("web")
        self.assertEqual(imbalance(account["ledger"]), 0, account["ledger"])
        self.assertLessEqual(account["circuit"]["probes_in_flight"], 1)
        return account["circuit"]["state"]

    def _check_answers(self, answers, books):
        """A late answer given to another request would show by its X-Id, its body, or both."""
        self.assertEqual([answer for answer in answers if answer.problem], [])
        logged = {line["path"]: line for line in books.requests}
        self.assertEqual(len(logged), len(answers))
        for answer in answers:
            if answer.right:
                continue
            line = logged[answer.path]
            self.assertEqual(answer.status, 504 if line["attempts"] else 503, answer)
            self.assertEqual(line["error"],
                             "http_response_timeout" if line["attempts"] else "destination_unavailable", line)
        self.assertGreater(books.ledger["failures"]["timeout"], 0)
        self.assertEqual(books.ledger["failures"]["timeout"], books.ledger["failure"], books.ledger)
        self.assertEqual((books.ledger["excluded"], books.ledger["abandoned"]), (0, 0), books.ledger)

    def _check_lines(self, nginx, books):
        """All attempts reached nginx, so each has its line.

        While nginx stood still the kernel spoke for it: it completed the connections, fewer than the listening
        socket may have waiting, and took the bytes of these requests, each smaller than a socket's buffer. Neither
        waits for nginx, so a request was there long before its attempt timed out. It stays readable when Candor
        ends the connection; nginx, once awake, reads it, answers into the void, and writes a line.
        """
        attempts = Counter(attempt.key for attempt in books.attempts)
        until(lambda: len(nginx.lines()) >= len(books.attempts),
              lambda: f"nginx had a line for each of {len(books.attempts)} attempts; it has {len(nginx.lines())}")
        self.assertEqual(Counter((line.uri, line.attempt) for line in nginx.lines()), attempts)


if __name__ == "__main__":
    main()
