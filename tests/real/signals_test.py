"""Signals: how a running Candor ends."""

import signal
import socket
import threading

from support import callers
from support.books import attempts, settled_books
from support.callers import Traffic
from support.case import RealCase, main
from support.documents import content
from support.ports import HOST
from support.waiting import until
from support.wire import Wire


class HeldAnswer:
    """A script for an upstream: half an answer, and the other half when the test says so."""

    def __init__(self):
        self.release = threading.Event()

    def __call__(self, conversation):
        while conversation.request():
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
            self.release.wait(60)
            conversation.send("other")


def _refuses(port):
    """Whether a connection is refused; one that is closed at once had been waiting when the port was."""
    try:
        socket.create_connection((HOST, port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


class Terminated(RealCase):
    def test_sigterm_in_mid_traffic_loses_nothing_that_is_in_flight(self):
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [nginx.address]}})
        with Wire(candor.ports["web"]) as download:
            kinds = [callers.SMALL_GET, callers.LARGE_GET, callers.ECHO]
            with Traffic(candor.url("web", ""), kinds, pace=0.002) as traffic:
                until(lambda: traffic.right() >= 40, "40 requests were answered")
                download.get("/of/download/slow/large-1?rate=700k")
                head = download.head()
                candor.terminate()
                body = download.some(1_000_000)
                self.assertEqual(candor.process.wait(), 0, candor.process.stderr)
                answers = traffic.stop()
            self.assertEqual((head.status, body), (200, content("large-1")))
        self.assertTrue(_refuses(candor.ports["web"]))
        self.assertTrue(_refuses(candor.ports["admin"]))
        # Each caller has whole answers, until there is nobody any more. What Candor took up it has answered.
        self.assertEqual([answer for answer in answers if not answer.right and not answer.broken], [])
        log = candor.access_log()
        self.assertEqual({line["result"] for line in log}, {"answered"})
        right = {answer.path for answer in answers if answer.right}
        self.assertEqual({line["path"] for line in log}, right | {"/of/download/slow/large-1"})
        # And nginx was asked exactly that.
        self.assertEqual(sorted((line.uri.split("?")[0], line.attempt) for line in nginx.lines()),
                         sorted(attempt.key for attempt in attempts(log, "web")))

    def test_a_draining_candor_is_not_ready_takes_nobody_new_and_finishes(self):
        held = HeldAnswer()
        upstream = self.upstream(held)
        candor = self.candor({"web": {"endpoints": [upstream.address]}}, drain_timeout="1h")
        with Wire(candor.ports["web"]) as caller:
            caller.get("/")
            self.assertEqual((caller.head().status, caller.some(5)), (200, b"first"))
            candor.terminate()
            until(candor.is_draining, "/readyz said 503")
            self.assertEqual(candor.ask("/livez").status_code, 200)
            until(lambda: _refuses(candor.ports["web"]), "the port was closed")
            self.assertIsNone(candor.process.status())
            self.assertEqual(candor.ledger("web")["started"], 1)
            held.release.set()
            self.assertEqual(caller.some(5), b"other")
            self.assertTrue(caller.ends())
        self.assertEqual(candor.process.wait(), 0, candor.process.stderr)

    def test_an_answer_that_begins_while_draining_says_that_the_connection_closes(self):
        asked, release = threading.Event(), threading.Event()

        def script(conversation):
            conversation.request()
            asked.set()
            release.wait(60)
            conversation.answer("late, but whole")

        upstream = self.upstream(script)
        candor = self.candor({"web": {"endpoints": [upstream.address]}}, drain_timeout="1h")
        with Wire(candor.ports["web"]) as caller:
            caller.get("/")
            until(asked.is_set, "the upstream was asked")
            candor.terminate()
            until(candor.is_draining, "/readyz said 503")
            release.set()
            answer = caller.answer()
            self.assertEqual((answer.body, answer.get("Connection")), (b"late, but whole", "close"))
            self.assertTrue(caller.ends())
        self.assertEqual(candor.process.wait(), 0, candor.process.stderr)

    def test_callers_that_had_connected_before_the_signal_are_answered(self):
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [nginx.address]}}, workers=1)
        # The kernel takes their connections and requests while Candor stands still. When it goes on, they and the
        # signal are there at the same time.
        candor.process.signal(signal.SIGSTOP)
        waiting = [Wire(candor.ports["web"]).get("/files/small-0") for _ in range(600)]
        candor.terminate()
        candor.process.signal(signal.SIGCONT)
        for caller in waiting:
            self.assertEqual(caller.answer().body, content("small-0"))
            caller.close()
        self.assertEqual(candor.process.wait(), 0, candor.process.stderr)

    def test_connections_without_a_request_do_not_hold_up_the_end(self):
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [nginx.address]}}, drain_timeout="1h", limits={"idle": "1h"})
        with Wire(candor.ports["web"]) as fresh, Wire(candor.ports["web"]) as used:
            used.get("/files/small-0")
            self.assertEqual(used.answer().status, 200)
            candor.terminate()
            self.assertEqual(candor.process.wait(), 0, candor.process.stderr)
            self.assertTrue(used.ends())
            self.assertTrue(fresh.ends())

    def test_the_drain_timeout_bounds_the_end(self):
        upstream = self.upstream(HeldAnswer())
        candor = self.candor({"web": {"endpoints": [upstream.address]}}, drain_timeout="100ms")
        with Wire(candor.ports["web"]) as caller:
            caller.get("/")
            caller.some(1)
            candor.terminate()
            candor.process.wait()
            self.assertTrue(caller.is_reset(), "what could not be finished does not look whole")

    def test_a_second_sigterm_ends_it_at_once(self):
        upstream = self.upstream(HeldAnswer())
        candor = self.candor({"web": {"endpoints": [upstream.address]}}, drain_timeout="1h")
        with Wire(candor.ports["web"]) as caller:
            caller.get("/")
            caller.some(1)
            candor.terminate()
            until(candor.is_draining, "/readyz said 503")
            candor.terminate()
            candor.process.wait()
            self.assertTrue(caller.is_reset(), "what could not be finished does not look whole")

    def test_ctrl_c_is_as_good_as_sigterm(self):
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [nginx.address]}})
        candor.process.signal(signal.SIGINT)
        self.assertEqual(candor.process.wait(), 0, candor.process.stderr)

    def test_a_caller_of_the_admin_port_does_not_hold_up_the_end(self):
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [nginx.address]}}, drain_timeout="1h")
        with Wire(candor.ports["admin"]) as operator:
            operator.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual(operator.answer().status, 200)
            candor.terminate()
            self.assertEqual(candor.process.wait(), 0, candor.process.stderr)

    def test_the_books_of_a_drained_candor_balance(self):
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [nginx.address]}})
        with Traffic(candor.url("web", ""), [callers.SMALL_GET], callers=2, each=10) as traffic:
            traffic.finish()
        books = settled_books(self, candor, "web")
        self.assertEqual(candor.stop(), 0)
        self.assertEqual(len(candor.access_log()), len(books.requests), "the log is written out before the end")


if __name__ == "__main__":
    main()
