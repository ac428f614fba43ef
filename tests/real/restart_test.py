"""An upstream that goes away in the middle of traffic, and comes back on the same port."""

import threading
from collections import Counter

from support import callers
from support.books import imbalance, settled_books
from support.callers import Traffic
from support.case import RealCase, main
from support.waiting import until
from support.wire import BrokenOff, Wire

# Short windows: what is tested does not depend on how long they are.
_QUICK = {"open": {"first": "50ms", "cap": "200ms"}, "ramp": {"cap": "200ms"}}


def _snapshot(case, candor, upstream):
    """One look at a live account: it balances at any instant, and never has two probes in flight."""
    account = candor.account(upstream)
    case.assertEqual(imbalance(account["ledger"]), 0, account["ledger"])
    case.assertLessEqual(account["circuit"]["probes_in_flight"], 1)
    return account


def _until_state(case, candor, upstream, *states):
    until(lambda: _snapshot(case, candor, upstream)["circuit"]["state"] in states,
          lambda: f"the circuit was {' or '.join(states)}; it is {candor.state(upstream)}")


class UpstreamThatRestarts(RealCase):
    def test_a_stopped_nginx_fails_honestly_and_every_attempt_is_accounted_for(self):
        nginx, candor, answers = self._outage(lambda nginx: nginx.stop())
        books = self._check_answers(candor, answers)
        self._check_probes(books)
        # What nginx saw, attempt by attempt. It is one thread, and SIGTERM is looked at between two events: the
        # last byte of an answer and its line in the log belong to one event, so an answer that came whole has a
        # line, always. An attempt that broke had been read only in part or not at all, or its answer was being
        # sent: nginx drops such requests without a line. A refused connection never reached it.
        lines = Counter((line.uri, line.attempt) for line in nginx.lines())
        whole = [attempt for attempt in books.attempts
                 if attempt.outcome == "success" and attempt.result == "answered"]
        self.assertEqual(lines, Counter(attempt.key for attempt in whole))

    def test_a_killed_nginx_fails_honestly_and_every_attempt_is_accounted_for(self):
        nginx, candor, answers = self._outage(lambda nginx: nginx.kill())
        books = self._check_answers(candor, answers)
        self._check_probes(books)
        # SIGKILL may strike between an answer's last byte and its line, or between the line and the caller's
        # sight of that byte. nginx serves with one thread, so that can happen to one attempt at most; all others
        # are as above.
        lines = Counter((line.uri, line.attempt) for line in nginx.lines())
        whole = Counter(attempt.key for attempt in books.attempts
                        if attempt.outcome == "success" and attempt.result == "answered")
        self.assertEqual(max(lines.values()), 1, "no attempt reached nginx twice")
        self.assertLessEqual(len(whole - lines), 1, "answers without a line")
        self.assertLessEqual(len(lines - whole), 1, "lines without an answer")
        self.assertEqual(lines.keys() - {attempt.key for attempt in books.attempts}, set(), "lines of no attempt")

    def test_an_answer_cut_off_by_a_stop_never_looks_whole(self):
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [nginx.address]}})
        with Wire(candor.ports["web"]) as caller:
            caller.get("/slow/large-0?rate=100k")
            self.assertEqual(caller.head().status, 200)
            nginx.stop()
            with self.assertRaises((BrokenOff, ConnectionResetError)):
                caller.some(1_000_000)
        books = settled_books(self, candor, "web")
        self.assertEqual([line["result"] for line in books.requests], ["broken"])
        # A body that streams on for a second is a success by then; breaking later is counted apart.
        late = books.metrics.value("candor_late_breaks_total", upstream="web")
        self.assertEqual(late + books.ledger["failure"], 1)
        self.assertEqual(late, books.ledger["success"])

    def test_a_nginx_that_quits_gracefully_finishes_what_it_has_begun(self):
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [nginx.address]}})
        with Wire(candor.ports["web"]) as caller:
            caller.get("/slow/large-0?rate=800k")
            self.assertEqual(caller.head().status, 200)
            nginx.quit()
            self.assertEqual(len(caller.some(1_000_000)), 1_000_000)
            nginx.wait()
            caller.get("/files/small-0")
            answer = caller.answer()
        self.assertEqual(answer.status, 502)
        self.assertTrue(answer.get("Proxy-Status").startswith("candor; error=connection_refused"), answer)
        books = settled_books(self, candor, "web")
        self.assertEqual(books.ledger["success"], len(nginx.lines()))
        self.assertEqual(books.ledger["failures"]["connect"], books.ledger["failure"])

    def _outage(self, end):
        """Traffic from before an outage to after it."""
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [nginx.address], "breaker": _QUICK}})
        kinds = [callers.SMALL_GET, callers.LARGE_GET]
        with Traffic(candor.url("web", ""), kinds, callers=4, pace=0.002) as traffic:
            until(lambda: traffic.right() >= 100, "100 requests were answered")
            end(nginx)
            _until_state(self, candor, "web", "open")
            # It refuses connections, so no request is risked: Candor itself tries to connect.
            until(lambda: candor.metrics().value("candor_checks_total", upstream="web", result="bad") >= 2
                  and _snapshot(self, candor, "web"), "two checks had failed")
            before = traffic.count()
            nginx.start()
            _until_state(self, candor, "web", "closed")
            until(lambda: traffic.right(before) >= 100, "100 requests were answered after the restart")
            answers = traffic.stop()
        until(lambda: len(nginx.lines()) >= sum(answer.right for answer in answers) - 1,
              "nginx had written its lines")
        return nginx, candor, answers

    def _check_answers(self, candor, answers):
        """Right, or honestly not."""
        books = settled_books(self, candor, "web")
        logged = {line["path"]: line for line in books.requests}
        self.assertEqual(len(logged), len(answers), "each request has one line in the access log")
        for answer in answers:
            line = logged[answer.path]
            if answer.broken:
                self.assertEqual(line["result"], "broken", answer)
                continue
            self.assertEqual(answer.problem, "", answer)
            self.assertEqual(line["status"], answer.status)
            if answer.right:
                self.assertEqual(line["result"], "answered", line)
                continue
            self.assertIn(answer.status, (502, 503), answer)
            self.assertEqual(answer.own.split("=")[1].split(";")[0], line["error"])
            # Refused at once: nothing was tried, but perhaps a connection that nginx had left behind in the pool;
            # and the caller is told when to come back.
            tried = [each for each in line["attempts"] if each["outcome"] != "excluded"]
            self.assertEqual(line["result"] == "refused", not tried, line)
            if line["result"] == "refused":
                self.assertEqual((answer.status, line["error"]), (503, "destination_unavailable"), line)
                self.assertGreaterEqual(int(answer.retry_after), 1, answer)
        self.assertGreater(sum(not answer.right for answer in answers), 0)
        self.assertGreater(sum(line["result"] == "refused" for line in books.requests), 0)
        return books

    def _check_probes(self, books):
        """One probe in each half-open time: every conclusive one decided, so that none was beside another."""
        metrics = books.metrics
        probes = Counter(attempt.outcome for attempt in books.attempts if attempt.probe)
        for outcome in ("success", "failure", "excluded", "abandoned"):
            self.assertEqual(metrics.value("candor_probes_total", upstream="web", outcome=outcome), probes[outcome])
        decided = metrics.value("candor_circuit_transitions_total", upstream="web", **{"from": "half_open"})
        self.assertEqual(probes["success"] + probes["failure"], decided)
        # What the checks leave: at most one, if something else than a refused connection had opened the circuit.
        self.assertLessEqual(probes["failure"], 1)
        self.assertGreaterEqual(probes["success"], 1)
        for line in books.requests:
            if any(each["probe"] for each in line["attempts"]) and line["result"] == "failed":
                self.assertTrue(line["attempts"][-1]["probe"], "nothing follows a failed probe")


