"""Other ways to Candor than a port for each upstream: by Unix domain socket, behind a load balancer that speaks the
PROXY protocol, and by routes."""

import asyncio
import contextlib
import socket
import struct
import threading

import aiohttp
import httpx

from support.books import settled_books
from support.callers import curl
from support.case import RealCase, main
from support.documents import content, digest
from support.ports import HOST
from support.shared import SharedPort
from support.waiting import PATIENCE, until
from support.wire import BrokenOff, Wire


class UnixSockets(RealCase):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "candor.sock"
        self.peer_path = self.folder / "peer.sock"

    def _proxy(self, **options):
        return self.candor({"web": {"listen": f"unix:{self.path}", "endpoints": [f"unix:{self.peer_path}"]}}, **options)

    def _curl(self, path, *arguments):
        return curl(self.folder, f"http://web{path}", "--unix-socket", str(self.path), *arguments)

    def test_curl_and_libraries_reach_an_upstream_behind_one_through_another(self):
        peer, candor = self.echo(self.peer_path), self._proxy()
        document = self.folder / "document"
        document.write_bytes(content("upload-500000-unix"))
        got = self._curl("/echo", "--upload-file", str(document))
        self.assertEqual((got.exit_status, digest(got.body)), (0, digest(document.read_bytes())), got.error)
        got = self._curl("/of/[1-9]")
        self.assertEqual((got.exit_status, got.connections), (0, 1))
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(self.path)), timeout=PATIENCE) as caller:
            self.assertEqual(caller.post("http://web/echo", content="by httpx").text, "by httpx")

        async def by_aiohttp():
            async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self.path))) as caller:
                async with caller.post("http://web/chunked", data="by aiohttp") as answer:
                    return await answer.text()

        self.assertEqual(asyncio.run(by_aiohttp()), "by aiohttp")
        self.assertEqual(peer.asked[-1].get("Host"), "web")
        self.assertEqual(settled_books(self, candor, "web").ledger["success"], 12)

    def test_an_upstream_that_is_not_there_is_a_refused_connection(self):
        candor = self._proxy()
        got = self._curl("/")
        self.assertIn(got.status, (502, 503))
        self.assertRegex(got.heads, "Proxy-Status: candor; error=(connection_refused|destination_unavailable)")
        self.assertGreaterEqual(candor.ledger("web")["failures"]["connect"], 1)
        self.echo(self.peer_path)
        until(lambda: self._curl("/").status == 200, "the upstream was reached once it was there")

    def test_a_socket_that_was_left_behind_is_taken_over(self):
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as left:
            left.bind(str(self.path))
        self.echo(self.peer_path)
        self._proxy()
        self.assertEqual(self._curl("/").status, 200)

    def test_a_socket_that_somebody_listens_on_is_left_to_them(self):
        self.echo(self.peer_path)
        self._proxy()
        with self.assertRaisesRegex(AssertionError, f"second did not start, .*{self.path}"):
            self._proxy(name="second")
        self._servers.pop()  # it is as it should be that it ended badly
        self.assertEqual(self._curl("/").status, 200)

    def test_a_socket_is_gone_with_candor(self):
        self.echo(self.peer_path)
        candor = self._proxy()
        self.assertEqual(self._curl("/").status, 200)
        self.assertEqual(candor.stop(), 0)
        self.assertFalse(self.path.exists())

    def test_a_request_that_comes_back_is_refused_as_a_loop(self):
        """RFC 9110, 7.6.3, and RFC 5842, 7.2."""
        other = self.folder / "other.sock"
        first = self.candor({"web": {"listen": f"unix:{self.path}", "endpoints": [f"unix:{other}"],
                                     "retry": {"attempts": 1}}})
        second = self.candor({"web": {"listen": f"unix:{other}", "endpoints": [f"unix:{self.path}"],
                                      "retry": {"attempts": 1}}}, name="second")
        got = self._curl("/")
        self.assertEqual(got.status, 508)
        self.assertIn("error=proxy_loop_detected", got.heads)
        self.assertEqual([settled_books(self, each, "web").ledger["started"] for each in (first, second)], [1, 1])


def _v2(command, family, addresses):
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", 0x20 | command, family, len(addresses)) + addresses


