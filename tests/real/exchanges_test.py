"""Random exchanges, checked byte by byte: nothing is lost, swapped or added, whoever breaks off where.

    CANDOR_EXCHANGES=10000 CANDOR_EXCHANGES_SEED=7 tests/real/exchanges_test.py CANDOR
"""

import os
import random
import socket
import threading
from collections import Counter, defaultdict

from support.books import settled_books
from support.case import RealCase, main
from support.exchanges import Ended, Plan, PlannedUpstream, Received, Stream, narrow
from support.ports import HOST
from support.waiting import PATIENCE, until

_COUNT = int(os.environ.get("CANDOR_EXCHANGES", "1000"))
_SEED = int(os.environ.get("CANDOR_EXCHANGES_SEED") or random.SystemRandom().randrange(10**9))
_LANES = 6  # callers at once
_LONGEST_PIPELINE = 8


def _made_up():
    """The exchanges in the order of their callers: lists, of which each goes over the wire together."""
    rng = random.Random(f"{_SEED}/lists")
    made, number = [], 0
    while number < _COUNT:
        size = min(rng.choice((1,) * 30 + tuple(range(2, _LONGEST_PIPELINE + 1))), _COUNT - number)
        made.append([Plan(_SEED, n, pipelined=size > 1) for n in range(number, number + size)])
        number += size
    return made


class _Lane(threading.Thread):
    """A caller: one list of exchanges after the other, on a connection that is kept if it may be."""

    def __init__(self, port, lists):
        super().__init__(daemon=True)
        self._port = port
        self._lists = lists
        self._stream = None
        self.came = {}  # what became of each exchange: right, own, broken, left
        self.problems = []
        self.connections = 0

    def run(self):
        for plans in self._lists:
            try:
                self._carry(plans)
            except Exception as problem:  # not as planned, or the mistake is here
                self.problems.append(f"{plans}: {problem!r}")
                self._drop()
            if len(self.problems) > 5:
                return
        self._drop()

    def _drop(self, resets=False):
        if self._stream:
            self._stream.close(resets)
        self._stream = None

    def _carry(self, plans):
        if not self._stream:
            connection = socket.socket()
            if self.connections % 4 == 3:
                narrow(connection)
            connection.connect((HOST, self._port))
            self._stream = Stream(connection)
            self.connections += 1
        try:
            if plans[0].end == "caller sends":
                return self._leave_early(plans[0])
            sent_all = self._send(plans)
        finally:
            for plan in plans:
                plan.request_sent.set()
        for plan in plans:
            goes_on = self._read(plan, sent_all)
            if not goes_on:
                assert plan is plans[-1], f"the connection ended after {plan}"
                self._drop()
        return None

    def _leave_early(self, plan):
        pieces = plan.request_pieces()
        self.came[plan.path] = "left"
        try:
            self._stream.send(pieces, plan.request_sent, int(plan.where * sum(map(len, pieces))))
        finally:
            self._drop(plan.resets)

    def _send(self, plans):
        """Whether all could be sent. If it couldn't, its answer has come, or the connection is broken."""
        try:
            self._stream.send([piece for plan in plans for piece in plan.request_pieces()], plans[0].request_sent)
        except Ended:
            assert len(plans) == 1 and plans[0].end == "upstream reads", f"nobody read {plans}"
            return False
        return True

    def _read(self, plan, sent_all):
        """Whether the connection goes on."""
        if plan.caller_tarries and self._stream.until_readable():
            plan.answer_sent.wait(PATIENCE)
        try:
            start, fields = self._stream.head() or self._no_answer()
            while start.split(" ")[1] == "103":
                assert plan.interim and fields == {"link": "early"}, f"an interim answer of somebody else: {plan}"
                start, fields = self._stream.head() or self._no_answer()
        except Ended:
            return self._broken(plan, Received())
        status = int(start.split(" ")[1])
        if fields.get("proxy-status", "").startswith("candor; error="):
            return self._own(plan, status, fields)
        assert fields["x-path"] == plan.path, f"the answer of {fields['x-path']} for {plan}"
        assert fields["x-received"] == plan.request.sum(), f"the upstream got another body: {plan}"
        assert status == plan.status, f"{status}: {plan}"
        assert fields.get("x-padding", "") == "x" * plan.answer_padding, f"other padding: {plan}"
        most = int(plan.where * len(plan.gets)) if plan.end == "caller reads" else None
        received = Received()
        try:
            received.take(self._stream.pieces(self._framing(plan, fields)), most)
        except Ended:
            return self._broken(plan, received)
        assert received.sum() == plan.answer.sum(received.size) and received.size <= len(plan.gets), f"bytes: {plan}"
        if plan.end == "caller reads":
            self.came[plan.path] = "left"
            self._drop(plan.resets)
            return False
        assert received.size == len(plan.gets), f"{received.size} bytes came whole: {plan}"
        assert plan.end is None, f"this can't be whole: {plan}"
        trailers = [] if plan.method == "HEAD" else plan.answer.trailers
        assert self._stream.trailers == trailers, f"{self._stream.trailers}: {plan}"
        assert sent_all
        self.came[plan.path] = "right"
        closes = fields.get("connection") == "close"
        assert closes == plan.caller_closes, f"closes {closes}: {plan}"
        return not closes

    def _no_answer(self):
        raise Ended("closed")

    def _framing(self, plan, fields):
        if plan.method == "HEAD":
            return "none"
        return "chunked" if "transfer-encoding" in fields else int(fields["content-length"])

    def _broken(self, plan, received):
        assert plan.end and plan.end.startswith("upstream"), f"broke without reason: {plan}"
        assert received.sum() == plan.answer.sum(received.size), f"other bytes came: {plan}"
        assert plan.end == "upstream's body" or len(plan.request.content) > 0, f"nobody said why: {plan}"
        self.came[plan.path] = "broken"
        return False

    def _own(self, plan, status, fields):
        assert plan.end and plan.end.startswith("upstream"), f"{fields['proxy-status']}: {plan}"
        assert status == 502, f"{status}: {plan}"
        size = 0 if plan.method == "HEAD" else int(fields["content-length"])
        with_body = Received()
        with_body.take(self._stream.pieces(size))
        self.came[plan.path] = "own"
        return fields.get("connection") != "close"


