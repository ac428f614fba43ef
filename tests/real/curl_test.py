"""curl through Candor, as people use it: every method, every way to upload and to ask."""

import gzip
import json
import random
import re

from support.books import settled_books
from support.callers import curl
from support.case import RealCase, main
from support.documents import LARGE_SIZE, content, digest
from support.optional import needs_httpbin
from support.servers import METHODS
from support.waiting import until


class CurlAndAnEcho(RealCase):
    """The upstream tells what it was asked."""

    def setUp(self):
        super().setUp()
        self.peer = self.echo()
        self.proxy = self.candor({"web": {"endpoints": [self.peer.address]}})

    def tearDown(self):
        """The upstream's own count, too."""
        books = settled_books(self, self.proxy, "web")
        self.assertEqual(books.ledger["success"], len(self.peer.asked), books.ledger)
        self.assertEqual(books.ledger["started"], len(self.peer.asked), books.ledger)

    def _curl(self, path, *arguments, **options):
        got = curl(self.folder, self.proxy.url("web", path), *arguments, **options)
        self.assertEqual((got.exit_status, got.status), (0, 200), got)
        return got

    def _document(self, size):
        path = self.folder / f"document-{size}"
        path.write_bytes(content(f"upload-{size}-curl"))
        return path

    def test_every_method_arrives_with_and_without_a_body(self):
        for method in METHODS:
            if method == "HEAD":
                continue
            told = json.loads(self._curl(f"/of/{method}?x=1", "--request", method).body)
            self.assertEqual((told["method"], told["target"], told["length"]), (method, f"/of/{method}?x=1", 0))
            got = self._curl("/echo", "--request", method, "--data-binary", "with a body")
            self.assertEqual((got.body, self.peer.asked[-1].method), (b"with a body", method))

    def test_a_head_is_a_head(self):
        got = self._curl("/x", "--head")
        self.assertEqual(self.peer.asked[-1].method, "HEAD")
        self.assertRegex(got.heads, r"(?i)content-length: [1-9]")

    def test_files_are_uploaded_with_put(self):
        for size in (0, 1, 65_536, 1_000_000):
            document = self._document(size)
            got = self._curl("/echo", "--upload-file", str(document))
            self.assertEqual(digest(got.body), digest(document.read_bytes()))
            self.assertEqual((self.peer.asked[-1].method, self.peer.asked[-1].get("Content-Length")),
                             ("PUT", str(size)))

    def test_what_comes_by_a_pipe_is_uploaded_in_chunks(self):
        for size in (0, 1, 300_000):
            piped = content(f"upload-{size}-pipe")
            for path in ("/echo", "/chunked"):
                got = self._curl(path, "--upload-file", "-", stdin=piped)
                self.assertEqual(digest(got.body), digest(piped))
                self.assertEqual(self.peer.asked[-1].get("Transfer-Encoding"), "chunked")

    def test_a_form_with_files_arrives_part_by_part(self):
        document = self._document(200_000)
        self._curl("/x", "--form-string", "name=a value; with=odd \"things\"", "--form",
                   f"file=@{document};type=image/x-odd", "--form", "empty=")
        asked = self.peer.asked[-1]
        mark = re.fullmatch("multipart/form-data; boundary=(.+)", asked.get("Content-Type")).group(1).encode()
        parts = asked.body.split(b"--" + mark)
        self.assertEqual(len(parts), 5)
        self.assertIn(b"\r\n\r\na value; with=odd \"things\"\r\n", parts[1])
        self.assertTrue(parts[2].endswith(b"\r\n\r\n" + document.read_bytes() + b"\r\n"))
        self.assertIn(b"Content-Type: image/x-odd\r\n", parts[2])

    def test_http_1_0_gets_what_it_can_read(self):
        for path in ("/echo", "/chunked", "/until-close"):
            document = self._document(100_000)
            got = self._curl(path, "--http1.0", "--data-binary", f"@{document}")
            self.assertEqual(digest(got.body), digest(document.read_bytes()), path)
            self.assertNotRegex(got.heads, "(?i)transfer-encoding", path)

    def test_a_compressed_answer_passes_and_is_decoded_by_the_caller(self):
        got = self._curl("/compressed", "--compressed", "--data-binary", "text " * 10_000)
        self.assertEqual(got.body, b"text " * 10_000)
        got = self._curl("/compressed", "--data-binary", "text " * 10_000)
        self.assertEqual(gzip.decompress(got.body), b"text " * 10_000)

    def test_a_coding_for_this_connection_alone_is_not_asked_of_the_upstream(self):
        got = self._curl("/chunked", "--tr-encoding", "--data-binary", "text")
        self.assertEqual(got.body, b"text")
        self.assertIsNone(self.peer.asked[-1].get("TE"))

    def test_an_offer_to_speak_http_2_is_answered_with_http_1_1(self):
        got = self._curl("/echo", "--http2", "--data-binary", "text")
        self.assertEqual(got.body, b"text")
        self.assertTrue(got.heads.startswith("HTTP/1.1 200 "), got.heads)
        for name in ("Upgrade", "HTTP2-Settings"):
            self.assertIsNone(self.peer.asked[-1].get(name))

    def test_a_redirect_is_followed_through_candor_with_its_body(self):
        got = curl(self.folder, self.proxy.url("web", "/redirect"), "--location", "--data-binary", "text")
        self.assertEqual((got.exit_status, got.body, got.connections), (0, b"text", 1), got.error)
        self.assertEqual([each.target for each in self.peer.asked], ["/redirect", "/echo"])

    def test_several_requests_of_several_kinds_share_a_connection(self):
        url = self.proxy.url("web", "/echo")
        kinds = [("--data-binary", "first", url), ("--upload-file", str(self._document(70_000)), url),
                 ("--request", "DELETE", url), ("--data-binary", "in chunks", self.proxy.url("web", "/chunked"))]
        rest = [word for kind in kinds for word in ("--next", "--silent", "--output", "-", *kind)]
        got = self._curl("/x", "--head", self.proxy.url("web", "/x"), *rest, "--next", "--silent")
        self.assertEqual(len(self.peer.asked), 6)
        self.assertIn(b"first" + self._document(70_000).read_bytes() + b"in chunks", got.body)

    def test_many_requests_at_once_are_kept_apart(self):
        got = self._curl("/of/[1-60]", "--parallel", "--parallel-max", "12")
        told = [json.loads(each)["target"] for each in re.findall(rb"\{.*?\}", got.body)]
        self.assertEqual(sorted(told), sorted(f"/of/{n}" for n in range(1, 61)))

    def test_fields_that_curl_is_told_to_send_arrive_in_their_order(self):
        self._curl("/x", "--header", "X-Odd:  a,b", "--header", "X-Empty;", "--header", "Host: other.example:81",
                   "--user", "u:p", "--cookie", "a=b; c=d", "--user-agent", "odd/1", "--referer", "http://r/")
        asked = self.peer.asked[-1]
        self.assertEqual([(name, value) for name, value in asked.fields if name.lower() not in (
            "via", "candor-attempt", "accept")], [
                ("Host", "other.example:81"), ("Authorization", "Basic dTpw"), ("User-Agent", "odd/1"),
                ("Referer", "http://r/"), ("Cookie", "a=b; c=d"), ("X-Odd", "a,b"), ("X-Empty", "")])


