"""Candor as a forward proxy: its callers name where they want to go, and it goes there if that is an upstream."""

import asyncio
import json
import ssl
import subprocess

import aiohttp
import httpx

from support.books import settled_books
from support.callers import curl, session
from support.case import RealCase, main
from support.documents import content, digest
from support.optional import needs_program, program
from support.ports import HOST, HeldPort
from support.shared import SharedPort
from support.waiting import PATIENCE, until
from support.wire import Wire


class ForwardProxy(SharedPort):
    listener = {"mode": "forward_proxy"}

    def _curl(self, url, *arguments):
        return curl(self.folder, url, "--noproxy", "", "--proxy", f"http://{HOST}:{self.port}", *arguments)

    def test_curl_takes_it_for_a_proxy(self):
        for host in ("web", "WEB.internal", "web:8080"):
            got = self._curl(f"http://{host}/of/it?x=%20", "--data-binary", "text")
            told = json.loads(got.body)
            self.assertEqual((got.status, told["method"], told["target"]), (200, "POST", "/of/it?x=%20"))
            self.assertEqual(self.peer.asked[-1].get("Host"), host)
            self.assertRegex(self.peer.asked[-1].get("Via"), "^1.1 candor")
            self.assertIsNone(self.peer.asked[-1].get("Proxy-Connection"))
            self.assertRegex(got.heads, "(?i)\r\nvia: 1.1 candor")
        self._check_books(3)

    def test_credentials_for_a_proxy_are_not_shown_to_the_upstream(self):
        self.assertEqual(self._curl("http://web/", "--proxy-user", "u:p", "--user", "v:q").status, 200)
        self.assertIsNone(self.peer.asked[-1].get("Proxy-Authorization"))
        self.assertEqual(self.peer.asked[-1].get("Authorization"), "Basic djpx")

    def test_all_that_curl_sends_arrives_through_a_proxy_too(self):
        document = self.folder / "document"
        document.write_bytes(content("upload-300000-proxy"))
        for arguments in (("--upload-file", str(document)), ("--data-binary", f"@{document}"),
                          ("--data-binary", f"@{document}", "--http1.0"),
                          ("--data-binary", f"@{document}", "--header", "Transfer-Encoding: chunked")):
            for path in ("/echo", "/chunked"):
                got = self._curl(f"http://web{path}", *arguments)
                self.assertEqual((got.exit_status, digest(got.body)), (0, digest(document.read_bytes())), arguments)
        got = self._curl("http://web/of/[1-9]")
        self.assertEqual((got.exit_status, got.connections), (0, 1))
        self._check_books(17)

    def test_libraries_take_it_for_a_proxy(self):
        proxy = f"http://{HOST}:{self.port}"

        async def by_aiohttp():
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as caller:
                async with caller.post("http://web.internal/echo", data="by aiohttp", proxy=proxy) as answer:
                    return await answer.text()

        with session() as caller:
            answer = caller.post("http://web.internal/echo", data="by requests", proxies={"http": proxy},
                                 timeout=PATIENCE)
            self.assertEqual(answer.text, "by requests")
        with httpx.Client(proxies=proxy, trust_env=False, timeout=PATIENCE) as caller:
            self.assertEqual(caller.post("http://web.internal/echo", content="by httpx").text, "by httpx")
        self.assertEqual(asyncio.run(by_aiohttp()), "by aiohttp")
        self._check_books(3)

    def test_other_destinations_are_refused(self):
        for url, arguments in (("http://elsewhere.example/", ()), (f"http://{self.peer.address}/", ()),
                               (f"http://{self.proxy.admin_address}/metrics", ())):
            got = self._curl(url, *arguments)
            self.assertEqual(got.status, 421, url)
            self.assertIn("Proxy-Status: candor; error=http_request_denied", got.heads)
        with Wire(self.port) as caller:
            caller.send("GET https://web/ HTTP/1.1\r\nHost: web\r\n\r\n")
            self.assertEqual(caller.answer().status, 421, "TLS is not what it would get")
        self.assertEqual(self.peer.asked, [])

    def test_a_tunnel_carries_what_it_carries(self):
        got = self._curl("http://web:8080/of/[1-5]", "--proxytunnel", "--data-binary", "text")
        self.assertEqual((got.exit_status, got.status, got.connections), (0, 200, 1), got.error)
        self.assertRegex(got.heads, "^HTTP/1.1 200 ")
        self.assertNotRegex(got.heads.partition("\r\n\r\n")[0], "(?i)\r\n(content-length|transfer-encoding):")
        self.assertEqual(len(self.peer.asked), 5)
        for name in ("Via", "candor-attempt"):
            self.assertIsNone(self.peer.asked[-1].get(name), "opaque")
        self._check_books(1)

    def test_tunnels_elsewhere_are_refused(self):
        got = self._curl("http://elsewhere.example:443/", "--proxytunnel")
        self.assertEqual(got.exit_status, 56, got)
        self.assertTrue(got.heads.startswith("HTTP/1.1 421 "), got.heads)
        for target in ("elsewhere.example:443", self.peer.address, self.proxy.admin_address):
            with Wire(self.port) as caller:
                caller.send(f"CONNECT {target} HTTP/1.1\r\nHost: web\r\n\r\n")
                self.assertEqual(caller.answer().status, 421, target)

    def test_bytes_right_behind_a_connect_are_of_the_tunnel(self):
        with Wire(self.port) as caller:
            caller.send("CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\n\r\n"
                        "POST /echo HTTP/1.1\r\nHost: web\r\nContent-Length: 4\r\n\r\ntext")
            head = caller.head()
            self.assertEqual(head.status, 200)
            self.assertEqual(caller.answer().body, b"text")

    def test_a_tunnel_is_half_closed_where_a_caller_is(self):
        with Wire(self.port) as caller:
            caller.send("CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\n\r\n")
            self.assertEqual(caller.head().status, 200)
            caller.send("POST /until-close HTTP/1.1\r\nHost: web\r\nContent-Length: 4\r\n\r\ntext").shut()
            self.assertEqual(caller.answer().body, b"text")
        self._check_books(1)

    @needs_program("openssl", "openssl")
    def test_tls_passes_through_a_tunnel_untouched(self):
        key, certificate = self.folder / "key", self.folder / "certificate"
        subprocess.run([program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
                        certificate, "-subj", "/CN=web.internal", "-addext", "subjectAltName=DNS:web.internal"],
                       check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        peer = self.echo(context=context)
        self.proxy = self.candor({"web": {"endpoints": [peer.address], "hosts": ["web.internal"]}}, name="second",
                                 listeners=[self.listener])
        self.port = self.proxy.ports["shared"]
        document = self.folder / "document"
        document.write_bytes(content("upload-1000000-tls"))
        got = self._curl("https://web.internal/echo", "--cacert", str(certificate), "--data-binary", f"@{document}")
        self.assertEqual((got.exit_status, got.status), (0, 200), got.error)
        self.assertEqual(digest(got.body), digest(document.read_bytes()))
        with httpx.Client(proxies=f"http://{HOST}:{self.port}", verify=str(certificate), trust_env=False,
                          timeout=PATIENCE) as caller:
            self.assertEqual(caller.post("https://web.internal/echo", content="by httpx").text, "by httpx")
        self._check_books(2)


class TunnelsAreAttempts(RealCase):
    def test_a_connect_goes_on_to_an_endpoint_that_is_there(self):
        peer, absent = self.echo(), HeldPort()
        self.addCleanup(absent.release)
        candor = self.candor({"web": {"endpoints": [f"{HOST}:{absent.number}", peer.address],
                                      "retry": {"attempts": 2, "backoff": {"base": "1ms", "cap": "1ms"}}}},
                             listeners=[{"mode": "forward_proxy"}])
        connects = []

        def met_the_absent_one():
            connects.append(curl(self.folder, "http://web/", "--noproxy", "", "--proxytunnel", "--proxy",
                                 f"http://{HOST}:{candor.ports['shared']}"))
            self.assertEqual((connects[-1].exit_status, connects[-1].status), (0, 200), connects[-1].error)
            return candor.ledger("web")["failures"]["connect"] >= 1

        until(met_the_absent_one, "a CONNECT had gone to the endpoint that is not there first")
        books = settled_books(self, candor, "web")
        self.assertEqual(books.ledger["success"], len(connects))
        self.assertEqual(books.ledger["failures"]["connect"], books.ledger["started"] - len(connects))

    def test_a_connect_to_nobody_is_told_like_any_other_request(self):
        absent = HeldPort()
        self.addCleanup(absent.release)
        candor = self.candor({"web": {"endpoints": [f"{HOST}:{absent.number}"], "retry": {"attempts": 1}}},
                             listeners=[{"mode": "forward_proxy"}])
        with Wire(candor.ports["shared"]) as caller:
            answer = caller.send("CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\n\r\n").answer()
            self.assertIn(answer.status, (502, 503))
            self.assertTrue(answer.get("Proxy-Status").startswith("candor; error=connection_refused"), answer)
        books = settled_books(self, candor, "web")
        self.assertEqual(books.ledger["failures"]["connect"], 1)

    def test_a_connect_without_a_valid_port_is_a_bad_request(self):
        """RFC 9110, 9.3.6: it must be rejected."""
        peer = self.echo()
        candor = self.candor({"web": {"endpoints": [peer.address]}}, listeners=[{"mode": "forward_proxy"}])
        for target in ("web", "web:", "web:http", "web:-1", "web:99999", "web:100000", "http://web:80", "/web:80"):
            with self.subTest(target), Wire(candor.ports["shared"]) as caller:
                caller.send(f"CONNECT {target} HTTP/1.1\r\nHost: web\r\n\r\n")
                self.assertEqual(caller.answer("CONNECT").status, 400)

    def test_a_listener_that_routes_makes_no_tunnels(self):
        peer = self.echo()
        candor = self.candor({"web": {"endpoints": [peer.address]}}, listeners=[{}])
        for port in (candor.ports["shared"], candor.ports["web"]):
            with Wire(port) as caller:
                caller.send("CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\n\r\n")
                self.assertEqual(caller.answer().status, 501)


class Loops(RealCase):
    """RFC 9110, 7.6.3: a request whose Via names this proxy has been here before."""

    def setUp(self):
        super().setUp()
        self.peer = self.echo()
        self.proxy = self.candor({"web": {"endpoints": [self.peer.address]}}, via="candor-odd",
                                 listeners=[{"mode": "forward_proxy"}])

    def _asked(self, via, port="web"):
        with Wire(self.proxy.ports[port]) as caller:
            return caller.get("/", "".join(f"Via: {each}\r\n" for each in via)).answer()

    def test_a_via_that_names_another_is_kept_before_its_own(self):
        for via in (["1.1 candor"], ["1.0 candor-odder, 1.1 x.candor-odd"], ["1.1 x (candor-odd)", "1.1 y"],
                    ["1.1 x (1.1, 1.1 candor-odd)"], ["1.1 candor-odd:80"], ["candor-odd other"]):
            self.assertEqual(self._asked(via).status, 200, via)
            self.assertEqual(self.peer.asked[-1].get("Via"), ", ".join([*via, "1.1 candor-odd"]))

    def test_a_via_that_names_it_is_a_loop_on_every_port(self):
        for port in ("web", "shared"):
            for via in (["1.1 candor-odd"], ["1.0 x, HTTP/1.1 candor-odd (a comment), 1.1 y"],
                        ["1.1 x", "1.1 candor-odd"]):
                answer = self._asked(via, port)
                self.assertEqual(answer.status, 508, (port, via))
                self.assertIn("error=proxy_loop_detected", answer.get("Proxy-Status"))
        self.assertEqual(self.peer.asked, [])

    def test_what_stands_in_a_comment_hides_no_loop(self):
        """RFC 9110, 5.6.5: a quote in a comment opens nothing, and \\) doesn't end it."""
        for via in ("1.1 x (a, b), 1.1 candor-odd", "1.1 x (a (b, c) d), 1.1 candor-odd", "1.1 x (\\)), 1.1 candor-odd",
                    "1.1 x (5\" disk), 1.1 candor-odd"):
            with self.subTest(via):
                self.assertEqual(self._asked([via]).status, 508)


if __name__ == "__main__":
    main()
