"""Go's net/http through Candor, as the caller and as the upstream: the two of them know trailers and interim
answers."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from support.books import settled_books
from support.case import RealCase, main
from support.optional import needs_program, program
from support.ports import HOST
from support.processes import Process, ended
from support.waiting import until

_SOURCE = Path(__file__).resolve().parent / "runtimes" / "nethttp.go"


@needs_program("go", "golang-go")
class Go(RealCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.built = Path(tempfile.mkdtemp(prefix="candor-go-"))
        cls.addClassCleanup(shutil.rmtree, cls.built, ignore_errors=True)
        cls.binary = cls.built / "nethttp"
        # Nothing but Go's own library: nothing is fetched.
        surroundings = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOPROXY": "off",
                        "GO111MODULE": "off", "GOFLAGS": ""}
        surroundings.setdefault("HOME", str(cls.built))  # for the cache
        subprocess.run([program("go"), "build", "-o", cls.binary, _SOURCE], cwd=cls.built,
                       env=surroundings, check=True)

    def setUp(self):
        super().setUp()
        self.peer = Process([self.binary, "serve"], self.folder, "peer")
        self.addCleanup(self.peer.kill)
        until(lambda: self.peer.stdout.endswith("\n"), lambda: f"it told its port; it said: {self.peer.stderr}")
        self.proxy = self.candor({"web": {"endpoints": [f"{HOST}:{self.peer.stdout.strip()}"]}}, workers=1)

    def _nethttp(self, what, successes, abandoned=0):
        process = ended([self.binary, "ask", what, self.proxy.url("web", "")], self.folder, "caller")
        self.assertEqual(process.status(), 0, process.stderr)
        ledger = settled_books(self, self.proxy, "web").ledger
        self.assertEqual((ledger["success"], ledger["abandoned"]), (successes, abandoned), ledger)
        self.assertEqual(ledger["started"], successes + abandoned, ledger)

    def test_a_transport_keeps_its_connection_over_all_methods_and_bodies(self):
        self._nethttp("bodies", 25)

    def test_trailers_pass_both_ways(self):
        self._nethttp("trailers", 1)

    def test_many_goroutines_share_few_connections(self):
        self._nethttp("crowd", 192)

    def test_a_stream_arrives_piece_by_piece(self):
        self._nethttp("steps", 4)

    def test_a_request_that_is_cancelled_costs_only_itself(self):
        self._nethttp("leaving", 1, abandoned=1)

    def test_interim_answers_arrive(self):
        self._nethttp("hints", 1)

    def test_a_body_waits_until_it_is_asked_for(self):
        self._nethttp("expect", 2)

    def test_a_body_that_is_refused_is_not_sent(self):
        self._nethttp("refused", 2)


if __name__ == "__main__":
    main()
