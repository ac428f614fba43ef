"""HTTP libraries of Python through Candor, as programs use them: pools of kept connections, streams both ways."""

import asyncio
import gzip
import random
import threading

import aiohttp
import httpx

from support.books import settled_books
from support.callers import session
from support.case import RealCase, main
from support.documents import LARGE, SMALL, content, digest
from support.optional import needs_httpbin
from support.waiting import PATIENCE, until

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_SIZES = (0, 1, 65_537, 500_000)
_STEPS = [b"step 0\n", b"step 1\n", b"step 2\n"]


def _pieces(size):
    """An upload of as many bytes, in pieces of odd sizes."""
    data, rng, at = content(f"upload-{size}-pieces"), random.Random(size), 0
    while at < size:
        step = rng.randrange(1, 100_000)
        yield data[at:at + step]
        at += step


def _httpx_client(**options):
    return httpx.Client(trust_env=False, timeout=PATIENCE, **options)


class _Library(RealCase):
    """With an upstream that echoes."""

    def setUp(self):
        super().setUp()
        self.peer = self.echo()
        self.proxy = self.candor({"web": {"endpoints": [self.peer.address]}}, workers=1)

    def _url(self, path):
        return self.proxy.url("web", path)

    def _check_books(self, connections):
        """Each request was one attempt that the upstream saw; the callers made so many connections in all."""
        books = settled_books(self, self.proxy, "web")
        self.assertEqual((books.ledger["started"], books.ledger["success"]), (len(self.peer.asked),) * 2, books.ledger)
        self.assertEqual(books.metrics.value("candor_caller_connections_accepted_total"), connections)


class Requests(_Library):
    def test_a_session_keeps_its_connection_over_all_methods_and_bodies(self):
        with session() as caller:
            for method in _METHODS:
                for size in _SIZES:
                    answer = caller.request(method, self._url("/echo"), data=content(f"upload-{size}-r"),
                                            timeout=PATIENCE)
                    self.assertEqual((answer.status_code, digest(answer.content)),
                                     (200, digest(content(f"upload-{size}-r"))))
            self.assertEqual(caller.head(self._url("/x"), timeout=PATIENCE).content, b"")
        self._check_books(connections=1)

    def test_generators_are_uploaded_in_chunks_and_files_with_their_length(self):
        document = self.folder / "document"
        document.write_bytes(content("upload-300000-file"))
        with session() as caller:
            for size in _SIZES:
                answer = caller.post(self._url("/chunked"), data=_pieces(size), timeout=PATIENCE)
                self.assertEqual(digest(answer.content), digest(content(f"upload-{size}-pieces")))
                self.assertEqual(self.peer.asked[-1].get("Transfer-Encoding"), "chunked")
            with document.open("rb") as file:
                answer = caller.put(self._url("/echo"), data=file, timeout=PATIENCE)
        self.assertEqual(digest(answer.content), digest(document.read_bytes()))
        self.assertEqual(self.peer.asked[-1].get("Content-Length"), "300000")
        self._check_books(connections=1)

    def test_a_stream_arrives_piece_by_piece(self):
        with session() as caller, caller.get(self._url("/steps"), stream=True, timeout=PATIENCE) as answer:
            lines = answer.iter_lines(chunk_size=1)
            for step in _STEPS:
                self.peer.step()  # the next one is sent only now
                self.assertEqual(next(lines) + b"\n", step)
            self.assertEqual(list(lines), [])
        self._check_books(connections=1)

    def test_codings_redirects_and_bodies_until_the_end_are_understood(self):
        with session() as caller:
            self.assertEqual(caller.post(self._url("/compressed"), data="text", timeout=PATIENCE).text, "text")
            answer = caller.post(self._url("/redirect"), data="text", timeout=PATIENCE)
            self.assertEqual((answer.text, answer.url), ("text", self._url("/echo")))
            self.assertEqual(caller.post(self._url("/until-close"), data="text", timeout=PATIENCE).text, "text")
            self.assertEqual(caller.post(self._url("/echo"), data="after", timeout=PATIENCE).text, "after")
        self._check_books(connections=1)