class CurlAndNginx(RealCase):
    def setUp(self):
        super().setUp()
        self.web = self.nginx()
        self.proxy = self.candor({"web": {"endpoints": [self.web.address]}})

    def _curl(self, path, *arguments):
        return curl(self.folder, self.proxy.url("web", path), *arguments)

    def test_a_part_of_a_file_is_a_part(self):
        whole = content("large-0")
        for wanted, expected in (("10-19", whole[10:20]), ("-5", whole[-5:]), ("999990-", whole[-10:])):
            got = self._curl("/files/large-0", "--range", wanted)
            self.assertEqual((got.status, got.body), (206, expected))
            self.assertIn(f"/{LARGE_SIZE}\r\n", got.heads)
        got = self._curl("/files/large-0", "--range", "0-9,100-109")
        self.assertEqual(got.status, 206)
        self.assertIn("multipart/byteranges", got.heads)
        self.assertIn(whole[100:110], got.body)
        self.assertEqual(self._curl("/files/large-0", "--range", "2000000-").status, 416)

    def test_a_download_that_broke_off_is_resumed(self):
        part = self.folder / "part"
        part.write_bytes(content("large-1")[:300_000])
        got = self._curl("/files/large-1", "--continue-at", "-", "--output", str(part))
        self.assertEqual((got.exit_status, got.status), (0, 206), got.error)
        self.assertEqual(digest(part.read_bytes()), digest(content("large-1")))

    def test_a_file_that_has_not_changed_is_not_sent_again(self):
        tag, kept = self.folder / "tag", self.folder / "kept"
        got = self._curl("/files/small-1", "--etag-save", str(tag), "--remote-time", "--output", str(kept))
        self.assertEqual((got.status, kept.read_bytes()), (200, content("small-1")))
        got = self._curl("/files/small-1", "--etag-compare", str(tag))
        self.assertEqual((got.exit_status, got.status, got.body), (0, 304, b""), got.error)
        got = self._curl("/files/small-1", "--time-cond", str(kept))
        self.assertEqual((got.exit_status, got.status, got.body), (0, 304, b""), got.error)

    def test_an_error_of_the_upstream_reaches_curl_as_such(self):
        got = self._curl("/files/none", "--fail")
        self.assertEqual((got.exit_status, got.status), (22, 404))


