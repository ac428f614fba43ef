"""Ordinary traffic: real callers, a real upstream, and nothing goes wrong."""

import threading
from collections import Counter

from support import callers
from support.books import settled_books
from support.callers import Traffic, curl
from support.case import RealCase, main
from support.documents import content, digest
from support.waiting import until
from support.wire import Wire

_KINDS = [callers.SMALL_GET, callers.LARGE_GET, callers.ECHO, callers.PUT, callers.HEAD, callers.SMALL_GET]


class CurlCallers:
    """Runs of curl, several at a time, each with its own small or large request."""

    def __init__(self, case, base, runs, each):
        self._case = case
        self._base = base
        self._each = each
        self.wrong = []
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(runs)]
        for thread in self._threads:
            thread.start()

    def _run(self, runner):
        folder = self._case.folder
        for i in range(self._each):
            identity = f"c{runner}-{i}"
            document = f"upload-{(70_000, 10, 1)[i % 3]}-{identity}"
            (folder / document).write_bytes(content(document))
            got = curl(folder, f"{self._base}/of/{identity}/echo", "-H", f"X-Id: {identity}", "--data-binary",
                       f"@{folder / document}", name=identity)
            theirs = got.status == 200 and f"X-Id: {identity}\r\n" in got.heads
            if not theirs or got.body != content(document):
                self.wrong.append(got)

    def finish(self):
        for thread in self._threads:
            thread.join()
        return self.wrong