class Exchanges(RealCase):
    def test_no_byte_is_lost_or_swapped_whoever_breaks_off_where(self):
        print(f"CANDOR_EXCHANGES_SEED={_SEED} CANDOR_EXCHANGES={_COUNT}", flush=True)
        lists = _made_up()
        self.plans = {plan.path: plan for plans in lists for plan in plans}
        self.peer = self._of_this_test(PlannedUpstream(self.plans))
        slow = {"connect": "30s", "attempt": "60s", "request": "120s", "idle": "60s"}
        candor = self.candor(
            {"web": {"endpoints": [self.peer.address], "retry": {"attempts": 1}, "breaker": {"enabled": False},
                     "timeouts": slow}},
            access_log={"mode": "all", "path": str(self.folder / "candor-access.log"), "queue": 100_000})
        lanes = [_Lane(candor.ports["web"], lists[n::_LANES]) for n in range(_LANES)]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            until(lambda lane=lane: not lane.is_alive(), "all exchanges were through", within=20 * PATIENCE)
        self.assertEqual([problem for lane in lanes for problem in lane.problems], [], f"seed {_SEED}")
        self.assertEqual(self.peer.problems, [], f"seed {_SEED}")
        self.came = {path: end for lane in lanes for path, end in lane.came.items()}
        self.assertEqual(self.came.keys(), self.plans.keys())
        books = settled_books(self, candor, "web")
        self._check_books(books)
        sent = sum(len(each.request.content) for each in self.plans.values()) >> 20
        asked = sum(len(each.gets) for each in self.plans.values()) >> 20
        print(f"  {sum(lane.connections for lane in lanes)} connections, {sent} MiB of requests, {asked} MiB of",
              f"answers; the callers saw {dict(Counter(self.came.values()))}; {books.ledger}", flush=True)

    def _check_books(self, books):
        """Every exchange is in the log once, with what its caller saw and with each byte and each attempt; those
        that a caller broke off may be missing, and never blame the upstream."""
        logged = defaultdict(list)
        for line in books.requests:
            logged[line["path"]].append(line)
        attempts = defaultdict(Counter)
        for attempt in books.attempts:
            attempts[attempt.path][attempt.outcome] += 1
        for path, plan in self.plans.items():
            lines, told, end = logged[path], attempts[path], self.came[path]
            with self.subTest(repr(plan), seed=_SEED, came=end):
                if end == "left":
                    self.assertLessEqual(len(lines), 1)
                    self.assertEqual(told["failure"], 0, lines)
                    self.assertLessEqual(self.peer.seen[path], told.total())
                    continue
                self.assertEqual(len(lines), 1)
                self.assertEqual(self.peer.seen[path], told.total(), lines)
                if end == "right":
                    self.assertEqual((lines[0]["result"], lines[0]["status"]), ("answered", plan.status))
                    self.assertEqual((lines[0]["bytes_in"], lines[0]["bytes_out"]),
                                     (len(plan.request.content), len(plan.gets)))
                    self.assertEqual(told, Counter(success=1))
                else:
                    self.assertIn(lines[0]["result"], ("failed",) if end == "own" else ("failed", "broken"))
                    # One that must not be sent again and broke on a connection that was used before: that may have
                    # been closed already, so it is no word about the upstream.
                    failures = (0, 1) if told["excluded"] and plan.request.framing != "none" else (1,)
                    self.assertIn(told["failure"], failures, lines)
                    self.assertEqual((told["success"], told["abandoned"]), (0, 0), lines)
        for direction, metric in (("bytes_in", "request"), ("bytes_out", "answer")):
            self.assertEqual(books.metrics.value(f"candor_{metric}_body_bytes_total", upstream="web"),
                             sum(line[direction] for line in books.requests))


if __name__ == "__main__":
    main()
