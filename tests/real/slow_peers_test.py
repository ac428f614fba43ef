"""Thousands of slow peers at once: those who are not slow are served as if the others were not there.

    tests/real/slow_peers_test.py CANDOR --figures [SECONDS]

measures what they cost the others, which no test does: requests per second by wrk(1) to nginx, without and with them.
"""

import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from statistics import median

from support.books import settled_books
from support.case import RealCase, main
from support.processes import cpu_seconds, resident
from support.slow import (HALF_BODY, HALF_HEAD, NEVER_READ, PatientUpstream, SlowCrowd, allow_descriptors, body_of)
from support.waiting import until
from support.wire import Wire

_WANTED = 2_000
# Each takes a descriptor here, up to two in Candor, and one in the upstream, which is here as well.
_COUNT = min(_WANTED, (allow_descriptors(4 * _WANTED) - 1_000) // 3)
_TIMEOUTS = {"connect": "10s", "attempt": "60s", "request": "60s", "idle": "60s"}
_LIMITS = {"head_timeout": "60s", "idle": "60s"}

_BLOCK = 68 * 1024  # what Candor reads into: one for a caller with something under way, one for its endpoint
_ELSE = 16 * 1024  # a connection's other memory: its session, its exchange, the metadata of its sockets
_SHADOW = 9 / 8  # what the address sanitizer adds

# It keeps 256 MB of freed memory by default, which would look like growth.
_ASAN = "quarantine_size_mb=16"


def _shares(count):
    """How many send half a head, how many half a body, and how many never read."""
    return count // 3, count // 3, count - 2 * (count // 3)


def _bound(count):
    heads, bodies, readers = _shares(count)
    return int((heads * (_BLOCK + _ELSE) + (bodies + readers) * (2 * _BLOCK + 2 * _ELSE)) * _SHADOW)


class _Traffic:
    """Callers in threads of their own that ask, read and check; each changes its connection now and then."""

    def __init__(self, port, name, callers=4, each=250):
        self.problems = []
        self.right = 0
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(port, f"{name}{n}", each), daemon=True)
                         for n in range(callers)]
        for thread in self._threads:
            thread.start()

    def _run(self, port, name, each):
        try:
            for begin in range(0, each, 25):
                with Wire(port) as caller:
                    for n in range(begin, begin + 25):
                        target = f"/normal/{name}/{n}"
                        if n % 3:
                            caller.get(target)
                        else:
                            caller.send(f"POST {target} HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\n\r\nhello")
                        answer = caller.answer()
                        assert (answer.status, answer.body) == (200, body_of(target).encode()), f"{target}: {answer}"
                        with self._lock:
                            self.right += 1
        except Exception as problem:
            self.problems.append(repr(problem))

    def finished(self):
        return not any(thread.is_alive() for thread in self._threads)


class _Slow(RealCase):
    def setUp(self):
        super().setUp()
        self.sanitizer_options(_ASAN)
        self.peer = self._of_this_test(PatientUpstream())

    def _start(self, limits=None, timeouts=None, **options):
        self.proxy = self.candor(
            {"web": {"endpoints": [self.peer.address], "timeouts": {**_TIMEOUTS, **(timeouts or {})},
                     "limit": {"attempts": _COUNT}}},  # all of them may be under way at once
            limits={**_LIMITS, **(limits or {})}, **options)
        self.port = self.proxy.ports["web"]
        self.crowd = SlowCrowd(self.port)
        self.addCleanup(self.crowd.leave)

    def _serves(self, name, each=250):
        traffic = _Traffic(self.port, name, each=each)
        until(traffic.finished, "all were answered")
        self.assertEqual(traffic.problems, [])
        self.assertEqual(traffic.right, 4 * each)

    def _connections(self):
        return self.proxy.metrics().value("candor_caller_connections")

    def _accepted(self):
        return self.proxy.metrics().value("candor_caller_connections_accepted_total")

    def _rejected(self):
        return self.proxy.metrics().value("candor_rejected_total", status="408")

    def _memory(self):
        return resident(self.proxy.process.pid)