class Httpx(_Library):
    def test_a_pool_keeps_its_connection_over_all_methods_and_bodies(self):
        with _httpx_client() as caller:
            for method in _METHODS:
                for size in _SIZES:
                    answer = caller.request(method, self._url("/echo"), content=content(f"upload-{size}-h"))
                    self.assertEqual((answer.status_code, digest(answer.content)),
                                     (200, digest(content(f"upload-{size}-h"))))
            self.assertEqual(caller.head(self._url("/x")).content, b"")
        self._check_books(connections=1)

    def test_generators_are_uploaded_in_chunks(self):
        with _httpx_client() as caller:
            for size in _SIZES:
                answer = caller.post(self._url("/chunked"), content=_pieces(size))
                self.assertEqual(digest(answer.content), digest(content(f"upload-{size}-pieces")))
        self._check_books(connections=1)

    def test_a_stream_arrives_piece_by_piece(self):
        with _httpx_client() as caller, caller.stream("GET", self._url("/steps")) as answer:
            pieces = answer.iter_raw()
            for step in _STEPS:
                self.peer.step()
                self.assertEqual(next(pieces), step)
            self.assertEqual(list(pieces), [])
        self._check_books(connections=1)

    def test_a_stream_that_is_left_early_costs_only_its_connection(self):
        with _httpx_client() as caller:
            with caller.stream("GET", self._url("/steps")) as answer:
                self.assertEqual(answer.status_code, 200)
                self.peer.step()
            until(lambda: self.proxy.metrics().value("candor_requests_in_flight", upstream="web") == 0,
                  "the request that was left had ended")
            for _ in range(2):
                self.peer.step()  # for what is left of the upstream's answer
            self.assertEqual(caller.post(self._url("/echo"), content=b"after").content, b"after")
        books = settled_books(self, self.proxy, "web")
        self.assertEqual((books.ledger["abandoned"], books.ledger["success"], books.ledger["failure"]), (1, 1, 0))

    def test_a_pool_of_threads_shares_few_connections(self):
        wrong = []
        with _httpx_client(limits=httpx.Limits(max_connections=4, max_keepalive_connections=4)) as caller:
            def run(name):
                for n in range(25):
                    text = f"{name}-{n}"
                    if caller.post(self._url("/echo"), content=text).text != text:
                        wrong.append(text)

            threads = [threading.Thread(target=run, args=(name,)) for name in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual((wrong, len(self.peer.asked)), ([], 200))
        books = settled_books(self, self.proxy, "web")
        self.assertEqual(books.ledger["success"], 200)
        self.assertLessEqual(books.metrics.value("candor_caller_connections_accepted_total"), 4)

    def test_a_form_with_files_arrives(self):
        with _httpx_client() as caller:
            caller.post(self._url("/x"), data={"a": "1"}, files={"file": ("odd \"name\"", content("upload-90000-f"))})
        self.assertIn(content("upload-90000-f"), self.peer.asked[-1].body)
        self._check_books(connections=1)


class Aiohttp(_Library):
    """Everything in one loop, as asynchronous programs do it."""

    def _run(self, what, connections=100):
        async def with_session():
            options = {"timeout": aiohttp.ClientTimeout(total=PATIENCE),
                       "connector": aiohttp.TCPConnector(limit=connections)}
            async with aiohttp.ClientSession(**options) as caller:
                return await what(caller)

        return asyncio.run(with_session())

    def test_a_session_keeps_its_connection_over_all_methods_and_bodies(self):
        async def ask(caller):
            for method in _METHODS:
                for size in _SIZES:
                    async with caller.request(method, self._url("/echo"), data=content(f"upload-{size}-a")) as answer:
                        self.assertEqual(digest(await answer.read()), digest(content(f"upload-{size}-a")))

        self._run(ask)
        self._check_books(connections=1)

    def test_many_requests_at_once_share_a_pool(self):
        async def ask(caller):
            async def one(n):
                async with caller.post(self._url("/chunked"), data=f"number {n}") as answer:
                    return await answer.text()
            return await asyncio.gather(*(one(n) for n in range(120)))

        got = self._run(ask, connections=10)
        self.assertEqual(got, [f"number {n}" for n in range(120)])
        books = settled_books(self, self.proxy, "web")
        self.assertEqual(books.ledger["success"], 120)
        self.assertLessEqual(books.metrics.value("candor_caller_connections_accepted_total"), 10)

    def test_a_compressed_upload_arrives_compressed(self):
        async def ask(caller):
            async with caller.post(self._url("/echo"), data=b"text " * 1000, compress="gzip") as answer:
                return await answer.read()

        self.assertEqual(gzip.decompress(self._run(ask)), b"text " * 1000)
        self._check_books(connections=1)

    def test_a_body_waits_until_it_is_asked_for(self):
        async def ask(caller):
            for size in (1, 300_000):
                data = content(f"upload-{size}-x")
                async with caller.post(self._url("/echo"), data=data, expect100=True) as answer:
                    self.assertEqual(digest(await answer.read()), digest(data))

        self._run(ask)
        self._check_books(connections=1)

    def test_a_stream_arrives_piece_by_piece(self):
        async def ask(caller):
            async with caller.get(self._url("/steps")) as answer:
                for step in _STEPS:
                    self.peer.step()
                    self.assertEqual(await answer.content.readany(), step)
                self.assertEqual(await answer.content.read(), b"")

        self._run(ask)
        self._check_books(connections=1)

    def test_a_conversation_in_both_directions_at_once_flows(self):
        """The answer begins before the request's body ends: each piece is sent when the one before has come back."""
        back = asyncio.Queue()

        async def upload():
            for n in range(5):
                yield b"piece %d" % n
                self.assertEqual(await back.get(), b"piece %d" % n)

        async def ask(caller):
            async with caller.post(self._url("/mirror"), data=upload()) as answer:
                async for piece in answer.content.iter_any():
                    await back.put(piece)

        self._run(ask)
        self._check_books(connections=1)


@needs_httpbin
class LibrariesAndHttpbin(RealCase):
    def test_what_httpbin_offers_is_understood_by_all_of_them(self):
        peer = self.httpbin()
        candor = self.candor({"web": {"endpoints": [peer.address]}})
        paths = ("/gzip", "/deflate", "/encoding/utf8", "/json", "/html", "/stream-bytes/50000?seed=1&chunk_size=777",
                 "/range/1000", "/bytes/30000?seed=2", "/image/png", "/base64/T2Rk", "/links/3/1", "/robots.txt")

        async def by_aiohttp(base):
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as caller:
                got = []
                for path in paths:
                    async with caller.get(base + path, headers={"User-Agent": "-"}) as answer:
                        got.append((answer.status, await answer.read()))
                return got

        def by_requests(base):
            with session() as caller:
                caller.headers["User-Agent"] = "-"
                return [(answer.status_code, answer.content) for answer in
                        (caller.get(base + path, timeout=PATIENCE) for path in paths)]

        def by_httpx(base):
            with _httpx_client(headers={"User-Agent": "-"}) as caller:
                return [(answer.status_code, answer.content) for answer in (caller.get(base + path) for path in paths)]

        for library in (by_requests, by_httpx, lambda base: asyncio.run(by_aiohttp(base))):
            direct, proxied = library(f"http://{peer.address}"), library(candor.url("web", ""))
            for path, (status, body), (status_by_candor, body_by_candor) in zip(paths, direct, proxied):
                self.assertEqual(status, status_by_candor, path)
                self.assertEqual(self._comparable(path, body), self._comparable(path, body_by_candor), path)
        books = settled_books(self, candor, "web")
        self.assertEqual(books.ledger["success"], 3 * len(paths))

    def _comparable(self, path, body):
        """Without the fields that httpbin was sent, which it tells in some answers: Candor's are among them."""
        return len(body) > 100 if path in ("/gzip", "/deflate") else body


class LibrariesAndAFileServer(RealCase):
    """`python3 -m http.server`, which speaks HTTP/1.0 and ends each connection."""

    def test_files_arrive_whole_and_callers_keep_their_connections(self):
        files = self.folder / "files"
        files.mkdir()
        for name in (*SMALL[:8], LARGE[0]):
            (files / name).write_bytes(content(name))
        peer = self.file_server(files)
        candor = self.candor({"web": {"endpoints": [peer.address], "retry": {"attempts": 1}}})
        with session() as first, _httpx_client() as second:
            for name in (*SMALL[:8], LARGE[0]):
                for answer in (first.get(candor.url("web", f"/{name}"), timeout=PATIENCE),
                               second.get(candor.url("web", f"/{name}"))):
                    self.assertEqual(digest(answer.content), digest(content(name)))
            self.assertEqual(first.get(candor.url("web", "/none"), timeout=PATIENCE).status_code, 404)
            answer = second.head(candor.url("web", f"/{LARGE[0]}"))
            self.assertEqual(int(answer.headers["Content-Length"]), len(content(LARGE[0])))
            # It answers without reading the body: what becomes of the caller's connection then, is open.
            self.assertEqual(second.post(candor.url("web", "/none"), content=b"x").status_code, 501)
        books = settled_books(self, candor, "web")
        self.assertEqual(books.ledger["started"], 21)
        self.assertEqual(len([line for line in peer.said().splitlines() if "HTTP/1.1\" " in line]), 21)
        self.assertEqual(books.metrics.value("candor_caller_connections_accepted_total"), 2)


if __name__ == "__main__":
    main()
