"""WebSockets through Candor, by python3-websockets and aiohttp."""

import asyncio
import contextlib
from http import HTTPStatus
from socket import create_connection

import aiohttp
import websockets

from support.books import settled_books
from support.case import RealCase, main
from support.documents import content
from support.ports import HOST
from support.waiting import PATIENCE
from support.wire import Wire


class WebSockets(RealCase):
    """Caller and upstream in one loop, Candor between them."""

    def _talk(self, serve, talk, settings=None, **options):
        """Runs `talk(uri)` against an upstream that does `serve(socket)`; gives Candor."""
        async def run():
            async with websockets.serve(serve, HOST, 0, max_size=None, ping_interval=None, **options) as server:
                address = f"{HOST}:{server.sockets[0].getsockname()[1]}"
                candor = self.candor({"web": {"endpoints": [address], **(settings or {})}})
                await asyncio.wait_for(talk(f"ws://{HOST}:{candor.ports['web']}/of/it?x=1"), PATIENCE)
                return candor

        return asyncio.run(run())

    def _connect(self, uri, **options):
        return websockets.connect(uri, max_size=None, ping_interval=None, **options)

    async def _echo(self, socket):
        async for message in socket:
            await socket.send(message)

    def _check_books(self, candor, connections=1):
        """One attempt each, and a good one."""
        books = settled_books(self, candor, "web")
        self.assertEqual((books.ledger["started"], books.ledger["success"]), (connections, connections), books.ledger)
        self.assertEqual({line["status"] for line in books.requests}, {101})

    def test_messages_of_both_kinds_and_any_size_come_back(self):
        messages = ["", "text", "Gr\u00fc\u00dfe \U0001f600", b"", bytes(range(256)), content("upload-65536-ws"),
                    content("upload-1000000-ws"), "x" * 1_000_000]

        async def talk(uri):
            for compression in (None, "deflate"):
                async with self._connect(uri, compression=compression) as socket:
                    for message in messages:
                        await socket.send(message)
                        self.assertEqual(await socket.recv(), message)

        self._check_books(self._talk(self._echo, talk), connections=2)

    def test_many_messages_flow_both_ways_at_once(self):
        messages = [content(f"upload-{n * 97}-many") for n in range(300)]

        async def talk(uri):
            async with self._connect(uri) as socket:
                async def send():
                    for message in messages:
                        await socket.send(message)
                sending = asyncio.create_task(send())
                self.assertEqual([await socket.recv() for _ in messages], messages)
                await sending

        self._check_books(self._talk(self._echo, talk))

    def test_a_message_in_fragments_arrives_as_one(self):
        async def talk(uri):
            async with self._connect(uri) as socket:
                await socket.send(["one ", "", "two ", "three" * 10_000])
                self.assertEqual(await socket.recv(), "one two " + "three" * 10_000)

        self._check_books(self._talk(self._echo, talk))

    def test_pings_are_answered_both_ways(self):
        async def serve(socket):
            await (await socket.ping("from the upstream"))
            await socket.send("answered")
            await self._echo(socket)

        async def talk(uri):
            async with self._connect(uri) as socket:
                self.assertEqual(await socket.recv(), "answered")
                for data in (b"", b"p" * 125):
                    await (await socket.ping(data))

        self._check_books(self._talk(serve, talk))

    def test_the_handshake_passes_with_all_that_is_agreed_in_it(self):
        seen = {}

        async def serve(socket):
            seen.update(socket.request_headers.raw_items())
            seen["path"] = socket.path
            await self._echo(socket)

        async def talk(uri):
            async with self._connect(uri, subprotocols=["odd.v2", "odd.v1"],
                                     extra_headers={"Cookie": "a=1", "Authorization": "Bearer x"}) as socket:
                self.assertEqual(socket.subprotocol, "odd.v1")
                self.assertEqual(socket.response_headers["X-From"], "the upstream")
                self.assertIn("permessage-deflate", socket.response_headers["Sec-WebSocket-Extensions"])

        self._check_books(self._talk(serve, talk, subprotocols=["odd.v1"], extra_headers={"X-From": "the upstream"}))
        self.assertEqual((seen["path"], seen["Upgrade"].lower(), seen["Cookie"], seen["Authorization"]),
                         ("/of/it?x=1", "websocket", "a=1", "Bearer x"))
        self.assertIn("upgrade", seen["Connection"].lower())

    def test_either_side_may_close_and_the_other_hears_why(self):
        heard = []

        async def serve(socket):
            with contextlib.suppress(websockets.ConnectionClosed):
                if await socket.recv() == "you":
                    await socket.close(4002, "the upstream's")
                await socket.recv()
            heard.append((socket.close_code, socket.close_reason))

        async def talk(uri):
            async with self._connect(uri) as socket:
                await socket.send("you")
                with self.assertRaises(websockets.ConnectionClosed):
                    await socket.recv()
                self.assertEqual((socket.close_code, socket.close_reason), (4002, "the upstream's"))
            async with self._connect(uri) as socket:
                await socket.send("I")
                await socket.close(4001, "the caller's")
                self.assertEqual((socket.close_code, socket.close_reason), (4001, "the caller's"))

        self._check_books(self._talk(serve, talk), connections=2)
        # Which of the two coroutines gets to say so first is chance.
        self.assertEqual(sorted(heard), [(4001, "the caller's"), (4002, "the upstream's")])

    def test_either_side_may_vanish_and_the_other_hears_that(self):
        async def talk(uri):
            heard = asyncio.Queue()
            self._heard = heard
            async with self._connect(uri) as socket:
                await socket.send("vanish")
                with self.assertRaises(websockets.ConnectionClosed):
                    await socket.recv()
                self.assertEqual(socket.close_code, 1006)
            await heard.get()
            async with self._connect(uri) as socket:
                await socket.send("hello")
                await socket.recv()
                socket.transport.abort()
                self.assertEqual(await heard.get(), 1006)

        async def serve(socket):
            try:
                async for message in socket:
                    if message == "vanish":
                        socket.transport.abort()
                    await socket.send(message)
            except websockets.ConnectionClosed:
                pass
            await self._heard.put(socket.close_code)

        self._check_books(self._talk(serve, talk), connections=2)

    def test_many_at_once_are_kept_apart(self):
        async def talk(uri):
            async def one(n):
                async with self._connect(uri) as socket:
                    for i in range(5):
                        await socket.send(f"{n}-{i}")
                        self.assertEqual(await socket.recv(), f"{n}-{i}")
            await asyncio.gather(*(one(n) for n in range(40)))

        self._check_books(self._talk(self._echo, talk), connections=40)

    def test_every_way_in_leads_to_a_websocket(self):
        here, there = self.folder / "here.sock", self.folder / "there.sock"

        async def run():
            async with websockets.unix_serve(self._echo, str(there)):
                candor = self.candor({"web": {"endpoints": [f"unix:{there}"]}},
                                     listeners=[{"mode": "forward_proxy"}, {"listen": f"unix:{here}"}])
                async with websockets.unix_connect(str(here), "ws://web/x") as talk:
                    await talk.send("by a Unix domain socket")
                    self.assertEqual(await talk.recv(), "by a Unix domain socket")
                through = create_connection((HOST, candor.ports["shared"]), timeout=PATIENCE)
                through.sendall(b"CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\n\r\n")  # as RFC 6455, 4.1, has it
                self.assertTrue(through.recv(4096).startswith(b"HTTP/1.1 200 "))
                async with self._connect("ws://web/x", sock=through) as talk:
                    await talk.send("by a proxy")
                    self.assertEqual(await talk.recv(), "by a proxy")
                async with self._connect(f"ws://{HOST}:{candor.ports['web']}/x") as talk:
                    await talk.send("by its own port")
                    self.assertEqual(await talk.recv(), "by its own port")
                return candor

        books = settled_books(self, asyncio.run(run()), "web")
        self.assertEqual((books.ledger["started"], books.ledger["success"]), (3, 3), books.ledger)

    def test_a_handshake_that_the_upstream_refuses_is_an_answer_like_others(self):
        async def refuse(_path, _fields):
            return HTTPStatus.FORBIDDEN, {"X-Why": "because"}, b"not you"

        async def talk(uri):
            with self.assertRaises(websockets.InvalidStatusCode) as refused:
                await self._connect(uri)
            self.assertEqual((refused.exception.status_code, refused.exception.headers["X-Why"]), (403, "because"))

        books = settled_books(self, self._talk(self._echo, talk, process_request=refuse), "web")
        # It may have left before the answer's last byte.
        self.assertEqual((books.ledger["started"], books.ledger["failure"]), (1, 0), books.ledger)
        self.assertEqual(books.requests[0]["status"], 403)

    def test_aiohttp_is_understood_too(self):
        async def talk(uri):
            async with aiohttp.ClientSession() as caller, caller.ws_connect(uri, compress=15, max_msg_size=0) as socket:
                await socket.send_str("text")
                self.assertEqual(await socket.receive_str(), "text")
                await socket.send_bytes(content("upload-300000-aio"))
                self.assertEqual(await socket.receive_bytes(), content("upload-300000-aio"))
                await socket.send_json({"a": [1]})
                self.assertEqual(await socket.receive_json(), {"a": [1]})

        self._check_books(self._talk(self._echo, talk))

    def test_a_message_is_late_without_harm_where_only_bodies_must_not_be(self):
        """A tunnel outlives the timeouts of requests: one that begins later, and breaks by them, shows it."""
        async def serve(socket):
            await self._echo(socket)

        async def talk(uri):
            async with self._connect(uri) as socket:
                await socket.send("before")
                self.assertEqual(await socket.recv(), "before")
                self._break_by_timeouts()
                await socket.send("after")
                self.assertEqual(await socket.recv(), "after")

        timeouts = {"connect": "200ms", "attempt": "200ms", "request": "200ms", "idle": "200ms"}
        self._timeouts = timeouts
        self._check_books(self._talk(serve, talk, settings={"timeouts": timeouts}))

    def _break_by_timeouts(self):
        peer = self.upstream(lambda conversation: (conversation.request(), conversation.wait_for_end()))
        candor = self.candor({"web": {"endpoints": [peer.address], "timeouts": self._timeouts,
                                      "retry": {"attempts": 1}}}, name="second")
        with Wire(candor.ports["web"]) as caller:
            for _ in range(3):
                self.assertEqual(caller.get("/").answer().status, 504)


if __name__ == "__main__":
    main()
