"""Everything at once, for as long as wanted: callers of every kind, upstreams well, ill and dying, one Candor.

    SOAK_SECONDS=600 SOAK_SEED=7 tests/real/soak_test.py CANDOR

The seed says what each caller asks and what becomes of each attempt, in the order of that caller; how the threads
meet is the machine's affair.
"""

import os
import random
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path

from support import crowd
from support.books import imbalance, settled_books
from support.case import RealCase, main
from support.crowd import Crowd
from support.processes import resident
from support.unruly import WELL, WILD, UnrulyUpstream
from support.waiting import PATIENCE, until

_SECONDS = float(os.environ.get("SOAK_SECONDS", "5"))
_SEED = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**9))
_IDLE = 4.0  # seconds that a caller's connection may idle
_UPSTREAMS = ("web", "wild", "moody", "mortal")
_QUICK = {"open": {"first": "50ms", "cap": "500ms"}, "ramp": {"cap": "500ms"}, "window": "2s"}
_TIMEOUTS = {"connect": "500ms", "attempt": "600ms", "request": "2s", "idle": "900ms"}

# Resident memory at the end over that after the first fifth of the time, which is the warm-up. All that Candor keeps
# is bounded, by connections and by time, and both are the same in all the fifths; what remains are the pieces that the
# sanitizer's allocator can't put to use. In a few seconds the warm-up is none.
_GROWTH = (48 if _SECONDS >= 60 else 128) * 2**20

# The address sanitizer keeps 256 MB of freed memory by default, which would hide growth until they are full.
_ASAN = "quarantine_size_mb=16"


class _Process:
    """What the kernel says of Candor."""

    def __init__(self, pid):
        self._pid = pid
        self._folder = Path(f"/proc/{pid}")

    def resident(self):
        return resident(self._pid)

    def descriptors(self):
        """What is open: each one's number, and what it is."""
        found = {}
        for entry in os.listdir(self._folder / "fd"):
            try:
                found[int(entry)] = os.readlink(self._folder / "fd" / entry).split(":")[0]
            except OSError:
                pass  # closed meanwhile
        return found


class _Weather:
    """Makes upstreams ill and well, and lets others die and come back, by turns of chance."""

    def __init__(self, seed, ill, mortals, shortest):
        self._rng = random.Random(f"{seed}/weather")
        self._ill = ill
        self._mortals = mortals
        self._shortest = shortest
        self._stopping = threading.Event()
        self.deaths = 0
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._illness, self._mortality)]
        for thread in self._threads:
            thread.start()

    def _illness(self):
        rng = random.Random(f"{self._rng.random()}/illness")
        while not self._stopping.wait(self._shortest * (1 + 5 * rng.random())):
            self._ill.set()
            self._stopping.wait(self._shortest * (1 + 2 * rng.random()))
            self._ill.clear()

    def _mortality(self):
        rng = random.Random(f"{self._rng.random()}/mortality")
        while not self._stopping.wait(self._shortest * (1 + 6 * rng.random())):
            for mortal in self._mortals:
                mortal.die()
            self.deaths += 1
            self._stopping.wait(self._shortest * (0.2 + 2 * rng.random()))
            for mortal in self._mortals:
                mortal.rise()

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join(PATIENCE)