class SlowPeers(_Slow):
    def _come(self):
        heads, bodies, readers = _shares(_COUNT)
        self.crowd.join(heads, HALF_HEAD)
        self.crowd.join(bodies, HALF_BODY)
        self.crowd.join(readers, NEVER_READ)
        until(lambda: self._connections() == _COUNT, lambda: f"all had come; {self._connections()} had")
        # Attempts to which there is an answer have been settled.
        until(lambda: self.proxy.metrics().value("candor_requests_in_flight", upstream="web") == bodies + readers,
              "all that were whole enough were under way")

    def _go(self, resets):
        self.crowd.leave(resets)
        until(lambda: self._connections() == 0, "all had gone")

    def test_thousands_of_slow_peers_disturb_nobody_and_cost_a_bounded_amount_of_memory(self):
        self._start()
        self._serves("before")
        until(lambda: self._connections() == 0, "nobody was there")
        told = {"before": self._memory()}
        for wave in ("first", "second"):
            self._come()
            self._serves(f"{wave}-wave-")
            told[f"with the {wave} wave"] = self._memory()
            self._go(resets=wave == "second")
            told[f"after the {wave} wave"] = self._memory()
            self._serves(f"after-{wave}-wave-", each=50)
        bound = _bound(_COUNT)
        print(f"  {_COUNT} slow peers; MiB of memory: {({when: size >> 20 for when, size in told.items()})},",
              f"bound of their growth {bound >> 20}", flush=True)
        # What the first left behind is used again, so the second costs little more, and never more than the bound.
        self.assertLess(max(told.values()) - told["before"], bound)
        books = settled_books(self, self.proxy, "web")
        self.assertEqual(books.ledger["failure"], 0, "slow callers are nobody else's fault")

    def test_over_the_limit_of_connections_callers_are_told_and_those_inside_go_on(self):
        self._start(limits={"connections": 301})
        inside = Wire(self.port)
        self.addCleanup(inside.close)
        self.assertEqual(inside.get("/first").answer().status, 200)
        self.crowd.join(100, HALF_HEAD)
        self.crowd.join(100, HALF_BODY)
        self.crowd.join(100, NEVER_READ)
        until(lambda: self._connections() == 301, "all were inside")
        for n in range(50):
            with Wire(self.port) as turned_away:
                answer = turned_away.get(f"/{n}").answer()
                self.assertEqual((answer.status, answer.get("Connection")), (503, "close"))
                self.assertTrue(answer.get("Proxy-Status").startswith("candor; error=connection_limit_reached"), answer)
                self.assertEqual(answer.get("Retry-After"), "1")
            self.assertEqual(inside.get(f"/{n}").answer().body, body_of(f"/{n}").encode())
        self.assertEqual(self.proxy.metrics().value("candor_caller_connections_refused_total"), 50)
        self.crowd.leave()
        until(lambda: self._connections() == 1, "there was room again")
        self._serves("after", each=25)

    def test_slow_heads_are_given_up_in_time_without_being_asked(self):
        self._start(limits={"head_timeout": "300ms"})
        self.crowd.join(_COUNT // 4, HALF_HEAD)
        self._serves("meanwhile", each=50)
        until(lambda: self._rejected() == _COUNT // 4 and self._connections() == 0, "all were given up")

    def test_slow_bodies_and_slow_readers_are_given_up_in_time_and_blame_nobody_else(self):
        # Long enough for the upstream, which has much to send, on a slow machine; and few enough.
        self._start(timeouts={"idle": "2s"})
        self.crowd.join(50, HALF_BODY)
        self.crowd.join(50, NEVER_READ)
        until(lambda: self._accepted() == 100 and self._connections() == 0, "all were given up")
        books = settled_books(self, self.proxy, "web")
        self.assertEqual(books.ledger["failure"], 0, "the upstream is not to blame")
        ends = Counter((line["result"], line["status"]) for line in books.requests)
        self.assertEqual(ends, {("failed", 408): 50, ("abandoned", 200): 50})
        self._serves("after", each=25)


class FewDescriptors(_Slow):
    def _told(self, what):
        return [line for line in self.proxy.process.stderr.splitlines() if what in line]

    def test_with_its_descriptors_used_up_it_waits_and_says_so_and_recovers_by_itself(self):
        """Nobody leaves: those who are too slow are given up in turn, until there is room for all who wait."""
        self._start(limits={"head_timeout": "300ms"}, descriptors=80, workers=1)
        # Whatever happens later has happened before: the undefined-behaviour sanitizer takes a descriptor to look at
        # an object of a type that it meets for the first time.
        self.crowd.join(3, HALF_HEAD)
        self._serves("before", each=25)
        until(lambda: self._rejected() == 3, "they were given up")
        self.crowd.leave()
        until(lambda: self._connections() == 0, "they were gone")

        with Wire(self.port) as inside:
            self.assertEqual(inside.get("/before").answer().body, body_of("/before").encode())
            self.crowd.join(150, HALF_HEAD)
            until(lambda: self._told("no file descriptors left"), "it said that it has none left")
            behind = Wire(self.port).get("/behind")
            self.addCleanup(behind.close)
            for n in range(20):
                self.assertEqual(inside.get(f"/{n}").answer().body, body_of(f"/{n}").encode())
            self.assertEqual(behind.answer().body, body_of("/behind").encode())
            until(lambda: self._told("there are file descriptors again"), "it said that there are some again")
        self._serves("after", each=25)
        until(self.proxy.is_ready, "the admin port answered")
        self.assertEqual(settled_books(self, self.proxy, "web").ledger["failure"], 0)


class _Figures(_Slow):
    """Not a test: what slow peers cost the others."""

    seconds = 5
    turns = 5

    def _requests(self, url):
        """How many wrk got answered a second, and the microseconds of the processors that each cost Candor."""
        before = cpu_seconds(self.proxy.process.pid)
        said = subprocess.run(["wrk", "-t1", "-c32", f"-d{self.seconds}s", url], capture_output=True, text=True,
                              check=True).stdout
        cost = cpu_seconds(self.proxy.process.pid) - before
        count = int(next(line.split()[0] for line in said.splitlines() if " requests in " in line))
        return count / self.seconds, cost / count * 1e6

    def _rests(self):
        """Nothing moves any more: what the slow ones sent has come, and all that they leave unread stands still."""
        since, used = time.monotonic(), cpu_seconds(self.proxy.process.pid)

        def has_rested():
            nonlocal since, used
            now = cpu_seconds(self.proxy.process.pid)
            if now > used:
                since, used = time.monotonic(), now
            return time.monotonic() - since > 0.5
        until(has_rested, "nothing moved")

    def figures(self):
        if not shutil.which("wrk"):
            sys.exit("wrk is needed for this")
        nginx = self.nginx(requests=10**9)
        self.proxy = self.candor({"web": {"endpoints": [nginx.address]},
                                  "slow": {"endpoints": [self.peer.address], "timeouts": _TIMEOUTS}},
                                 limits={"head_timeout": "600s", "idle": "600s"}, access_log={"mode": "off"})
        url = self.proxy.url("web", "/files/small-0")
        heads, bodies, readers = _shares(_COUNT)
        rates, costs = [], []
        for turn in range(self.turns):
            before, memory = self._requests(url), self._memory()
            crowds = [SlowCrowd(self.proxy.ports[name]) for name in ("web", "slow")]
            crowds[0].join(heads, HALF_HEAD)
            crowds[1].join(bodies, HALF_BODY)
            crowds[1].join(readers, NEVER_READ)
            until(lambda: self._connections() == _COUNT, "all had come")
            self._rests()
            during, with_them = self._requests(url), self._memory()
            for crowd in crowds:
                crowd.leave()
            until(lambda: self._connections() == 0, "all had gone")
            self._rests()
            rates.append(during[0] / before[0])
            costs.append(during[1] / before[1])
            print(f"{turn + 1}: without {before[0]:.0f}/s, {before[1]:.1f} us each, {memory >> 20} MiB;",
                  f"with {_COUNT} slow peers {during[0]:.0f}/s, {during[1]:.1f} us each, {with_them >> 20} MiB;",
                  f"ratio of rates {rates[-1]:.2f}, of costs {costs[-1]:.2f};",
                  f"afterwards {self._memory() >> 20} MiB", flush=True)
        print(f"medians of {self.turns}: of rates {median(rates):.2f}, of costs {median(costs):.2f}")


if __name__ == "__main__":
    if "--figures" in sys.argv:
        at = sys.argv.index("--figures")
        _Figures.seconds = int((sys.argv[at + 1:] or [_Figures.seconds])[0])
        sys.argv[at:] = ["_Figures.figures"]
    main()