@needs_httpbin
class CurlAndHttpbin(RealCase):
    def setUp(self):
        super().setUp()
        self.bin = self.httpbin()
        self.proxy = self.candor({"web": {"endpoints": [self.bin.address], "retry": {"attempts": 1}}})

    def tearDown(self):
        books = settled_books(self, self.proxy, "web")

        def lines():
            return [line for line in self.bin.said().splitlines() if "HTTP/1.1\" " in line]

        # It logs a request when it has answered it.
        until(lambda: len(lines()) >= books.ledger["started"], "httpbin had a line for each attempt")
        self.assertEqual(len(lines()), books.ledger["started"], lines())

    def _curl(self, path, *arguments):
        return curl(self.folder, self.proxy.url("web", path), *arguments)

    def test_a_form_is_understood(self):
        document = self.folder / "document"
        document.write_text("of several\nlines\n")
        told = json.loads(self._curl("/post", "--form", "a=1", "--form", f"file=@{document}").body)
        self.assertEqual((told["form"], told["files"]), ({"a": "1"}, {"file": "of several\nlines\n"}))
        told = json.loads(self._curl("/put?q=%C3%A9", "--request", "PUT", "--data-urlencode", "a=b c&d").body)
        self.assertEqual((told["form"], told["args"]), ({"a": "b c&d"}, {"q": "\u00e9"}))

    def test_credentials_in_one_step_and_in_two_are_accepted(self):
        self.assertEqual(self._curl("/basic-auth/u/p", "--user", "u:p").status, 200)
        self.assertEqual(self._curl("/basic-auth/u/p", "--user", "u:q").status, 401)
        got = self._curl("/digest-auth/auth/u/p", "--digest", "--user", "u:p", "--cookie", "fake=fake_value")
        self.assertEqual((got.status, got.connections), (200, 1), got.heads)

    def test_cookies_are_set_and_come_back(self):
        jar = str(self.folder / "jar")
        got = self._curl("/cookies/set?a=1&b=2", "--cookie-jar", jar, "--cookie", jar, "--location")
        self.assertEqual(json.loads(got.body), {"cookies": {"a": "1", "b": "2"}})
        got = self._curl("/cookies", "--cookie", jar)
        self.assertEqual(json.loads(got.body), {"cookies": {"a": "1", "b": "2"}})

    def test_redirects_that_name_the_host_lead_through_candor_again(self):
        got = self._curl("/absolute-redirect/2", "--location")
        self.assertEqual((got.exit_status, got.status, got.connections), (0, 200, 1), got.heads)
        self.assertEqual(settled_books(self, self.proxy, "web").metrics.value("candor_requests_total", upstream="web"),
                         3)

    def test_streams_and_codings_and_odd_statuses_pass(self):
        self.assertEqual(len(self._curl("/stream/20").body.splitlines()), 20)
        chance = random.Random(7)  # as httpbin uses it
        self.assertEqual(self._curl("/bytes/70000?seed=7").body, bytes(chance.randint(0, 255) for _ in range(70_000)))
        for coding, flag in (("gzip", "gzipped"), ("deflate", "deflated")):
            self.assertTrue(json.loads(self._curl(f"/{coding}", "--compressed").body)[flag])
        for status in (201, 299, 304, 404, 418, 429, 500, 503):
            self.assertEqual(self._curl(f"/status/{status}").status, status)


if __name__ == "__main__":
    main()