class OrdinaryTraffic(RealCase):
    def test_every_answer_belongs_to_its_request_and_every_attempt_to_a_line_of_nginx(self):
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [nginx.address]}})
        base = candor.url("web", "")
        with Traffic(base, _KINDS, callers=4, each=36) as traffic:
            curls = CurlCallers(self, base, runs=2, each=6)
            answers = traffic.finish()
            wrong_curls = curls.finish()
        self.assertEqual([answer for answer in answers if not answer.right], [])
        self.assertEqual(wrong_curls, [])

        sent = len(answers) + 12
        until(lambda: len(nginx.lines()) >= sent, "nginx had written a line for each request")
        lines = nginx.lines()
        books = settled_books(self, candor, "web")
        self.assertEqual(len(lines), sent)
        self.assertEqual(books.ledger["success"], sent)
        self.assertEqual(Counter((line.uri, line.attempt) for line in lines),
                         Counter(attempt.key for attempt in books.attempts))
        self.assertEqual([line for line in lines if f"/{line.id}/" not in line.uri], [], "X-Id arrived unchanged")
        self.assertEqual(len({line.request_id for line in lines}), sent)

    def test_connections_are_kept_on_both_sides(self):
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [nginx.address]}}, workers=1)
        with Traffic(candor.url("web", ""), [callers.SMALL_GET, callers.SMALL_ECHO], callers=1, each=30) as traffic:
            answers = traffic.finish()
        by_curl = curl(self.folder, candor.url("web", "/files/small-[0-9]"))

        self.assertEqual([answer for answer in answers if not answer.right], [])
        self.assertEqual((by_curl.exit_status, by_curl.connections), (0, 1), by_curl.error)
        self.assertEqual(by_curl.body, b"".join(content(f"small-{i}") for i in range(10)))
        until(lambda: len(nginx.lines()) >= 40, "nginx had written a line for each request")
        metrics = candor.metrics()
        # One caller after the other, by one worker: one connection to nginx is enough for all.
        self.assertEqual({line.connection for line in nginx.lines()}, {nginx.lines()[0].connection})
        self.assertEqual(metrics.value("candor_connections_opened_total", upstream="web"), 1)
        self.assertEqual(metrics.value("candor_pool_reused_total", upstream="web"), 39)
        self.assertEqual(metrics.value("candor_caller_connections_accepted_total"), 2)

    def test_connections_that_nginx_closes_at_any_moment_cost_no_request_and_double_no_attempt(self):
        # Callers pause for as long as nginx lets a connection idle: again and again a request goes out on a
        # connection while nginx closes it.
        nginx = self.nginx(requests=7, idle="4ms")
        candor = self.candor({"web": {"endpoints": [nginx.address]}})
        kinds = [callers.SMALL_GET, callers.SMALL_PUT]  # all can be sent a second time
        with Traffic(candor.url("web", ""), kinds, callers=4, each=60, pace=0.004) as traffic:
            answers = traffic.finish()
        self.assertEqual([answer for answer in answers if not answer.right], [])
        until(lambda: len(nginx.lines()) >= len(answers), "nginx had a line for each request")
        books = settled_books(self, candor, "web")
        self.assertEqual((books.ledger["success"], books.ledger["failure"]), (len(answers), 0), books.ledger)
        # What met a closed connection is excluded, and never reached nginx; its second go did.
        self.assertEqual(Counter((line.uri, line.attempt) for line in nginx.lines()),
                         Counter(attempt.key for attempt in books.attempts if attempt.outcome == "success"))
        self.assertEqual({attempt.outcome for attempt in books.attempts} - {"success", "excluded"}, set())

    def test_callers_that_read_slowly_cost_little_memory_and_nobody_elses_time(self):
        nginx = self.nginx()
        huge = 400_000_000
        with (nginx.folder / "files" / "huge").open("wb") as file:
            file.truncate(huge)
        candor = self.candor({"web": {"endpoints": [nginx.address]}})
        with Traffic(candor.url("web", ""), [callers.LARGE_GET], callers=2, each=10) as traffic:
            traffic.finish()
        before = candor.metrics().value("process_resident_memory_bytes")
        slow = [Wire(candor.ports["web"]).get("/files/huge") for _ in range(20)]
        self.assertEqual({caller.head().status for caller in slow}, {200})
        with Traffic(candor.url("web", ""), [callers.LARGE_GET], callers=2, each=10, name="u") as traffic:
            self.assertEqual([answer for answer in traffic.finish() if not answer.right], [])
        # Candor holds a block or two for each, and the kernel the rest; the answers would be 8 GB.
        self.assertLess(candor.metrics().value("process_resident_memory_bytes") - before, 64 * 2**20)
        for caller in slow:
            caller.close()
        until(lambda: candor.ledger("web")["in_flight"] == 0, "nothing was in flight")

    def test_an_upload_arrives_byte_for_byte(self):
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [nginx.address]}})
        for size in (0, 1, 65_536, 65_537, 3_000_000):
            document = f"upload-{size}-whole"
            path = self.folder / document
            path.write_bytes(content(document))
            got = curl(self.folder, candor.url("web", f"/put/{document}"), "--upload-file", str(path))
            self.assertEqual(got.status, 201, got)
            self.assertEqual(digest((nginx.put_folder / document).read_bytes()), digest(content(document)))

    def test_a_status_of_the_upstream_passes_with_its_body(self):
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [nginx.address], "retry": {"attempts": 1}}})
        got = curl(self.folder, candor.url("web", "/status/500"))
        self.assertEqual((got.status, got.body), (500, b"broken"))
        got = curl(self.folder, candor.url("web", "/files/none"))
        self.assertEqual(got.status, 404)
        books = settled_books(self, candor, "web")
        self.assertEqual((books.ledger["success"], books.ledger["failures"]["status"]), (1, 1))

    def test_a_retry_is_a_second_line_in_the_log_of_nginx_and_says_why(self):
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [nginx.address],
                                      "retry": {"attempts": 3, "backoff": {"base": "1ms", "cap": "1ms"}}}})
        got = curl(self.folder, candor.url("web", "/status/503"))
        self.assertEqual((got.status, got.body), (503, b"not now"))
        self.assertIn("Proxy-Status: candor; received-status=503", got.heads)
        self.assertIn("candor-retry: exhausted", got.heads)
        until(lambda: len(nginx.lines()) >= 3, "nginx had three lines")
        self.assertEqual([(line.attempt, line.reason) for line in nginx.lines()],
                         [("1", ""), ("2", "status"), ("3", "status")])
        books = settled_books(self, candor, "web")
        self.assertEqual(books.ledger["failures"]["status"], 3)
        self.assertEqual(books.metrics.value("candor_retries_total", upstream="web", reason="status"), 2)


if __name__ == "__main__":
    main()