class BehindALoadBalancer(SharedPort):
    """The PROXY protocol, versions 1 and 2."""

    listener = {"proxy_protocol": True}

    def _logged(self, count):
        until(lambda: len(self.proxy.access_log()) >= count, "the requests were logged")
        return [line.get("caller", "").rpartition(":")[0].strip("[]") for line in self.proxy.access_log()]

    def test_curl_says_who_it_is(self):
        got = curl(self.folder, f"http://{HOST}:{self.port}/of/[1-3]", "--header", "Host: web", "--haproxy-protocol")
        self.assertEqual((got.exit_status, got.status), (0, 200), got.error)
        self.assertEqual(len(self.peer.asked), 3)
        self.assertEqual(set(self._logged(3)), {HOST})

    def test_the_access_log_names_the_caller_that_the_header_tells(self):
        addresses = struct.pack("!4s4sHH", socket.inet_aton("192.0.2.7"), socket.inet_aton("192.0.2.1"), 4567, 80)
        six = struct.pack("!16s16sHH", socket.inet_pton(socket.AF_INET6, "2001:db8::7"),
                          socket.inet_pton(socket.AF_INET6, "2001:db8::1"), 4567, 80)
        told = [(b"PROXY TCP4 192.0.2.7 192.0.2.1 4567 80\r\n", "192.0.2.7"),
                (b"PROXY TCP6 2001:db8::7 2001:db8::1 4567 80\r\n", "2001:db8::7"),
                (b"PROXY UNKNOWN\r\n", ""),
                (b"PROXY UNKNOWN what ever\r\n", ""),
                (_v2(1, 0x11, addresses), "192.0.2.7"),
                (_v2(1, 0x21, six), "2001:db8::7"),
                (_v2(1, 0x11, addresses + b"\x04\0\x01x\x20\0\x03abc"), "192.0.2.7"),  # and what nobody reads
                (_v2(1, 0x00, b""), ""),
                (_v2(0, 0x00, b""), ""),  # of the load balancer itself
                (_v2(0, 0x11, addresses), "")]
        for n, (header, _) in enumerate(told):
            with Wire(self.port) as caller:
                caller.send(header + b"GET /of/%d HTTP/1.1\r\nHost: web\r\n\r\n" % n)
                self.assertEqual(caller.answer().status, 200, header)
                self.assertEqual(caller.get("/again").answer().status, 200, header)
            self.assertEqual(self._logged(2 * n + 2)[-2:], [told[n][1]] * 2, header)

    def test_a_header_that_comes_byte_by_byte_is_understood(self):
        for header in (b"PROXY TCP4 192.0.2.7 192.0.2.1 4567 80\r\n", _v2(1, 0x11, bytes(12))):
            with Wire(self.port) as caller:
                for byte in header:
                    caller.send(bytes([byte]))
                self.assertEqual(caller.get("/").answer().status, 200)

    def test_a_connection_without_a_good_header_is_not_served(self):
        for header in (b"", b"PROXY TCP4 192.0.2.7\r\n", b"PROXY TCP4 192.0.2.777 192.0.2.1 1 2\r\n",
                       b"PROXY TCP4 " + b"1" * 200 + b"\r\n", _v2(7, 0x11, bytes(12)), _v2(1, 0x11, bytes(11)),
                       b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c" + bytes(12), b"proxy TCP4 192.0.2.7 192.0.2.1 1 2\r\n"):
            with Wire(self.port) as caller:
                with self.assertRaises((BrokenOff, ConnectionError, ValueError), msg=header):
                    caller.send(header).get("/")
                    self.assertEqual(caller.answer().status, 400)
                    raise BrokenOff("told so, and ended")
        self.assertEqual(self.peer.asked, [])

    def test_a_listener_that_was_not_told_of_it_takes_it_for_a_bad_request(self):
        got = curl(self.folder, self.proxy.url("web", "/"), "--haproxy-protocol")
        self.assertEqual((got.status, self.peer.asked), (400, []))


class Routes(RealCase):
    def test_the_first_route_that_matches_says_where_a_request_goes(self):
        gold, charges, rest = self.echo(), self.echo(), self.echo()
        routes = [{"match": {"headers": {"x-tenant": "gold"}}, "upstream": "gold"},
                  {"match": {"path_prefix": "/charge", "methods": ["POST", "PUT"]}, "upstream": "charges"},
                  {"match": {"hosts": ["odd.example"]}, "upstream": "rest"}]
        candor = self.candor({name: {"endpoints": [peer.address]} for name, peer in
                              (("gold", gold), ("charges", charges), ("rest", rest))}, listeners=[{"routes": routes}])
        shared = f"http://{HOST}:{candor.ports['shared']}"
        for path, arguments, peer in (
                ("/charge/1", ("--header", "X-Tenant: gold", "--request", "POST"), gold),
                ("/charge/1", ("--request", "POST", "--header", "Host: rest"), charges),
                ("/charge", ("--request", "PUT"), charges),
                ("/charge/1", ("--header", "Host: rest"), rest),
                ("/charges", ("--request", "POST", "--header", "Host: rest"), rest),
                ("/charge/1", ("--header", "Host: ODD.example:99"), rest),
                ("/x", ("--header", "X-Tenant: golden", "--header", "Host: rest"), rest)):
            before = len(peer.asked)
            got = curl(self.folder, shared + path, *arguments)
            self.assertEqual((got.status, len(peer.asked)), (200, before + 1), (path, arguments))
        self.assertEqual(curl(self.folder, shared + "/charge/1").status, 421)


class ManyWaysAtOnce(RealCase):
    def test_they_all_lead_to_one_upstream_with_one_account(self):
        peer = self.echo()
        candor = self.candor({"web": {"endpoints": [peer.address]}},
                             listeners=[{}, {"listen": f"unix:{self.folder / 'a.sock'}", "mode": "forward_proxy"},
                                        {"listen": f"unix:{self.folder / 'b.sock'}", "proxy_protocol": True}])
        wrong = []

        def run(name, url, *arguments):
            for n in range(4):
                got = curl(self.folder, url, "--data-binary", f"{name} {n}", *arguments, name=f"{name}-{n}")
                if got.body != f"{name} {n}".encode():
                    wrong.append(got)

        shared = f"http://{HOST}:{candor.ports['shared']}/echo"
        ways = [("own", candor.url("web", "/echo")), ("shared", shared, "--header", "Host: web"),
                ("a", "http://web/echo", "--unix-socket", str(self.folder / "a.sock")),
                ("b", "http://web/echo", "--unix-socket", str(self.folder / "b.sock"), "--haproxy-protocol")]
        threads = [threading.Thread(target=run, args=way) for way in ways]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(settled_books(self, candor, "web").ledger["success"], 16)


if __name__ == "__main__":
    main()
