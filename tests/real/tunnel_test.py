"""The tunnel that WebSockets are carried in, byte by byte; and the Upgrade that makes one, or doesn't."""

import contextlib
import threading

from support.books import settled_books
from support.case import RealCase, main
from support.documents import content
from support.plain import PlainUpstream
from support.waiting import PATIENCE, until
from support.wire import Wire

_UPGRADE = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n"
_SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-A: 1\r\n\r\n"


class Tunnels(RealCase):
    """The bytes in it are nobody's affair."""

    def _tunnel(self, script, drain_timeout="30s", **settings):
        """A caller whose connection has become a tunnel to an upstream that then does what the script says."""
        def upgrade(conversation):
            conversation.request()
            conversation.send(_SWITCHED)
            script(conversation)

        self.peer = self.upstream(upgrade)
        self.proxy = self.candor({"web": {"endpoints": [self.peer.address], **settings}},
                                 drain_timeout=drain_timeout)
        caller = Wire(self.proxy.ports["web"])
        self.addCleanup(caller.close)
        head = caller.get("/", _UPGRADE).interim()
        self.assertEqual((head.status, head.get("X-A"), head.get("Upgrade")), (101, "1", "websocket"), head)
        self.assertEqual(head.get("Connection").lower(), "upgrade")
        self.assertIsNone(head.get("Transfer-Encoding"))
        return caller

    def _check_books(self):
        books = settled_books(self, self.proxy, "web")
        self.assertEqual((books.ledger["started"], books.ledger["success"]), (1, 1), books.ledger)

    def test_a_caller_that_has_said_all_still_hears_the_rest(self):
        got = []

        def script(conversation):
            got.append(conversation.rest())
            conversation.send(content("upload-2000000-rest"))

        caller = self._tunnel(script)
        caller.send(b"\0all of it\r\n\r\n").shut()
        self.assertEqual(caller.some(2_000_000), content("upload-2000000-rest"))
        self.assertTrue(caller.ends())
        self.assertEqual(got, [b"\0all of it\r\n\r\n"])
        self._check_books()

    def test_an_upstream_that_has_said_all_still_hears_the_rest(self):
        got, heard = [], threading.Event()

        def script(conversation):
            conversation.send("all of it")
            conversation.shut()
            got.append(conversation.rest())
            heard.set()

        caller = self._tunnel(script)
        self.assertEqual(caller.some(9), b"all of it")
        self.assertTrue(caller.ends())
        caller.send(content("upload-2000000-rest")).shut()
        self.assertTrue(heard.wait(PATIENCE))
        self.assertEqual(got, [content("upload-2000000-rest")])
        self._check_books()

    def test_bytes_right_behind_the_handshake_are_of_the_tunnel(self):
        def upgrade(conversation):
            conversation.request()
            conversation.send(_SWITCHED + "HTTP/1.1 200 no answer\r\n\r\n")
            conversation.echo()

        peer = self.upstream(upgrade)
        candor = self.candor({"web": {"endpoints": [peer.address]}})
        with Wire(candor.ports["web"]) as caller:
            caller.send(f"GET / HTTP/1.1\r\nHost: web\r\n{_UPGRADE}\r\nGET /not/a/request HTTP/1.1\r\n\r\n")
            self.assertEqual(caller.interim().status, 101)
            self.assertEqual(caller.some(26), b"HTTP/1.1 200 no answer\r\n\r\n")
            self.assertEqual(caller.some(31), b"GET /not/a/request HTTP/1.1\r\n\r\n")
        self.assertEqual(len(peer.heads), 1)

    def test_a_break_on_either_side_is_a_break_on_the_other(self):
        broken = threading.Event()

        def script(conversation):
            try:
                if conversation.receive() == b"break":
                    conversation.reset()
                    return
                conversation.receive()
            except ConnectionResetError:  # it may overtake the bytes before it
                broken.set()

        caller = self._tunnel(script)
        self.assertTrue(caller.send(b"break").is_reset())
        with Wire(self.proxy.ports["web"]) as caller:
            caller.get("/", _UPGRADE).interim()
            caller.send(b"stay")
            caller.reset()
            self.assertTrue(broken.wait(PATIENCE), "the upstream was reset")

    def test_a_tunnel_without_a_byte_is_ended_in_the_end(self):
        ended = threading.Event()

        def script(conversation):
            conversation.wait_for_end()
            ended.set()

        caller = self._tunnel(script, timeouts={"tunnel": "150ms"})
        with contextlib.suppress(ConnectionResetError):
            self.assertTrue(caller.ends())
        self.assertTrue(ended.wait(PATIENCE))
        self._check_books()

    def test_a_tunnel_with_a_byte_now_and_then_is_not(self):
        caller = self._tunnel(lambda conversation: conversation.echo(), timeouts={"tunnel": "2s"})
        # Beyond the timeout in all, as another connection shows that is silent meanwhile.
        with Wire(self.proxy.ports["web"]) as silent:
            silent.get("/", _UPGRADE).interim()

            def goes_on():
                caller.send(b"x")
                self.assertEqual(caller.some(1), b"x")
                return silent.readable()

            until(goes_on, "the silent tunnel was ended")
        caller.send(b"y")
        self.assertEqual(caller.some(1), b"y")

    def test_an_upgrade_is_tried_again_as_any_request(self):
        asked = []

        def script(conversation):
            asked.append(conversation.request())
            conversation.send(_SWITCHED + "hello" if len(asked) > 1 else
                              "HTTP/1.1 503 Not Now\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            if len(asked) > 1:
                conversation.wait_for_end()

        peer = self.upstream(script)
        self.proxy = self.candor({"web": {"endpoints": [peer.address], "retry": {"attempts": 2}}})
        with Wire(self.proxy.ports["web"]) as caller:
            self.assertEqual(caller.get("/", _UPGRADE).interim().status, 101)
            self.assertEqual(caller.some(5), b"hello")
        books = settled_books(self, self.proxy, "web")
        self.assertEqual((books.ledger["success"], books.ledger["failures"]["status"]), (1, 1), books.ledger)

    def test_a_handshake_without_an_answer_times_out_as_any_request(self):
        peer = self.upstream(lambda conversation: (conversation.request(), conversation.wait_for_end()))
        timeouts = {"connect": "200ms", "attempt": "200ms", "request": "1s", "tunnel": "1h"}
        candor = self.candor({"web": {"endpoints": [peer.address], "timeouts": timeouts, "retry": {"attempts": 1}}})
        with Wire(candor.ports["web"]) as caller:
            self.assertEqual(caller.get("/", _UPGRADE).answer().status, 504)
        self.assertEqual(settled_books(self, candor, "web").ledger["failures"]["timeout"], 1)

    def test_a_tunnel_goes_on_while_candor_drains_and_no_longer(self):
        caller = self._tunnel(lambda conversation: conversation.echo(), drain_timeout="1s")
        self.proxy.terminate()
        until(self.proxy.is_draining, "it drained")
        caller.send(b"still here")
        self.assertEqual(caller.some(10), b"still here")
        self.proxy.process.wait()
        with contextlib.suppress(ConnectionResetError):
            self.assertTrue(caller.ends())

    def test_candor_ends_at_once_when_its_last_tunnel_does(self):
        caller = self._tunnel(lambda conversation: conversation.wait_for_end())
        self.proxy.terminate()
        until(self.proxy.is_draining, "it drained")
        caller.close()
        self.assertEqual(self.proxy.process.wait(within=15), 0)  # its drain_timeout is 30s

    def test_the_caller_waits_for_a_slow_reader_and_nothing_is_lost(self):
        """Back-pressure: more than all buffers together, to an upstream that begins to read when all is stuck."""
        begin, got = threading.Event(), []
        whole = content("upload-12000000-slow")

        def script(conversation):
            begin.wait(PATIENCE)
            size = 0
            while size < len(whole) and (data := conversation.receive()):
                size += len(data)
                got.append(data)
            conversation.send("!")

        caller = self._tunnel(script)
        before = self.proxy.metrics().value("process_resident_memory_bytes")
        sending = threading.Thread(target=caller.send, args=(whole,), daemon=True)
        sending.start()
        until(caller.is_held_up, "no more could be sent")
        self.assertTrue(sending.is_alive())
        self.assertLess(self.proxy.metrics().value("process_resident_memory_bytes") - before, 8 * 2**20)
        begin.set()
        self.assertEqual(caller.some(1), b"!")
        sending.join(PATIENCE)
        caller.close()
        self.assertEqual(b"".join(got), whole)
        self._check_books()


class NoUpgrade(PlainUpstream):
    """Requests with Upgrade that don't make a tunnel."""

    def _asked(self, fields, version="1.1", method="GET"):
        """What the upstream saw, after Candor gave its plain answer and goes on with the connection."""
        with Wire(self.proxy.ports["web"]) as caller:
            caller.send(f"{method} /first HTTP/{version}\r\nHost: web\r\n{fields}\r\n")
            self.assertEqual(caller.answer().body, self.plain)
            first = self.peer.heads[-1]
            if version == "1.1":
                self.assertEqual(caller.get("/second").answer().body, self.plain)
        return first.lower()

    def test_an_upstream_that_doesnt_want_to_just_answers(self):
        head = self._asked(_UPGRADE)
        self.assertIn("\r\nupgrade: websocket", head)

    def test_protocols_that_are_not_configured_are_asked_for_in_vain(self):
        self.assertNotIn("upgrade", self._asked("Connection: Upgrade\r\nUpgrade: odd/1\r\n"))

    def test_of_several_protocols_only_configured_ones_are_asked_for(self):
        head = self._asked("Connection: Upgrade\r\nUpgrade: odd/1, WebSocket\r\n")
        self.assertNotIn("odd", head)

    def test_upgrade_means_nothing_in_http_1_0(self):
        """RFC 9110, 7.8."""
        self.assertNotIn("upgrade", self._asked(_UPGRADE, version="1.0"))

    def test_upgrade_that_connection_does_not_name_ends_here(self):
        """RFC 9110, 7.8: a sender must name it."""
        self.assertNotIn("upgrade", self._asked("Upgrade: websocket\r\n"))

    def test_a_101_that_nobody_asked_for_is_no_answer(self):
        """RFC 9110, 7.8: a server must not switch to what was not asked for."""
        def switch(conversation):
            while conversation.request():
                conversation.send(_SWITCHED.replace("websocket", "odd/1"))

        peer = self.upstream(switch)
        candor = self.candor({"web": {"endpoints": [peer.address], "retry": {"attempts": 1}}}, name="second")
        for fields in ("", _UPGRADE):
            with self.subTest(fields), Wire(candor.ports["web"]) as caller:
                head = caller.get("/", fields)._head()  # pylint: disable=protected-access
                self.assertEqual(head.status, 502, head)
        self.assertEqual(settled_books(self, candor, "web").ledger["failures"]["protocol"], 2)


if __name__ == "__main__":
    main()