class ProbesOfAnUpstream(RealCase):
    def test_a_probe_in_flight_is_the_only_request_that_a_recovering_upstream_sees(self):
        failing, answer = threading.Event(), threading.Event()
        failing.set()

        def script(conversation):
            while conversation.request():
                if failing.is_set():
                    conversation.send("HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n")
                    continue
                answer.wait(20)
                conversation.answer("well again")

        upstream = self.upstream(script)
        candor = self.candor({"web": {
            "endpoints": [upstream.address], "retry": {"attempts": 1},
            "breaker": {"trip": {"consecutive_failures": 3}, "open": {"first": "20ms", "cap": "20ms"},
                        "ramp": {"from": 1, "cap": "0s"}}}})
        for _ in range(3):
            self.assertEqual(self._ask(candor).status, 500)
        self.assertEqual(candor.state("web"), "open")
        refused = self._ask(candor)
        # The window may be over by now; then this was the probe.
        self.assertIn(refused.status, (500, 503))

        failing.clear()
        before = len(upstream.heads)
        probe = until(lambda: self._probing(candor, upstream, before), "a probe was in flight")
        for _ in range(20):
            refusal = self._ask(candor)
            self.assertEqual(refusal.status, 503)
            self.assertIn("probe_in_flight", refusal.get("Proxy-Status"))
            self.assertEqual(refusal.get("Retry-After"), "1")
        self.assertEqual(len(upstream.heads), before + 1, "nobody else was let through")
        answer.set()
        self.assertEqual(probe.answer().body, b"well again")
        probe.close()
        self.assertEqual(self._ask(candor).body, b"well again")
        # Results drive the ramp, not time alone.
        until(lambda: self._ask(candor).status == 200 and candor.state("web") == "closed", "the circuit was closed")
        settled_books(self, candor, "web")

    def _probing(self, candor, upstream, before):
        """A caller whose request has reached the upstream; nothing if it was refused."""
        caller = Wire(candor.ports["web"]).get("/probe")
        until(lambda: caller.readable() or len(upstream.heads) > before, "the request was refused or passed on")
        if len(upstream.heads) > before:
            return caller
        self.assertEqual(caller.answer().status, 503)
        caller.close()
        return None

    def _ask(self, candor):
        with Wire(candor.ports["web"]) as caller:
            return caller.get("/").answer()


if __name__ == "__main__":
    main()
