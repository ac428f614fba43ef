"""What callers may send, and what they must get, down to the bytes."""

from support.books import settled_books
from support.callers import curl, session
from support.case import RealCase, main
from support.documents import LARGE_SIZE, content
from support.waiting import PATIENCE, until
from support.wire import BrokenOff, Wire

_LIMITS = {"head": "8KiB", "target": "1KiB", "fields": 50}


class OnTheWire(RealCase):
    def setUp(self):
        super().setUp()
        self.web = self.nginx()
        self.proxy = self.candor({"web": {"endpoints": [self.web.address], "hosts": ["web.internal"]},
                                  "other": {"endpoints": [self.web.address]}},
                                 limits=_LIMITS, listeners=[{}])
        self.port = self.proxy.ports["web"]

    def _refused(self, data, status, error="http_request_error", port=None):
        """These bytes get this status from Candor itself, the connection ends, and the next caller is served."""
        before = self.proxy.ledger("web")["started"]
        with Wire(port or self.port) as stranger:
            stranger.send(data)
            answer = stranger.answer()
            self.assertEqual(answer.status, status, answer)
            self.assertTrue(answer.get("Proxy-Status").startswith(f"candor; error={error}"), answer)
            self.assertEqual(answer.get("Connection"), "close")
            self.assertEqual(answer.get("Content-Type"), "application/problem+json")
            self.assertTrue(stranger.ends(), "the connection ends")
        self.assertEqual(self.proxy.ledger("web")["started"], before, "nothing of it went to the upstream")
        self.assertEqual(self.proxy.metrics().value("candor_rejected_total", status=str(status)), 1)
        with Wire(self.port) as caller:
            self.assertEqual(caller.get("/files/small-0").answer().body, content("small-0"))

    def test_garbage_is_a_bad_request(self):
        self._refused("this is no HTTP\r\n\r\n", 400)

    def test_a_tls_greeting_is_a_bad_request(self):
        self._refused(b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", 400)

    def test_an_oversize_head_is_refused(self):
        self._refused("GET / HTTP/1.1\r\nHost: web\r\nX-Long: " + "x" * 9000 + "\r\n\r\n", 431)

    def test_too_many_fields_are_refused(self):
        self._refused("GET / HTTP/1.1\r\nHost: web\r\n" + "X-Many: 1\r\n" * 60 + "\r\n", 431)

    def test_an_oversize_target_is_refused(self):
        self._refused("GET /" + "x" * 2000 + " HTTP/1.1\r\nHost: web\r\n\r\n", 414)

    def test_two_lengths_that_differ_are_a_bad_request(self):
        self._refused("POST /echo HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400)

    def test_a_length_beside_chunks_is_a_bad_request(self):
        self._refused("POST /echo HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "0\r\n\r\nGET /files/small-0 HTTP/1.1\r\nHost: web\r\n\r\n", 400)

    def test_a_head_without_host_is_a_bad_request(self):
        self._refused("GET / HTTP/1.1\r\n\r\n", 400)

    def test_chunks_that_are_none_end_the_request_and_the_connection(self):
        with Wire(self.port) as caller:
            caller.send("POST /echo HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
            self.assertEqual(caller.answer().status, 400)
            self.assertTrue(caller.ends())
        books = settled_books(self, self.proxy, "web")
        self.assertEqual(books.ledger["failure"], 0, "the upstream is not to blame")

    def test_a_shared_port_serves_configured_hosts_and_no_others(self):
        shared = self.proxy.ports["shared"]
        with Wire(shared) as caller:
            for host, upstream in (("web", "web"), ("WEB.internal:80", "web"), ("other", "other")):
                before = self.proxy.ledger(upstream)["started"]
                caller.send(f"GET /files/small-1 HTTP/1.1\r\nHost: {host}\r\n\r\n")
                self.assertEqual(caller.answer().body, content("small-1"))
                self.assertEqual(self.proxy.ledger(upstream)["started"], before + 1)
        with Wire(shared) as stranger:
            answer = stranger.send("GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n").answer()
        self.assertIn(answer.status, (403, 421))
        self.assertTrue(answer.get("Proxy-Status").startswith("candor; error=http_request_denied"), answer)
        self.assertNotIn(self.web.address, str(answer), "endpoints are not shown")
        until(lambda: len(self.web.lines()) >= 3, "nginx had its three lines")
        self.assertEqual([line.host for line in self.web.lines()], ["web", "WEB.internal:80", "other"])

    def test_pipelined_requests_are_answered_in_order(self):
        with Wire(self.port) as caller:
            caller.send("".join(f"GET /files/small-{i} HTTP/1.1\r\nHost: web\r\nX-Id: p{i}\r\n\r\n"
                                for i in range(12)))
            for i in range(12):
                answer = caller.answer()
                self.assertEqual((answer.get("X-Id"), answer.body), (f"p{i}", content(f"small-{i}")))

    def test_pipelined_bodies_are_kept_apart(self):
        with Wire(self.port) as caller:
            caller.send("POST /echo HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\n\r\nfirst"
                        "POST /echo HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3\r\nsec\r\n3;x=y\r\nond\r\n0\r\n\r\n"
                        "GET /files/small-2 HTTP/1.1\r\nHost: web\r\n\r\n")
            self.assertEqual([caller.answer().body for _ in range(3)], [b"first", b"second", content("small-2")])

    def test_a_head_that_comes_byte_by_byte_is_understood(self):
        with Wire(self.port) as caller:
            for byte in b"GET /files/small-3 HTTP/1.1\r\nHost: web\r\n\r\n":
                caller.send(bytes([byte]))
            self.assertEqual(caller.answer().body, content("small-3"))

    def test_an_http_1_0_caller_gets_a_body_that_ends_with_the_connection(self):
        with Wire(self.port) as caller:
            answer = caller.get("/chunked/small-4", version="1.0").answer()
            self.assertEqual((answer.status, answer.body), (200, content("small-4")))
            self.assertIsNone(answer.get("Transfer-Encoding"))
            self.assertTrue(caller.ends())
        with Wire(self.port) as caller:
            answer = caller.get("/files/small-4", version="1.0").answer()
            self.assertEqual(answer.body, content("small-4"))
            self.assertTrue(caller.ends())

    def test_an_http_1_0_caller_may_ask_to_keep_the_connection(self):
        with Wire(self.port) as caller:
            for i in range(3):
                answer = caller.get(f"/files/small-{i}", "Connection: keep-alive\r\n", version="1.0").answer()
                self.assertEqual((answer.body, answer.get("Connection")), (content(f"small-{i}"), "keep-alive"))

    def test_a_caller_that_asks_for_the_end_gets_it(self):
        with Wire(self.port) as caller:
            answer = caller.get("/files/small-5", "Connection: close\r\n").answer()
            self.assertEqual((answer.body, answer.get("Connection")), (content("small-5"), "close"))
            self.assertTrue(caller.ends())

    def test_answers_without_a_body_do_not_disturb_those_after_them(self):
        with Wire(self.port) as caller:
            tag = caller.get("/files/small-6").answer().get("ETag")
            head = caller.send("HEAD /files/small-6 HTTP/1.1\r\nHost: web\r\n\r\n").answer("HEAD")
            self.assertEqual((head.status, head.get("Content-Length")), (200, str(len(content("small-6")))))
            self.assertEqual(caller.get("/status/204").answer().status, 204)
            self.assertEqual(caller.get("/files/small-6", f"If-None-Match: {tag}\r\n").answer().status, 304)
            head = caller.send("HEAD /chunked/small-6 HTTP/1.1\r\nHost: web\r\n\r\n").answer("HEAD")
            self.assertEqual(head.status, 200)
            self.assertEqual(caller.get("/files/small-7").answer().body, content("small-7"))
        self.assertEqual(settled_books(self, self.proxy, "web").ledger["success"], 6)

    def test_expect_100_continue_works_with_curl(self):
        document = self.folder / "large"
        document.write_bytes(content("upload-2000000-expect"))
        got = curl(self.folder, self.proxy.url("web", "/echo"), "-H", "Expect: 100-continue", "--expect100-timeout",
                   str(PATIENCE), "--data-binary", f"@{document}")
        self.assertEqual((got.exit_status, got.status), (0, 200), got.error)
        self.assertTrue(got.heads.startswith("HTTP/1.1 100 Continue\r\n\r\n"), got.heads)
        self.assertEqual(got.body, document.read_bytes())

    def test_a_chunked_upload_arrives_whole(self):
        pieces = [content(f"upload-{size}-piece") for size in (1, 10_000, 65_536, 3, 200_000)]
        with session() as caller:
            answer = caller.post(self.proxy.url("web", "/echo"), data=iter(pieces), timeout=PATIENCE)
        self.assertEqual(answer.request.headers["Transfer-Encoding"], "chunked")
        self.assertEqual((answer.status_code, answer.content), (200, b"".join(pieces)))

    def test_a_caller_that_leaves_breaks_nobody_else_and_is_counted_abandoned(self):
        with Wire(self.port) as steady:
            steady.get("/slow/large-1?rate=800k")
            self.assertEqual(steady.head().status, 200)

            def left():
                leaving = Wire(self.port)
                leaving.get("/slow/large-0?rate=50k")
                leaving.some(100)
                leaving.reset()
                until(lambda: self.proxy.ledger("web")["in_flight"] <= 1, "its attempt was settled")
                # One that took a second to leave had a success by then; so once more.
                return self.proxy.ledger("web")["abandoned"]

            until(left, "an attempt was abandoned")
            self.assertEqual(steady.some(LARGE_SIZE), content("large-1"))
            self.assertEqual(steady.get("/files/small-8").answer().body, content("small-8"))
        books = settled_books(self, self.proxy, "web")
        self.assertEqual((books.ledger["abandoned"], books.ledger["failure"]), (1, 0))
        self.assertGreaterEqual(books.metrics.value("candor_requests_total", upstream="web", result="abandoned"), 1)

    def test_a_caller_that_leaves_before_the_answer_is_counted_abandoned(self):
        asked = []

        def script(conversation):
            conversation.request()
            asked.append(True)
            conversation.wait_for_end()

        upstream = self.upstream(script)
        candor = self.candor({"web": {"endpoints": [upstream.address]}}, name="second")
        for leave in (Wire.close, Wire.reset):
            before = len(asked)
            caller = Wire(candor.ports["web"]).get("/")
            until(lambda before=before: len(asked) > before, "the upstream was asked")
            leave(caller)
            until(lambda before=before: candor.ledger("web")["abandoned"] > before, "the attempt was abandoned")
        books = settled_books(self, candor, "web")
        self.assertEqual((books.ledger["started"], books.ledger["abandoned"]), (2, 2))
        self.assertEqual({line["result"] for line in books.requests}, {"abandoned"})

    def test_a_caller_that_breaks_off_its_own_body_is_nobody_elses_fault(self):
        caller = Wire(self.port).send("POST /echo HTTP/1.1\r\nHost: web\r\nContent-Length: 1000\r\n\r\nhalf")
        until(lambda: self.proxy.ledger("web")["started"] == 1, "the attempt was begun")
        caller.reset()
        books = settled_books(self, self.proxy, "web")
        self.assertEqual((books.ledger["failure"], books.ledger["success"]), (0, 0), books.ledger)


class Bounds(RealCase):
    """Limits that would disturb other tests."""

    def _proxy(self, **limits):
        self.web = self.nginx()
        return self.candor({"web": {"endpoints": [self.web.address]}}, limits=limits)

    def test_a_slow_head_is_given_up(self):
        candor = self._proxy(head_timeout="300ms")
        with Wire(candor.ports["web"]) as slow:
            slow.send("GET / HTTP/1.1\r\nHo")
            answer = slow.answer()
            self.assertEqual((answer.status, answer.get("Connection")), (408, "close"))
            self.assertTrue(answer.get("Proxy-Status").startswith("candor; error=http_request_error"), answer)
            self.assertTrue(slow.ends())
        self.assertEqual(candor.metrics().value("candor_rejected_total", status="408"), 1)

    def test_a_connection_without_a_request_is_ended_without_a_word(self):
        candor = self._proxy(idle="200ms")
        with Wire(candor.ports["web"]) as fresh, Wire(candor.ports["web"]) as used:
            used.get("/files/small-0")
            self.assertEqual(used.answer().status, 200)
            self.assertTrue(fresh.ends())
            self.assertTrue(used.ends())

    def test_a_body_beyond_the_limit_is_refused_before_it_is_sent(self):
        candor = self._proxy(body="10KiB")
        document = self.folder / "large"
        document.write_bytes(content("upload-20000-body"))
        got = curl(self.folder, candor.url("web", "/echo"), "-H", "Expect: 100-continue", "--expect100-timeout",
                   str(PATIENCE), "--data-binary", f"@{document}")
        self.assertEqual(got.status, 413, got)
        self.assertNotIn("100 Continue", got.heads)
        self.assertEqual(candor.ledger("web")["started"], 0, "the upstream was not troubled")
        got = curl(self.folder, candor.url("web", "/echo"), "--data-binary", "@" + str(self._document(10_240)))
        self.assertEqual((got.status, len(got.body)), (200, 10_240))

    def test_a_chunked_body_is_refused_where_it_passes_the_limit(self):
        candor = self._proxy(body="10KiB")
        with Wire(candor.ports["web"]) as caller:
            caller.send("POST /echo HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + ("1000\r\n" + "x" * 4096 + "\r\n") * 3)
            answer = caller.answer()
            self.assertEqual((answer.status, answer.get("Connection")), (413, "close"))
        books = settled_books(self, candor, "web")
        self.assertEqual((books.ledger["failure"], books.ledger["success"]), (0, 0), books.ledger)

    def test_more_connections_than_allowed_are_turned_away(self):
        candor = self._proxy(connections=4)
        kept = [Wire(candor.ports["web"]) for _ in range(4)]
        for caller in kept:
            self.assertEqual(caller.get("/files/small-1").answer().status, 200)
        with Wire(candor.ports["web"]) as turned_away:
            try:
                self.assertEqual(turned_away.get("/files/small-1").answer().status, 503)
            except (BrokenOff, ConnectionError):
                pass  # closed without a word
        self.assertGreaterEqual(candor.metrics().value("candor_caller_connections_refused_total"), 1)
        for caller in kept:
            self.assertEqual(caller.get("/files/small-2").answer().status, 200)
            caller.close()

        def served():
            with Wire(candor.ports["web"]) as caller:
                try:
                    return caller.get("/files/small-3").answer().status == 200
                except (BrokenOff, ConnectionError):
                    return False

        until(served, "new callers were served again")

    def _document(self, size):
        path = self.folder / f"document-{size}"
        path.write_bytes(content(f"upload-{size}-bound"))
        return path


if __name__ == "__main__":
    main()