class Soak(RealCase):
    def setUp(self):
        super().setUp()
        self.sanitizer_options(_ASAN)

    def test_everything_at_once(self):
        print(f"SOAK_SEED={_SEED} SOAK_SECONDS={_SECONDS:g}", flush=True)
        self._start()
        idle_descriptors = self.process.descriptors()
        weather = _Weather(_SEED, self.ill, self.peers["mortal"], min(1.0, _SECONDS / 20))
        self.crowd.start()
        memory = self._look_on()
        self.crowd.finish()
        weather.stop()
        print(f"  the mortal upstream died {weather.deaths} times", flush=True)

        self.assertEqual(self.crowd.problems, [])
        # One that fails must not hide what the others found.
        books = {name: settled_books(self, self.proxy, name) for name in _UPSTREAMS}
        with self.subTest("callers and log"):
            self._check_what_was_seen(self._log_by_path(books))
        with self.subTest("nginx"):
            self._check_nginx(books["web"])
        for name in ("wild", "moody", "mortal"):
            with self.subTest(name):
                self._check_upstream(name, books[name])
        with self.subTest("descriptors"):
            self._check_descriptors(idle_descriptors)
        with self.subTest("connections"):
            self._check_connections()
        with self.subTest("memory"):
            self._check_memory(memory)
        self.assertEqual(self.proxy.stop(), 0)
        self.assertEqual(self.proxy.died(), "", self.proxy.report())

    def _start(self):
        self.nginx_peer = self.nginx()
        self.ill = threading.Event()

        def peers(number, turns, ill=None):
            return [self._of_this_test(UnrulyUpstream(f"{_SEED}", turns, ill)) for _ in range(number)]

        self.peers = {"wild": peers(2, WILD), "moody": peers(2, {**WELL, "unavailable": 6, "interim": 2}, self.ill),
                      "mortal": peers(1, {**WELL, "unavailable": 2, "late": 1})}
        unruly = {"timeouts": _TIMEOUTS, "retry": {"backoff": {"base": "2ms", "cap": "20ms"}}}
        self.proxy = self.candor(
            {"web": {"endpoints": [self.nginx_peer.address]},
             "wild": {**unruly, "endpoints": self._addresses("wild"), "breaker": {"enabled": False}},
             "moody": {**unruly, "endpoints": self._addresses("moody"), "breaker": _QUICK},
             "mortal": {**unruly, "endpoints": self._addresses("mortal"), "breaker": _QUICK}},
            listeners=[{}], limits={"idle": f"{_IDLE:g}s", "head_timeout": "2s"}, pool={"idle": "700ms"},
            access_log={"mode": "all", "path": str(self.folder / "candor-access.log"), "queue": 100_000})
        self.process = _Process(self.proxy.process.pid)
        self.crowd = Crowd(_SEED, {name: self.proxy.ports[name] for name in (*_UPSTREAMS, "shared")}, self.folder,
                           _IDLE)
        add = self.crowd.add
        add(crowd.Steady, "web")
        for name in ("wild", "moody", "mortal"):
            add(crowd.Steady, name)
            add(crowd.Steady, name)
            add(crowd.Pipelining, name)
        add(crowd.Pipelining, "web")
        for _ in range(2):
            add(crowd.Sharing, *_UPSTREAMS)
            add(crowd.Idling, *_UPSTREAMS)
            add(crowd.Requesting)
            add(crowd.Uploading, *_UPSTREAMS)
            add(crowd.Leaving, *_UPSTREAMS)
        add(crowd.Leaving, *_UPSTREAMS)
        add(crowd.Storing)
        add(crowd.Stammering, *_UPSTREAMS)
        add(crowd.Strange)
        add(crowd.Old, *_UPSTREAMS)
        add(crowd.Curling, *_UPSTREAMS)

    def _addresses(self, name):
        return [peer.address for peer in self.peers[name]]

    def _look_on(self):
        """For as long as wanted; gives (when, memory) of each look. An account balances at any instant."""
        began = time.monotonic()
        memory, told = [], began
        while (now := time.monotonic()) < began + _SECONDS and not self.crowd.problems:
            for name in _UPSTREAMS:
                account = self.proxy.account(name)
                self.assertEqual(imbalance(account["ledger"]), 0, account["ledger"])
                self.assertLessEqual(account["circuit"]["probes_in_flight"], 1)
            self.assertEqual(self.proxy.process.died(), "", self.proxy.report())
            memory.append((now - began, self.process.resident()))
            if now - told > 30:
                told = now
                print(f"  {now - began:.0f}s: {len(self.crowd.seen)} requests, {memory[-1][1] >> 20} MB, "
                      f"{len(self.process.descriptors())} descriptors", flush=True)
            self.crowd.stopping.wait(min(0.5, _SECONDS / 20))
        return memory

    def _log_by_path(self, books):
        logged = {}
        for name, each in books.items():
            print(f"  {name}: {len(each.requests)} requests, " + ", ".join(
                f"{count} {result}" for result, count in Counter(line["result"] for line in each.requests).items()))
            print(f"    attempts: {each.ledger}")
            for line in each.requests:
                self.assertNotIn(line["path"], logged, "a request is logged once")
                logged[line["path"]] = line
        return logged

    def _check_what_was_seen(self, logged):
        """Callers and access log tell the same of each request."""
        results = {"right": ("answered",), "told": ("answered",), "own": ("failed", "refused"), "broken": ("broken",)}
        known = set()
        for seen in self.crowd.seen:
            line = logged.get(seen.path)
            known.add(seen.path)
            if seen.end in ("left", "unknown"):
                continue
            self.assertIsNotNone(line, f"not in the log: {seen}")
            self.assertEqual(line["upstream"], seen.upstream)
            self.assertIn(line["result"], results[seen.end], f"{seen}: {line}")
            if seen.end != "broken":
                self.assertEqual(line["status"], seen.status, f"{seen}: {line}")
            if seen.attempt:
                self.assertEqual(line["attempts"][-1]["n"], seen.attempt, f"{seen}: {line}")
        print("  callers saw:", dict(Counter(seen.end for seen in self.crowd.seen)))
        self.assertEqual(len(known), len(self.crowd.seen))
        self.assertEqual(set(logged) - known, set(), "requests that nobody made")
        # nginx never fails, so nobody's request to it does. That of one whose connection had idled may get lost.
        lost = [seen for seen in self.crowd.seen if seen.upstream == "web" and seen.end not in ("right", "left")
                and not (seen.end == "unknown" and "/idling" in seen.path)]
        self.assertEqual(lost, [])
        rejected = self.proxy.metrics().value("candor_rejected_total")
        print(f"  {self.crowd.strange} messages that were no requests, {rejected:.0f} rejected,",
              f"{len(self.crowd.rejections)} of them read by their callers")
        self.assertGreaterEqual(rejected, len(self.crowd.rejections))

    def _check_nginx(self, books):
        """The line of an attempt that succeeded is there, once. An abandoned one may have been read or not; and
        one that was sent on a connection from the pool as it closed (excluded), or whose caller broke off its body
        (excluded), likewise. So much is undetermined, and no more."""
        self.assertEqual(books.ledger["failure"], 0, books.ledger)
        peer = self.nginx_peer
        certain = Counter(attempt.key for attempt in books.attempts if attempt.outcome == "success")
        self.assertTrue(until(lambda: len(peer.lines()) >= len(certain), "nginx had written its lines"))
        until(lambda: not certain - self._lines(), "each success had a line")
        self._compare("web", certain, Counter(attempt.key for attempt in books.attempts), self._lines(),
                      books.ledger["started"])

    def _lines(self):
        return Counter((line.uri, line.attempt) for line in self.nginx_peer.lines())

    def _check_upstream(self, name, books):
        """An attempt is counted by the upstream when its head has come, before anything is answered. So what
        succeeded, or failed by something that was answered, was counted, exactly once; what found nobody listening
        was not. Undetermined is what Candor gave up: by timeout, or because the caller left (abandoned) or broke
        off its body (excluded); and what broke without an answer (reset), as the connection was from the pool
        (excluded) or the upstream died: its last bytes may lie unread. An upstream that never dies has read what
        it resets."""
        answered = {"status", "overload", "truncated", "protocol"} | ({"reset"} if name != "mortal" else set())
        certain, possible = Counter(), Counter()
        for attempt in books.attempts:
            key = attempt.path, str(attempt.number)
            if attempt.outcome == "success" or attempt.kind in answered:
                certain[key] += 1
            if attempt.kind != "connect":
                possible[key] += 1
        seen = Counter()
        for peer in self.peers[name]:
            self.assertEqual(peer.problems, [])
            for (path, number), times in dict(peer.seen).items():
                seen[path, str(number)] += times
        self._compare(name, certain, possible, seen, books.ledger["started"])
        turned = Counter()
        for peer in self.peers[name]:
            turned.update(peer.turned)
        print(f"    turns: {dict(turned)}")

    def _compare(self, name, certain, possible, seen, started):
        print(f"  {name}: {started} attempts; the upstream has seen {seen.total()}: {certain.total()} were certain,",
              f"{possible.total() - certain.total()} undetermined, {started - possible.total()} impossible")
        self.assertEqual(certain - seen, Counter(), f"{name}: attempts that were made and never came")
        self.assertEqual(seen - possible, Counter(), f"{name}: attempts that came and never were made")

    def _check_descriptors(self, idle_descriptors):
        """Nobody is there, and after the pool's time nothing is open that wasn't at the beginning."""
        def kinds(found):
            return Counter(found.values())

        until(lambda: kinds(self.process.descriptors()) <= kinds(idle_descriptors),
              lambda: f"no more than {kinds(idle_descriptors)} were open; it is {kinds(self.process.descriptors())}")
        print(f"  no more than {len(idle_descriptors)} descriptors, as at the beginning")

    def _check_connections(self):
        """What Candor counts of them agrees with that."""
        metrics = self.proxy.metrics()
        self.assertEqual(metrics.value("candor_caller_connections"), 0)
        print(f"  {metrics.value('candor_caller_connections_accepted_total'):.0f} connections of callers")
        told = {name: [int(metrics.value(f"candor_{which}", upstream=name)) for which in (
            "connections_opened_total", "connections_closed_total", "connections_open", "pool_idle_connections")]
                for name in _UPSTREAMS}
        print("  connections to endpoints, opened, closed, open, idle:", told)
        self.assertEqual({name: [opened, opened, 0, 0] for name, (opened, *_) in told.items()}, told)

    def _check_memory(self, memory):
        fifths = defaultdict(list)
        for when, resident in memory:
            fifths[min(4, int(when / _SECONDS * 5))].append(resident)
        print("  memory, the most in each fifth of the time:",
              ", ".join(f"{max(fifths[n], default=0) >> 20} MB" for n in range(5)))
        # The last look of the warm-up, not its peak: an early peak must not hide growth.
        self.assertLess(max(fifths[4]) - fifths[0][-1], _GROWTH)


if __name__ == "__main__":
    main()
