"""Upstreams whose answers break off, or are none: nobody must take a part for the whole."""

import threading

from support.books import settled_books
from support.callers import curl
from support.case import RealCase, main
from support.waiting import until
from support.wire import BrokenOff, Wire

_HALF = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + "x" * 500
_HALF_OF_CHUNKS = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1f4\r\n" + "x" * 500 + "\r\n"


def _once(data, end="close"):
    """A script: reads a request, sends the bytes, and ends the connection."""
    def script(conversation):
        if not conversation.request():
            return
        conversation.send(data)
        if end == "reset":
            conversation.reset()
    return script


class BrokenAnswers(RealCase):
    def _proxy(self, script, attempts=1, **settings):
        self.peer = self.upstream(script)
        return self.candor({"web": {"endpoints": [self.peer.address], "retry": {"attempts": attempts}, **settings}})

    def _breaks(self, script, kinds, version="1.1"):
        """The caller sees half an answer and a broken connection; the attempt is a failure of one of the kinds."""
        candor = self._proxy(script)
        with Wire(candor.ports["web"]) as caller:
            caller.get("/", version=version)
            with self.assertRaises((BrokenOff, ConnectionResetError)) as broken:
                self.assertIsNone(caller.answer(), "this looks like a whole answer")
        if isinstance(broken.exception, BrokenOff):
            self.assertLessEqual(len(broken.exception.received), 500)
        books = settled_books(self, candor, "web")
        self.assertEqual(books.ledger["failure"], 1, books.ledger)
        self.assertEqual(sum(books.ledger["failures"][kind] for kind in kinds), 1, books.ledger)
        self.assertEqual([line["result"] for line in books.requests], ["broken"])
        self.assertEqual(candor.metrics().value("candor_requests_total", upstream="web", result="broken"), 1)

    def test_half_of_the_announced_length_breaks_the_callers_connection_and_counts_as_truncated(self):
        self._breaks(_once(_HALF), ["truncated"])

    def test_chunks_without_their_end_break_the_callers_connection_and_count_as_reset(self):
        self._breaks(_once(_HALF_OF_CHUNKS), ["reset", "truncated"])

    def test_an_end_within_a_chunk_breaks_the_callers_connection_and_counts_as_reset(self):
        self._breaks(_once(_HALF_OF_CHUNKS.replace("1f4\r\n", "fff\r\n")), ["reset", "truncated"])

    def test_a_reset_in_mid_body_breaks_the_callers_connection_and_counts_as_reset(self):
        # Which of the two is right depends on whether the reset overtook the bytes before it; both are failures.
        self._breaks(_once(_HALF, end="reset"), ["reset", "truncated"])

    def test_chunks_that_are_none_break_the_callers_connection(self):
        self._breaks(_once(_HALF_OF_CHUNKS + "nonsense\r\n"), ["protocol", "truncated"])

    def test_an_http_1_0_caller_sees_a_reset_where_a_plain_end_would_look_whole(self):
        candor = self._proxy(_once(_HALF_OF_CHUNKS))
        with Wire(candor.ports["web"]) as caller:
            caller.get("/", version="1.0")
            self.assertTrue(caller.is_reset())
        self.assertEqual(settled_books(self, candor, "web").ledger["failure"], 1)

    def test_curl_says_that_the_transfer_is_incomplete(self):
        candor = self._proxy(_once(_HALF))
        got = curl(self.folder, candor.url("web", "/"))
        self.assertIn(got.exit_status, (18, 56), got.error)  # a partial file, or a reset

    def test_a_body_that_ends_with_its_connection_is_whole(self):
        candor = self._proxy(_once("HTTP/1.1 200 OK\r\n\r\nall there is"))
        with Wire(candor.ports["web"]) as caller:
            self.assertEqual(caller.get("/").answer().body, b"all there is")
            self.assertEqual(caller.get("/").answer().body, b"all there is", "the connection can be used again")
        self.assertEqual(settled_books(self, candor, "web").ledger["success"], 2)

    def test_a_connection_closed_before_any_answer_is_tried_again_and_then_told(self):
        candor = self._proxy(lambda conversation: conversation.request(), attempts=3)
        with Wire(candor.ports["web"]) as caller:
            answer = caller.get("/").answer()
        self.assertEqual(answer.status, 502)
        self.assertTrue(answer.get("Proxy-Status").startswith("candor; error=connection_terminated"), answer)
        self.assertEqual(answer.get("candor-retry"), "exhausted")
        self.assertEqual(settled_books(self, candor, "web").ledger["failures"]["reset"], 3)
        self.assertEqual(len(self.peer.heads), 3)

    def test_what_is_no_answer_is_a_bad_gateway(self):
        nonsense = ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 2OO OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello"]

        def script(conversation):
            if head := conversation.request():
                conversation.send(nonsense[int(head.split()[1].strip("/"))])

        candor = self._proxy(script)
        for i, each in enumerate(nonsense):
            with self.subTest(each), Wire(candor.ports["web"]) as caller:
                answer = caller.get(f"/{i}").answer()
                self.assertEqual(answer.status, 502)
                self.assertTrue(answer.get("Proxy-Status").startswith("candor; error=http_"), answer)
        self.assertEqual(settled_books(self, candor, "web").ledger["failures"]["protocol"], len(nonsense))

    def test_a_late_answer_reaches_nobody(self):
        asked, late = threading.Event(), threading.Event()

        def script(conversation):
            while head := conversation.request():
                target = head.split()[1]
                if target == "/slow":
                    asked.set()
                    late.wait(20)
                conversation.answer(target)

        candor = self._proxy(script, timeouts={"connect": "2s", "attempt": "2s", "request": "30s"})
        with Wire(candor.ports["web"]) as caller:
            self.assertEqual(caller.get("/before").answer().body, b"/before")
            self.assertEqual(caller.get("/slow").answer().status, 504)
            late.set()
            for i in range(20):
                self.assertEqual(caller.get(f"/after-{i}").answer().body, f"/after-{i}".encode())
        self.assertTrue(asked.is_set())
        books = settled_books(self, candor, "web")
        self.assertEqual((books.ledger["failures"]["timeout"], books.ledger["success"]), (1, 21))

    def test_an_answer_that_nobody_asked_for_reaches_nobody(self):
        def script(conversation):
            while head := conversation.request():
                target = head.split()[1]
                answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(target)}\r\n\r\n{target}"
                # Together, so that both are there before the next request can be.
                conversation.send(answer + answer if target == "/first" else answer)

        candor = self._proxy(script)
        with Wire(candor.ports["web"]) as caller:
            for target in ("/first", "/second", "/third"):
                self.assertEqual(caller.get(target).answer().body, target.encode())
        self.assertEqual(settled_books(self, candor, "web").ledger["failure"], 0)

    def test_a_connection_that_the_upstream_closed_meanwhile_costs_no_request(self):
        def script(conversation):
            conversation.request()
            conversation.answer("once a connection")

        candor = self._proxy(script)
        with Wire(candor.ports["web"]) as caller:
            for _ in range(10):
                self.assertEqual(caller.get("/").answer().body, b"once a connection")
        books = settled_books(self, candor, "web")
        self.assertEqual((books.ledger["success"], books.ledger["failure"]), (10, 0))
        self.assertEqual(len(self.peer.heads), 10)

    def test_an_answer_to_the_end_of_time_is_bounded_by_the_idle_timeout(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def script(conversation):
            conversation.request()
            conversation.send(_HALF)
            release.wait(60)

        candor = self._proxy(script, timeouts={"idle": "200ms"})
        with Wire(candor.ports["web"]) as caller:
            caller.get("/")
            with self.assertRaises((BrokenOff, ConnectionResetError)):
                caller.answer()
        until(lambda: candor.ledger("web")["failures"]["timeout"] == 1, "the attempt had failed by timeout")
        settled_books(self, candor, "web")


if __name__ == "__main__":
    main()
