"""The breaker and the retries as documented, counted at the upstream: what it saw is what Candor says."""

import threading

from support.books import settled_books
from support.case import RealCase, main
from support.ports import HeldPort
from support.waiting import until
from support.wire import Wire


class Switchable:
    """A script for an upstream: answers well, or as told."""

    def __init__(self, answer=None):
        self.answer = answer  # bytes on the wire; nothing: well

    def __call__(self, conversation):
        while conversation.request():
            if self.answer:
                conversation.send(self.answer)
            else:
                conversation.answer("well")


def _status(status, fields=""):
    return f"HTTP/1.1 {status} Told\r\nContent-Length: 0\r\n{fields}\r\n"


class Scenarios(RealCase):
    def _proxy(self, script, **settings):
        self.peer = self.upstream(script)
        self.proxy = self.candor({"web": {"endpoints": [self.peer.address], **settings}})
        return self.proxy

    def _ask(self, path="/", method="GET"):
        with Wire(self.proxy.ports["web"]) as caller:
            return caller.send(f"{method} {path} HTTP/1.1\r\nHost: web\r\n\r\n").answer()

    def _seen(self):
        return len(self.peer.heads)

    def test_from_a_healthy_history_the_circuit_opens_at_the_fifth_failed_attempt(self):
        self._opens_after(history=120, attempts=5)

    def test_from_a_cold_start_the_circuit_opens_at_the_seventh_failed_attempt(self):
        self._opens_after(history=0, attempts=7)

    def _opens_after(self, history, attempts):
        script = Switchable()
        self._proxy(script, breaker={"open": {"first": "1h", "cap": "1h"}})
        for _ in range(history):
            self.assertEqual(self._ask().status, 200)
        script.answer = _status(503)
        # One caller, one request after the other, three attempts each: the last one's retries end with the opening.
        for _ in range(-(-attempts // 3)):
            self.assertEqual(self._ask().status, 503)
        self.assertEqual(self._seen(), history + attempts)
        self.assertEqual(self.proxy.state("web"), "open")
        for _ in range(20):
            refused = self._ask()
            self.assertIn('details="circuit_open"', refused.get("Proxy-Status"))
            self.assertEqual(refused.get("candor-retry"), "refused")
        self.assertEqual(self._seen(), history + attempts)
        opening = self.proxy.evidence("web")["transitions"][0]
        self.assertEqual((opening["rule"], opening["value"]), ("evidence_run", attempts))
        books = settled_books(self, self.proxy, "web")
        self.assertEqual(books.ledger["failures"]["status"], attempts)

    def test_five_consecutive_failures_are_five_attempts(self):
        self._proxy(Switchable(_status(500)), retry={"on": [500]},
                    breaker={"trip": {"consecutive_failures": 5}, "open": {"first": "1h", "cap": "1h"}})
        first, second, third = self._ask(), self._ask(), self._ask()
        self.assertEqual((first.status, second.status, third.status), (500, 500, 503))
        self.assertEqual(self._seen(), 5)
        self.assertIn("attempts=3; retries denied: attempts", first.get("Proxy-Status"))
        self.assertIn("attempts=2; retries denied: circuit", second.get("Proxy-Status"))

    def test_of_200_requests_at_the_end_of_the_window_one_is_the_probe_and_199_are_refused(self):
        failed = threading.Event()
        dead = Switchable(_status(500))

        def script(conversation):
            while head := conversation.request():
                if "/after" in head:
                    failed.wait(60)
                conversation.send(dead.answer)

        self._proxy(script, breaker={"trip": {"consecutive_failures": 2}, "open": {"first": "50ms", "cap": "50ms"}})
        for _ in range(2):
            self.assertEqual(self._ask().status, 500)
        crowd = [Wire(self.proxy.ports["web"]) for _ in range(200)]
        until(lambda: self.proxy.account("web")["circuit"]["retry_after_seconds"] == 0, "the window was over")
        for caller in crowd:
            caller.get("/after")
        waiting = set(crowd)

        def refused():
            """Takes in the answers that have come. The probe has none before it may fail."""
            for caller in [caller for caller in waiting if caller.readable()]:
                self.assertEqual(caller.answer().status, 503)
                waiting.remove(caller)
            return len(waiting) == 1

        until(refused, lambda: f"199 were refused; {len(waiting)} wait")
        failed.set()
        self.assertEqual(waiting.pop().answer().status, 500)
        for caller in crowd:
            caller.close()
        self.assertEqual(self._seen(), 2 + 1)
        books = settled_books(self, self.proxy, "web")
        self.assertEqual(sum(line["result"] == "refused" for line in books.requests), 199)
        self.assertEqual(books.metrics.value("candor_probes_total", upstream="web", outcome="failure"), 1)
        self.assertEqual(books.metrics.value("candor_retries_total", upstream="web"), 0)

    def test_a_wait_beyond_the_deadline_is_not_begun(self):
        self._proxy(Switchable(_status(503, "Retry-After: 3600\r\n")), timeouts={"request": "1h"})
        answer = self._ask()
        self.assertEqual((answer.status, answer.get("Retry-After")), (503, "3600"))
        self.assertIn("retries denied: deadline", answer.get("Proxy-Status"))
        self.assertEqual(self._seen(), 1)

    def test_a_waiting_retry_ends_when_the_circuit_opens(self):
        script = Switchable(_status(503, "Retry-After: 3600\r\n"))
        self._proxy(script, timeouts={"request": "2h"},
                    breaker={"trip": {"consecutive_failures": 3}, "open": {"first": "1h", "cap": "1h"}})
        with Wire(self.proxy.ports["web"]) as waiting:
            waiting.get("/waits")
            until(lambda: self.proxy.ledger("web")["failures"]["overload"] == 1, "its attempt had failed")
            script.answer = _status(500)
            for _ in range(3):
                self.assertFalse(waiting.readable())
                self.assertEqual(self._ask().status, 500)
            # Nothing but the opening can have ended an hour's wait. It gets the answer that it had.
            answer = waiting.answer()
            self.assertEqual((answer.status, answer.get("Retry-After")), (503, "3600"))
            self.assertIn("retries denied: circuit", answer.get("Proxy-Status"))
        self.assertEqual(self._seen(), 4)

    def test_what_must_not_be_sent_twice_is_sent_once(self):
        self._proxy(Switchable(_status(503)))
        answer = self._ask(method="POST")
        self.assertIn("attempts=1; retries denied: not_replayable", answer.get("Proxy-Status"))
        self.assertEqual(self._seen(), 1)
        with Wire(self.proxy.ports["web"]) as caller:
            caller.send("POST / HTTP/1.1\r\nHost: web\r\nIdempotency-Key: 1\r\nContent-Length: 0\r\n\r\n")
            self.assertIn("attempts=3", caller.answer().get("Proxy-Status"))
        self.assertEqual(self._seen(), 4)

    def test_the_budget_bounds_the_retries(self):
        # Six in ten minutes are free, and no request pays for more. No circuit is in the way.
        self._proxy(Switchable(_status(503)), retry={"attempts": 2, "backoff": {"base": "1ms", "cap": "1ms"},
                                                     "budget": {"ratio": 0, "per_second": 0.01, "over": "10m"}},
                    breaker={"enabled": False})
        for _ in range(30):
            self.assertEqual(self._ask().status, 503)
        self.assertEqual(self._seen(), 30 + 6)
        books = settled_books(self, self.proxy, "web")
        self.assertEqual(books.metrics.value("candor_retries_denied_total", upstream="web", reason="budget"), 24)

    def test_beside_a_dead_endpoint_the_living_one_answers_every_request(self):
        nginx = self.nginx()
        dead = HeldPort()
        self.addCleanup(dead.release)
        candor = self.candor({"web": {"endpoints": [f"127.0.0.1:{dead.number}", nginx.address],
                                      "retry": {"budget": {"per_second": 100}}}})
        with Wire(candor.ports["web"]) as caller:
            for i in range(40):
                self.assertEqual(caller.get(f"/of/{i}/files/small-1").answer().status, 200)
        until(lambda: len(nginx.lines()) >= 40, "nginx had a line for each request")
        books = settled_books(self, candor, "web")
        self.assertEqual(len(nginx.lines()), books.ledger["success"])
        self.assertEqual(books.ledger["failures"]["connect"], books.ledger["failure"])

    def test_an_endpoint_may_be_a_name(self):
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [f"localhost:{nginx.port}"]}})
        with Wire(candor.ports["web"]) as caller:
            self.assertEqual(caller.get("/files/small-1").answer().status, 200)


if __name__ == "__main__":
    main()
