"""Expect: 100-continue (RFC 9110, 10.1.1): a body waits until the upstream asks for it, and never for good."""

import contextlib
import threading

from support.books import settled_books
from support.callers import curl
from support.case import RealCase, main
from support.documents import content, digest
from support.messages import Reader
from support.ports import HOST, HeldPort
from support.waiting import PATIENCE, until
from support.wire import Wire

_CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n"
_ASKS = "POST /{} HTTP/1.1\r\nHost: web\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"


class Expectations(RealCase):
    def _proxy(self, script, **settings):
        self.peer = self.upstream(script)
        self.proxy = self.candor({"web": {"endpoints": [self.peer.address], **settings}})
        return Wire(self.proxy.ports["web"])

    def _check_books(self, successes, **failures):
        books = settled_books(self, self.proxy, "web")
        self.assertEqual(books.ledger["success"], successes, books.ledger)
        self.assertEqual({kind: count for kind, count in books.ledger["failures"].items() if count}, failures)

    def test_the_upstream_asks_for_the_body_and_gets_it(self):
        asked, may_ask = [], threading.Semaphore(0)

        def script(conversation):
            for _ in range(2):
                asked.append(conversation.request())
                may_ask.acquire(timeout=PATIENCE)
                conversation.send(_CONTINUE)
                body = b""
                while len(body) < 4:
                    body += conversation.receive()
                conversation.answer(body.decode())

        with self._proxy(script) as caller:
            for n in range(2):
                caller.send(_ASKS.format(n))
                until(lambda n=n: len(asked) > n, "the upstream had the head")
                self.assertIn("\r\nexpect: 100-continue", asked[n].lower())
                may_ask.release()
                self.assertEqual(caller.interim().status, 100)
                self.assertEqual(caller.send("text").answer("POST").body, b"text")
        self._check_books(2)

    def test_an_upstream_that_wants_no_body_gets_none(self):
        got = []

        def script(conversation):
            conversation.request()
            conversation.send("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
            while data := conversation.receive():
                got.append(data)

        with self._proxy(script) as caller:
            head = caller.send(_ASKS.format("x")).head()
            self.assertEqual((head.status, head.interim, caller.rest(head).body), (417, [], b"no"))
        self._check_books(1)
        self.assertEqual(got, [])

    def test_a_caller_that_was_refused_is_told_of_the_end_with_or_without_the_body(self):
        """RFC 9110, 10.1.1: whether it sends the body nevertheless, nobody knows; so nothing more is taken from it."""
        def script(conversation):
            while conversation.request():
                conversation.answer("no")

        for body in ("", "text"):
            with self.subTest(body), self._proxy(script) as caller:
                answer = caller.send(_ASKS.format("x")).answer("POST")
                self.assertEqual((answer.body, answer.get("Connection")), (b"no", "close"))
                with contextlib.suppress(ConnectionError):
                    caller.send(body).get("/next")
                self.assertTrue(caller.ends())
                self.assertEqual(len(self.peer.heads), 1)
            self.proxy.close()

    def test_an_upstream_that_says_nothing_does_not_stall_the_caller(self):
        def script(conversation):
            seen = Reader(conversation.receive).request()
            conversation.answer(seen.body.decode())

        with self._proxy(script) as caller:
            caller.send(_ASKS.format("x"))
            self.assertEqual(caller.interim().status, 100)
            self.assertEqual(caller.send("text").answer("POST").body, b"text")
        self._check_books(1)

    def test_a_caller_that_does_not_wait_is_served_as_well(self):
        def script(conversation):
            reader = Reader(conversation.receive)
            for _ in range(3):
                conversation.answer(reader.request().body.decode())

        with self._proxy(script) as caller:
            for n in range(3):
                caller.send(_ASKS.format(n) + f"te{n}t")
                self.assertEqual(caller.answer("POST").body, f"te{n}t".encode())
        self._check_books(3)

    def test_http_1_0_has_no_expectations(self):
        """RFC 9110, 10.1.1: the field is ignored there, and not passed on."""
        def script(conversation):
            conversation.answer(Reader(conversation.receive).request().body.decode())

        def looks(conversation):
            head = conversation.request()
            self.assertNotIn("expect:", head.lower())
            conversation.answer("text")

        for each in (script, looks):
            with self.subTest(each), self._proxy(each) as caller:
                caller.send(_ASKS.format("x").replace("HTTP/1.1", "HTTP/1.0") + "text")
                answer = caller.answer("POST")
                self.assertEqual((answer.interim, answer.body), ([], b"text"))
            self.proxy.close()

    def test_a_request_without_a_body_waits_for_nothing(self):
        """RFC 9110, 10.1.1: an expectation without a body means nothing."""
        def script(conversation):
            conversation.request()
            conversation.answer("ok")

        with self._proxy(script) as caller:
            answer = caller.get("/", "Expect: 100-continue\r\n").answer()
            self.assertEqual((answer.interim, answer.body), ([], b"ok"))

    def test_a_body_that_was_not_sent_yet_can_go_to_another_endpoint(self):
        peer, absent = self.echo(), HeldPort()
        self.addCleanup(absent.release)
        self.proxy = self.candor({"web": {"endpoints": [f"{HOST}:{absent.number}", peer.address],
                                          "retry": {"attempts": 2, "backoff": {"base": "1ms", "cap": "1ms"}}}})
        document = self.folder / "document"
        document.write_bytes(content("upload-400000-expect"))
        uploads = []

        def met_the_absent_one():
            got = curl(self.folder, self.proxy.url("web", "/echo"), "--header", "Expect: 100-continue",
                       "--expect100-timeout", str(PATIENCE), "--data-binary", f"@{document}")
            self.assertEqual((got.status, digest(got.body)), (200, digest(document.read_bytes())))
            self.assertEqual(got.heads.count(" 100 Continue"), 1)
            uploads.append(got)
            return self.proxy.ledger("web")["failures"]["connect"] >= 1

        until(met_the_absent_one, "an upload had gone to the endpoint that is not there first")
        self.assertEqual(settled_books(self, self.proxy, "web").ledger["success"], len(uploads))

    def test_real_servers_ask_for_what_curl_holds_back(self):
        document = self.folder / "document"
        document.write_bytes(content("upload-2000000-expect"))
        nginx, echo = self.nginx(), self.echo()
        self.proxy = self.candor({"nginx": {"endpoints": [nginx.address]}, "echo": {"endpoints": [echo.address]}})
        for upstream in ("nginx", "echo"):
            for how in ("--data-binary", "--upload-file"):
                file = f"@{document}" if how == "--data-binary" else str(document)
                got = curl(self.folder, self.proxy.url(upstream, "/echo"), how, file, "--header",
                           "Expect: 100-continue", "--expect100-timeout", str(PATIENCE))
                self.assertEqual((got.exit_status, got.status), (0, 200), (upstream, how, got))
                self.assertEqual(digest(got.body), digest(document.read_bytes()))
                self.assertTrue(got.heads.startswith(_CONTINUE), got.heads)

    def test_an_upload_that_nginx_refuses_is_not_sent(self):
        nginx = self.nginx()
        document = self.folder / "document"
        document.write_bytes(content("upload-2000000-expect"))
        self.proxy = self.candor({"web": {"endpoints": [nginx.address], "retry": {"attempts": 1}}})
        got = curl(self.folder, self.proxy.url("web", "/files/small-1"), "--data-binary", f"@{document}", "--header",
                   "Expect: 100-continue", "--expect100-timeout", str(PATIENCE), "--write-out",
                   "%{stderr}%{http_code} %{num_connects}\nsent=%{size_upload}\n")
        self.assertEqual((got.status, got.heads.count(" 100 ")), (405, 0), got.heads)
        self.assertIn("sent=0", got.error)


if __name__ == "__main__":
    main()
