"""The admin port: what it says is well-formed, and all of it tells the same story."""

import json
import re
from pathlib import Path

from support.books import attempts, settled_books
from support.callers import LARGE_GET, SMALL_GET, Traffic, curl
from support.candor import command
from support.case import RealCase, main
from support.documents import content
from support.exposition import Metrics
from support.ports import HeldPort
from support.waiting import until
from support.wire import Wire

_CATALOGUE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


def _documented():
    """Kinds of metrics by name, from the table in docs/metrics.md."""
    return dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", _CATALOGUE.read_text(), re.MULTILINE))


class AdminPort(RealCase):
    def setUp(self):
        super().setUp()
        dead = HeldPort()
        self.addCleanup(dead.release)
        self.web = self.nginx()
        listed = self.folder / "endpoints.yaml"
        listed.write_text(f"[{self.web.address}]\n")
        self.proxy = self.candor({
            "web": {"endpoints": [self.web.address], "retry": {"attempts": 1}, "check": {},
                    "limit": {"adaptive": {}, "queue": 8}, "throttle": {},
                    "shadow": {"breaker": {"trip": {"consecutive_failures": 5}}, "retry": {"attempts": 5}}},
            "dead": {"endpoints": [f"127.0.0.1:{dead.number}"], "retry": {"attempts": 1}},
            "pair": {"endpoints": [self.web.address, f"127.0.0.1:{dead.number}"]},
            "listed": {"discover": {"file": str(listed)}},
            "named": {"endpoints": [f"localhost:{dead.number}"]}})

    def test_it_answers_for_the_sidecar_whatever_its_upstreams_do(self):
        self._kill_the_circuit()
        for path in ("/livez", "/readyz", "/startupz"):
            self.assertEqual(self.proxy.ask(path).status_code, 200, path)

    def test_the_metrics_are_well_formed_and_are_those_of_the_catalogue(self):
        self._some_of_everything()
        until(self._usual_latency_is_known, "the limit knew what is usual")
        answer = self.proxy.ask("/metrics")
        self.assertIn("text/plain; version=0.0.4", answer.headers["Content-Type"])
        metrics = Metrics(answer.text)
        documented = _documented()
        self.assertGreater(len(documented), 30)
        self.assertEqual({family.name: family.kind for family in metrics.families.values()},
                         {name: kind for name, kind in documented.items() if name in metrics.families})
        # There is a series of each of them: everything happened here at least once.
        self.assertEqual(documented.keys() - metrics.families.keys(), set())
        self.assertEqual([family.name for family in metrics.families.values() if not family.help], [])
        self.assertEqual(metrics.value("candor_circuit_state", upstream="dead"), 1, "one state at a time")
        self.assertEqual(metrics.value("candor_circuit_state", upstream="dead", state="closed"), 0)

    def test_the_metrics_come_compressed_to_those_who_ask(self):
        plain = self.proxy.ask("/metrics", headers={"Accept-Encoding": "identity"})
        packed = self.proxy.ask("/metrics", headers={"Accept-Encoding": "gzip"})
        self.assertNotIn("Content-Encoding", plain.headers)
        self.assertEqual(packed.headers["Content-Encoding"], "gzip")
        self.assertLess(int(packed.headers["Content-Length"]), int(plain.headers["Content-Length"]))
        self.assertEqual(Metrics(packed.text).families.keys(), Metrics(plain.text).families.keys())

    def test_metrics_ledger_access_log_and_nginx_tell_the_same(self):
        self._some_of_everything()
        web = settled_books(self, self.proxy, "web")
        settled_books(self, self.proxy, "dead")
        total = web.metrics.value("candor_attempts_total")
        self.assertEqual(total, len(attempts(self.proxy.access_log(), "web"))
                         + len(attempts(self.proxy.access_log(), "dead")))
        until(lambda: len(self.web.lines()) >= len(web.attempts), "nginx had a line for each attempt")
        self.assertEqual(sorted((line.uri, line.status) for line in self.web.lines()),
                         sorted((each.path, each.status) for each in web.attempts))
        # nginx counts what frames a chunk, too; there is one such answer.
        sent = sum(line.sent for line in self.web.lines() if line.uri != "/chunked/small-1") + len(content("small-1"))
        self.assertEqual(sent, web.metrics.value("candor_answer_body_bytes_total", upstream="web"))
        self.assertEqual(sent, sum(line["bytes_out"] for line in web.requests))
        self.assertEqual(web.metrics.value("candor_request_duration_seconds_count", upstream="web"),
                         len(web.requests))
        self.assertEqual(web.metrics.value("candor_attempt_duration_seconds_count", upstream="web"),
                         web.ledger["success"] + web.ledger["failure"])

    def test_the_list_of_upstreams_names_them_all(self):
        listed = self.proxy.ask("/api/v1/upstreams").json()["upstreams"]
        self.assertEqual({each["name"] for each in listed}, {"web", "dead", "pair", "listed", "named"})
        self.assertEqual(self.proxy.account("web")["endpoints"][0]["address"], self.web.address)
        unknown = self.proxy.ask("/api/v1/upstreams/nobody")
        self.assertEqual(unknown.status_code, 404)
        self.assertIn("dead", unknown.json()["detail"])

    def test_the_evidence_of_an_opening_is_the_attempts_that_decided(self):
        self._kill_the_circuit()
        evidence = self.proxy.evidence("dead")
        opening = next(each for each in evidence["transitions"] if each["from"] == "closed")
        self.assertEqual((opening["to"], opening["rule"]), ("open", "evidence_run"))
        deciding = [each for each in opening["attempts"] if each["outcome"] == "failure"]
        self.assertEqual(len(deciding), opening["value"])
        self.assertEqual({each["kind"] for each in deciding}, {"connect"})
        logged = {line["request_id"] for line in self.proxy.access_log()}
        until(lambda: {each["request_id"] for each in deciding}
              <= logged | {line["request_id"] for line in self.proxy.access_log()},
              "the requests that decided stood in the access log")

    def test_explain_says_which_rule_opened_the_circuit(self):
        self._kill_the_circuit()
        said = self._explain("dead")
        self.assertEqual(said.status(), 0, said.stderr)
        self.assertRegex(said.stdout, r"^dead: circuit (OPEN|HALF-OPEN)")
        self.assertIn("rule evidence_run", said.stdout)
        self.assertRegex(said.stdout, r"\d+ × GET /of/\{id\}|\d+ × GET /")
        self.assertIn("No connection was made: nothing listens there", said.stdout)
        self.assertEqual(said.stdout, said.stdout.strip() + "\n")
        well = self._explain("web")
        self.assertIn("web: circuit CLOSED; it has not opened since Candor started.", well.stdout)

    def test_explain_of_a_name_that_is_none_says_which_there_are(self):
        said = self._explain("wbe")
        self.assertNotEqual(said.status(), 0)
        self.assertIn("web", said.stdout + said.stderr)
        self.assertIn("dead", said.stdout + said.stderr)

    def test_healthcheck_tells_by_its_exit_status(self):
        check = ["healthcheck", "--admin", self.proxy.admin_address]
        self.assertEqual(command(check, self.folder).status(), 0)
        self.assertEqual(self.proxy.stop(), 0)
        gone = command(check, self.folder)
        self.assertNotEqual(gone.status(), 0)
        self.assertEqual(len(gone.stderr.splitlines()), 1, gone.stderr)
        self.assertIn(self.proxy.admin_address, gone.stderr)
        said = self._explain("web")
        self.assertNotEqual(said.status(), 0)
        self.assertIn(self.proxy.admin_address, said.stderr)

    def test_a_circuit_held_by_hand_refuses_until_it_is_given_back(self):
        proxy = self.candor({"web": {"endpoints": [self.web.address]}}, name="ordered", admin={"changes": True})
        hold = ["hold", "web", "--admin", proxy.admin_address]
        self.assertEqual(command([*hold, "open"], self.folder).status(), 0)
        with Wire(proxy.ports["web"]) as caller:
            self.assertEqual(caller.get("/files/small-1").answer().status, 503)
        self.assertEqual(proxy.account("web")["ledger"]["started"], 0)
        self.assertEqual(command([*hold, "none"], self.folder).status(), 0)
        with Wire(proxy.ports["web"]) as caller:
            self.assertEqual(caller.get("/files/small-1").answer().status, 200)
        refused = command(["hold", "web", "open", "--admin", self.proxy.admin_address], self.folder)
        self.assertNotEqual(refused.status(), 0)
        self.assertIn("admin.changes: true", refused.stderr)

    def test_the_events_tell_of_an_opening_as_it_comes_and_later(self):
        with self.proxy.ask("/api/v1/events?upstream=dead", stream=True) as stream:
            self.assertEqual(stream.headers["Content-Type"], "text/event-stream")
            self._kill_the_circuit()
            lines = stream.iter_lines(chunk_size=1, decode_unicode=True)
            event = next(json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))
        self.assertEqual((event["kind"], event["upstream"], event["to"]), ("transition", "dead", "open"))
        self.assertGreaterEqual(len(event["attempts"]), 5)
        kept = self.proxy.ask("/api/v1/events?format=json&upstream=dead").json()["events"]
        self.assertEqual(kept[0], event)

    def test_it_does_not_answer_to_names_that_a_stranger_could_own(self):
        self.assertEqual(self.proxy.ask("/metrics", headers={"Host": "rebound.example"}).status_code, 403)
        with Wire(self.proxy.ports["admin"]) as operator:
            answer = operator.send("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").answer()
        self.assertEqual((answer.status, answer.get("Allow")), (405, "GET, HEAD"))
        self.assertEqual(self.proxy.ask("/etc/passwd").status_code, 404)

    def test_bytes_that_are_no_http_do_not_harm_it(self):
        for nonsense in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"\r\n" * 100, b"A" * 100_000):
            with Wire(self.proxy.ports["admin"]) as stranger:
                stranger.send(nonsense)
        self.assertTrue(self.proxy.is_ready())

    def _explain(self, upstream):
        return command(["explain", upstream, "--admin", self.proxy.admin_address], self.folder)

    def _ask(self, upstream, path, count=1):
        for _ in range(count):
            with Wire(self.proxy.ports[upstream]) as caller:
                caller.get(path).answer()

    def _usual_latency_is_known(self):
        self._ask("web", "/files/small-1")
        return "candor_limit_usual_latency_seconds{" in self.proxy.ask("/metrics").text

    def _kill_the_circuit(self):
        """Requests to the dead upstream, until its circuit has opened."""
        def opened():
            self._ask("dead", "/")
            return self.proxy.state("dead") != "closed"

        until(opened, "the circuit was open")

    def _some_of_everything(self):
        with Traffic(self.proxy.url("web", ""), [SMALL_GET, SMALL_GET, LARGE_GET], callers=2, each=12) as traffic:
            self.assertEqual([answer for answer in traffic.finish() if not answer.right], [])
        for path in ("/status/500", "/status/204", "/files/none", "/chunked/small-1"):
            self._ask("web", path)
        got = curl(self.folder, self.proxy.url("web", "/echo"), "--data", "some bytes")
        self.assertEqual(got.body, b"some bytes")
        self._kill_the_circuit()
        with Wire(self.proxy.ports["web"]) as stranger:
            self.assertEqual(stranger.send("nonsense\r\n\r\n").answer().status, 400)


if __name__ == "__main__":
    main()
