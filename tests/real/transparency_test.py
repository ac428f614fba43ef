"""The same messages sent to an upstream directly and through Candor: what differs is in support/differences.py, and
nothing else may."""

from support.books import settled_books
from support.case import main
from support.comparison import OK, Comparison, Exchange, ask, tell
from support.differences import OF_ANSWERS, OF_ANSWERS_OF_A_PROXY, OF_REQUESTS, Passage, remarks, through, used
from support.plain import PlainUpstream
from support.wire import Wire

_ALL_BYTES = bytes(range(256))
_LARGE = b"%d " % 1234567 * 40_000  # beyond what is kept for a retry

_ODD_LINES = (
    b"X-CaMeL-case: Value",
    b"x-lower: value",
    b"!#$%&'*+-.^_`|~09aZ: a name of all the characters that there are",
    b"X-Under_Score: 1",
    b"X-No-Space:value",
    b"X-Spaces:  \t value with  inner\tspaces \t ",
    b"X-Empty:",
    b"X-Blank:   ",
    b"X-Colons: a:b::c",
    b"X-Quoted: \"a, \\\"b\\\"\", c;d=\"e,f\"",
    b"X-Visible: " + bytes(range(0x20, 0x7f)),
    b"X-Obs-Text: " + bytes(range(0x80, 0x100)),
    b"X-UTF8: Gr\xc3\xbc\xc3\x9fe",
    b"X-Long: " + b"x" * 8000,
    b"X-" + b"n" * 300 + b": a long name",
    b"X-Repeated: 1",
    b"Between: them",
    b"x-repeated: 2",
    b"X-Repeated:",
    b"X-Repeated: 1",
)
_MANY_LINES = tuple(b"X-%d: %d" % (n, n) for n in range(90))

REQUEST_FIELDS = (
    Exchange("nothing but Host", ask()),
    Exchange("odd lines", ask(*_ODD_LINES)),
    Exchange("many lines", ask(*_MANY_LINES)),
    Exchange("almost the longest head", ask(*(b"X-Long-%d: " % n + b"x" * 7000 for n in range(9)))),
    Exchange("Host behind others", ask(b"X-First: 1", b"hOsT:web  ", b"X-Last: 1", host=())),
    Exchange("Host with a port", ask(host=(b"Host: WEB.internal:8080",))),
    Exchange("cookies", ask(b"Cookie: a=1; b=\"two\"; c=", b"Cookie: d=" + b"4" * 4000, b"cookie: a=1")),
    Exchange("credentials", ask(b"Authorization: Basic dTpw", b"Proxy-Authorization: Basic eDp5")),
    Exchange("conditions and ranges",
             ask(b"If-None-Match: \"a\", W/\"b\"", b"If-Modified-Since: Sat, 29 Oct 1994 19:43:31 GMT",
                 b"Range: bytes=0-1,5-", b"If-Range: \"a\"", b"Accept-Encoding: gzip, br;q=0.5, *;q=0",
                 b"Cache-Control: no-cache, x=\"y, z\"", b"Pragma: no-cache")),
    Exchange("what others said on the way",
             ask(b"Via: 1.0 fred, 1.1 p.example (a, b)", b"Forwarded: for=\"[2001:db8::1]\";proto=http",
                 b"X-Forwarded-For: 192.0.2.1", b"X-Forwarded-Proto: https", b"Via: 1.1 another",
                 b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", b"tracestate: a=1,b=2",
                 b"Date: Tue, 15 Nov 1994 08:12:31 GMT", b"Max-Forwards: 3")),
    Exchange("fields of this connection",
             ask(b"Connection: keep-alive, X-Mine , x-other,,", b"x-mine: 1", b"Keep-Alive: timeout=5",
                 b"Proxy-Connection: keep-alive", b"X-Not-Mine: 1", b"X-OTHER: 1", b"connection: X-More",
                 b"X-More: 1")),
    Exchange("Connection that names what must pass",
             ask(b"Connection: close, Host, Content-Length", b"Content-Length: 3", method=b"POST", body=b"abc")),
    Exchange("an upgrade that is not served",
             ask(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")),
    Exchange("codings of this connection", ask(b"TE: trailers, deflate;q=0.5", b"Connection: TE")),
    Exchange("no more than codings", ask(b"Connection: TE", b"TE: deflate")),
    Exchange("no trailers", ask(b"Connection: TE", b"TE: trailers;q=0")),
    Exchange("attempts made up", ask(b"candor-attempt: 7", b"Candor-Retry-Reason: status", b"candor-other: 1")),
    Exchange("an expectation that nobody knows", ask(b"Expect: the=unexpected")),
    Exchange("an empty line before", b"\r\n" + ask(b"X-A: 1")),
)

TARGETS = tuple(Exchange(f"{method.decode()} {target.decode()}"[:80], ask(method=method, target=target))
                for method, target in (
    (b"GET", b"/a%2Fb%20c%00%c3%A9?x=%26&y=a+b"),
    (b"GET", b"/?"),
    (b"GET", b"/only?"),
    (b"GET", b"/?only&=&&a=b=c"),
    (b"GET", b"//double//slash/"),
    (b"GET", b"/./a/../b/%2e%2E/c"),
    (b"GET", b"/%7Euser/~user;p=1,2;q"),
    (b"GET", b"/a?b?c=/../d//"),
    (b"GET", b"/!$&'()*+,-.:;=@_~[]"),
    (b"GET", b"/\"<>\\^`{|}%zz%"),
    (b"GET", b"/" + b"long/" * 800),
    (b"GET", b"/:80"),
    (b"GET", b"/http://elsewhere.example/x"),
    (b"GET", b"http://web/a?b"),
    (b"GET", b"HTTP://Web:80/a"),
    (b"GET", b"http://web"),
    (b"GET", b"http://web?only=a/b"),
    (b"GET", b"http://other.example:8080/x"),
    (b"GET", b"http://[::1]:80/"),
    (b"OPTIONS", b"*"),
    (b"OPTIONS", b"/x"),
    (b"OPTIONS", b"http://web"),
    (b"OPTIONS", b"http://web/"),
    (b"OPTIONS", b"http://web?x"),
))

REQUEST_BODIES = (
    Exchange("a length", ask(b"content-LENGTH:256", b"X-Behind: 1", method=b"POST", body=_ALL_BYTES)),
    Exchange("no length", ask(method=b"POST")),
    Exchange("a length of nothing", ask(b"Content-Length: 0", method=b"POST")),
    Exchange("a large one", ask(b"Content-Length: %d" % len(_LARGE), method=b"PUT", body=_LARGE)),
    Exchange("the same length twice", ask(b"Content-Length: 2", b"X-A: 1", b"content-length: 2", method=b"PATCH",
                                          body=b"hi")),
    Exchange("a length with zeros", ask(b"Content-Length: 002", method=b"POST", body=b"hi")),
    Exchange("a body of DELETE", ask(b"Content-Length: 2", method=b"DELETE", body=b"hi")),
    Exchange("a body of GET", ask(b"Content-Length: 2", method=b"GET", body=b"hi")),
    Exchange("a body of OPTIONS", ask(b"Content-Length: 2", method=b"OPTIONS", body=b"hi")),
    Exchange("a coded body", ask(b"Content-Type: multipart/form-data; boundary=\"a b\"", b"Content-Encoding: gzip",
                                 b"Content-Length: 3", b"Content-Language: de", method=b"POST", body=b"\x1f\x8b\0")),
    Exchange("chunks", ask(b"X-A: 1", b"Transfer-Encoding: chunked", b"X-B: 1", method=b"POST",
                           body=b"1\r\n\r\r\n00A\r\n0\r\n\r\n0\r\n\r\n\r\n2;a=b;c=\"d;e\"\r\n\n\n\r\n0\r\n\r\n")),
    Exchange("no chunks", ask(b"transfer-encoding: Chunked", method=b"PUT", body=b"0\r\n\r\n")),
    Exchange("many chunks", ask(b"Transfer-Encoding: chunked", method=b"POST",
                                body=b"".join(b"%X\r\n%s\r\n" % (n, b"c" * n) for n in range(1, 600)) + b"0\r\n\r\n")),
    Exchange("trailers", ask(b"Transfer-Encoding: chunked", b"Trailer: X-Sum, x-odd", method=b"POST",
                             body=b"2\r\nhi\r\n0;last\r\nX-Sum: 1\r\nx-ODD:\r\nX-Sum:  2 \r\n\r\n")),
    Exchange("trailers that are none", ask(b"Transfer-Encoding: chunked", method=b"POST",
                                           body=b"0\r\nHost: other\r\nX-Mine: 1\r\nContent-Length: 5\r\n\r\n")),
)

REQUEST_KINDS = (
    *(Exchange(method.decode(), ask(method=method, target=b"/x"))
      for method in (b"HEAD", b"TRACE", b"PROPFIND", b"M-SEARCH", b"get", b"Get", b"!#$%&'*+-.^_`|~1Az")),
    Exchange("HTTP/1.0", ask(version=b"1.0")),
    Exchange("HTTP/1.0 without Host", ask(b"X-A: 1", version=b"1.0", host=())),
    Exchange("HTTP/1.0 with a body", ask(b"Content-Length: 2", version=b"1.0", method=b"POST", body=b"hi")),
    Exchange("HTTP/1.0 kept alive", ask(b"Connection: Keep-Alive", version=b"1.0")),
    Exchange("HTTP/1.1 to its end", ask(b"Connection: close")),
)

ANSWER_FIELDS = (
    Exchange("odd lines", ask(), tell(*_ODD_LINES, b"Content-Length: 2", body=b"ok")),
    Exchange("almost the longest head", ask(), tell(*(b"X-Long-%d: " % n + b"x" * 7000 for n in range(9)),
                                                    b"Content-Length: 2", body=b"ok")),
    Exchange("many lines", ask(), tell(*_MANY_LINES, b"Content-Length: 2", body=b"ok")),
    Exchange("cookies", ask(), tell(b"Set-Cookie: a=1; Path=/; Expires=Wed, 21 Oct 2015 07:28:00 GMT",
                                    b"Set-Cookie: b=2; HttpOnly", b"set-cookie: a=3", b"Content-Length: 0")),
    Exchange("what describes it",
             ask(), tell(b"Server: Apache/2.4 (Unix) x", b"Date: Sun, 06 Nov 1994 08:49:37 GMT", b"Age: 7",
                         b"ETag: W/\"\xfc\"", b"Vary: *", b"Via: 1.0 fred", b"Warning: 199 - \"x\"",
                         b"Content-Length: 2",
                         b"Cache-Control: private=\"x, y\"", b"Retry-After: 7", b"Proxy-Status: another; error=x",
                         b"Last-Modified: Sunday, 06-Nov-94 08:49:37 GMT", b"Location: ../x#y", b"candor-retry: x",
                         b"WWW-Authenticate: Basic realm=\"a, b\", Digest x=\"y\"", b"Date: odd", body=b"ok")),
    Exchange("fields of this connection",
             ask(), tell(b"Connection: keep-alive, X-Mine", b"X-mine: 1", b"Keep-Alive: timeout=5, max=3",
                         b"Proxy-Connection: keep-alive", b"Upgrade: h2c", b"Proxy-Authenticate: Basic",
                         b"Content-Length: 2", b"X-Not-Mine: 1", body=b"ok")),
    Exchange("its connection's end", ask(), tell(b"Connection: close, X-Mine", b"X-Mine: 1", b"Content-Length: 2",
                                                 body=b"ok"), closes=True),
    Exchange("the same length twice", ask(), tell(b"Content-Length: 2", b"X-A: 1", b"CONTENT-Length: 2", body=b"ok")),
    Exchange("a length with zeros", ask(), tell(b"Content-Length: 02", body=b"ok")),
)

ANSWER_KINDS = (
    *(Exchange(f"status {status}", ask(), tell(b"Content-Length: 2", start=b"HTTP/1.1 %d A %d" % (status, status),
                                               body=b"ok"))
      for status in (201, 203, 206, 226, 299, 300, 301, 302, 303, 307, 308, 399, 400, 401, 403, 404, 405, 407, 410,
                     412, 416, 417, 418, 422, 426, 429, 431, 451, 499, 500, 501, 502, 503, 504, 511, 599)),
    Exchange("no reason", ask(), tell(b"Content-Length: 2", start=b"HTTP/1.1 200 ", body=b"ok")),
    Exchange("neither reason nor space", ask(), tell(b"Content-Length: 2", start=b"HTTP/1.1 200", body=b"ok")),
    Exchange("an odd reason", ask(), tell(b"Content-Length: 2", start=b"HTTP/1.1 200  \t \xe9 " + b"r" * 500 + b" ",
                                          body=b"ok")),
    Exchange("204", ask(), tell(b"X-A: 1", b"ETag: \"a\"", start=b"HTTP/1.1 204 No Content")),
    Exchange("204 with a length", ask(), tell(b"Content-Length: 0", start=b"HTTP/1.1 204 No Content")),
    Exchange("205", ask(), tell(b"Content-Length: 0", start=b"HTTP/1.1 205 Reset Content")),
    Exchange("205 with content", ask(), tell(b"Content-Length: 2", start=b"HTTP/1.1 205 Reset Content", body=b"ok")),
    Exchange("304", ask(b"If-None-Match: \"a\""), tell(b"ETag: \"a\"", b"X-A: 1", start=b"HTTP/1.1 304 Not Modified")),
    Exchange("304 with a length", ask(), tell(b"Content-Length: 1234", start=b"HTTP/1.1 304 Not Modified")),
    Exchange("304 to HTTP/1.0", ask(version=b"1.0"), tell(b"Content-Length: 1234", start=b"HTTP/1.1 304 Not Modified")),
    Exchange("to HEAD, with a length", ask(method=b"HEAD"), tell(b"X-A: 1", b"Content-Length: 1234")),
    Exchange("to HEAD, without one", ask(method=b"HEAD"), tell(b"X-A: 1")),
    Exchange("to HEAD, in chunks", ask(method=b"HEAD"), tell(b"Transfer-Encoding: chunked", b"X-A: 1")),
    Exchange("to HEAD, 404", ask(method=b"HEAD"), tell(b"Content-Length: 9", start=b"HTTP/1.1 404 None")),
    Exchange("to HEAD, by HTTP/1.0", ask(method=b"HEAD"), tell(b"Content-Length: 9", start=b"HTTP/1.0 200 OK"),
             closes=True),
    Exchange("to OPTIONS", ask(method=b"OPTIONS", target=b"*"), tell(b"Allow: GET,,HEAD ", b"Content-Length: 0")),
)

ANSWER_BODIES = (
    Exchange("a length", ask(), tell(b"X-A: 1", b"content-length:256", b"X-B: 1", body=_ALL_BYTES)),
    Exchange("a large one", ask(), tell(b"Content-Length: %d" % len(_LARGE), body=_LARGE)),
    Exchange("a coded one", ask(), tell(b"Content-Encoding: x-odd", b"Content-Type: ;", b"Content-Length: 3",
                                        body=b"\0\1\2")),
    Exchange("until the end", ask(), tell(b"X-A: 1", body=_ALL_BYTES), closes=True),
    Exchange("nothing until the end", ask(), tell(b"X-A: 1"), closes=True),
    Exchange("a large one until the end", ask(), tell(body=_LARGE), closes=True),
    Exchange("by HTTP/1.0, until the end", ask(), tell(start=b"HTTP/1.0 200 OK", body=b"all"), closes=True),
    Exchange("by HTTP/1.0, with a length", ask(), tell(b"Content-Length: 2", start=b"HTTP/1.0 200 OK", body=b"ok"),
             closes=True),
    Exchange("by HTTP/1.0, kept alive", ask(), tell(b"Content-Length: 2", b"Connection: keep-alive",
                                                    start=b"HTTP/1.0 200 OK", body=b"ok")),
    Exchange("chunks", ask(), tell(b"Transfer-Encoding: chunked", b"X-A: 1",
                                   body=b"2\r\n\r\n\r\n0001;x=\"\xe9\"\r\nx\r\n0\r\n\r\n")),
    Exchange("no chunks", ask(), tell(b"Transfer-Encoding: CHUNKED", body=b"0\r\n\r\n")),
    Exchange("trailers", ask(b"TE: trailers", b"Connection: TE"),
             tell(b"Transfer-Encoding: chunked", b"trailer: x-sum,X-Empty",
                  body=b"2\r\nok\r\n0\r\nx-sum:1\r\nX-Empty:\r\nX-SUM: \xe9 \r\n\r\n")),
    Exchange("trailers of this connection", ask(), tell(b"Transfer-Encoding: chunked", b"Connection: x-mine",
                                                        body=b"2\r\nok\r\n0\r\nX-Mine: 1\r\nX-A: 1\r\n\r\n")),
    Exchange("trailers that are none", ask(), tell(b"Transfer-Encoding: chunked",
                                                   body=b"0\r\nTransfer-Encoding: x\r\nX-A: 1\r\nTrailer: y\r\n\r\n")),
    *(Exchange(f"{what} to HTTP/1.0{how}", ask(*lines, version=b"1.0"), answer, closes)
      for how, lines in (("", ()), (" kept alive", (b"Connection: keep-alive",)))
      for what, answer, closes in (
          ("a length", OK, False),
          ("chunks", tell(b"Transfer-Encoding: chunked", b"X-A: 1", body=b"2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"), False),
          ("until the end", tell(b"X-A: 1", body=b"ok"), True),
          ("204", tell(start=b"HTTP/1.1 204 No Content"), False))),
    Exchange("to a caller that goes", ask(b"Connection: close"), tell(b"Transfer-Encoding: chunked",
                                                                      body=b"2\r\nok\r\n0\r\n\r\n")),
)

_EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </a>;rel=preload,\r\nX-Odd:\xe9 \r\nLink: </b>\r\n\r\n"
_PROCESSING = b"HTTP/1.1 102 \r\n\r\n"
INTERIM_ANSWERS = (
    Exchange("one", ask(), _EARLY + OK),
    Exchange("several", ask(), _PROCESSING + _EARLY + _PROCESSING + OK),
    Exchange("with a body", ask(b"Content-Length: 2", method=b"POST", body=b"hi"), _EARLY + OK),
    Exchange("one that nobody knows", ask(), b"HTTP/1.1 199 Odd\r\nX-A: 1\r\n\r\n" + OK),
    Exchange("one that nobody asked for", ask(), b"HTTP/1.1 100 Continue\r\n\r\n" + OK),
    Exchange("to HEAD", ask(method=b"HEAD"), _EARLY + tell(b"Content-Length: 9")),
    Exchange("to HTTP/1.0", ask(version=b"1.0"), _EARLY + OK),
)

OF_REQUEST = (*REQUEST_FIELDS, *TARGETS, *REQUEST_BODIES, *REQUEST_KINDS)
OF_ANSWER = (*ANSWER_FIELDS, *ANSWER_KINDS, *ANSWER_BODIES, *INTERIM_ANSWERS)


class MaxForwards(PlainUpstream):
    """RFC 9110, 7.6.2: of OPTIONS and TRACE, an intermediary lowers it, or answers itself where it is 0."""

    def _asked(self, method, forwards):
        with Wire(self.proxy.ports["web"]) as caller:
            return caller.send(f"{method} / HTTP/1.1\r\nHost: web\r\nMax-Forwards: {forwards}\r\n\r\n").answer()

    def test_it_is_lowered_on_the_way(self):
        for method in ("OPTIONS", "TRACE"):
            self._asked(method, 3)
            self.assertIn("\r\nMax-Forwards: 2", self.peer.heads[-1] + "\r\n", method)

    def test_nothing_passes_where_it_is_used_up(self):
        for method in ("OPTIONS", "TRACE"):
            self.assertNotEqual(self._asked(method, 0).body, self.plain, method)
        self.assertEqual(self.peer.heads, [])

    def test_it_means_nothing_to_other_methods(self):
        self.assertEqual(self._asked("GET", 0).body, self.plain)
        self.assertIn("\r\nMax-Forwards: 0", self.peer.heads[-1])


class Retries(Comparison):
    """Every first attempt gets a 503."""

    def answer(self):
        return self.now.answer if len(self.seen) % 2 == 0 else b"HTTP/1.1 503 Not Now\r\nContent-Length: 0\r\n\r\n"

    def test_a_second_attempt_is_the_first_one_again(self):
        self.start(retry={"attempts": 2, "replay": "always", "backoff": {"base": "1ms", "cap": "1ms"},
                          "budget": {"ratio": 10}})
        exchanges = [each for each in (*REQUEST_FIELDS, *TARGETS, *REQUEST_BODIES) if len(each.request) < 60_000]
        for exchange in exchanges:
            with self.subTest(exchange.what):
                before = len(self.seen)
                _, answer, _ = self.carry(self.proxy.ports["web"], exchange, attempts=2)
                first, second = self.seen[before:]
                self.assertEqual(answer.status, 200)
                self.assertEqual((first.values(b"candor-attempt"), first.values(b"candor-retry-reason")), ([b"1"], []))
                self.assertEqual((second.values(b"candor-attempt"), second.values(b"candor-retry-reason")),
                                 ([b"2"], [b"status"]))
                ours = {b"candor-attempt", b"candor-retry-reason"}
                self.assertEqual(remarks(Passage(first.without(ours)), second.without(ours)), [])
        books = settled_books(self, self.proxy, "web")
        self.assertEqual((books.ledger["success"], books.ledger["failures"]["status"]), (len(exchanges),) * 2)


class Transparency(Comparison):
    def test_the_fields_of_a_request_arrive_as_they_were_sent(self):
        self.compare(REQUEST_FIELDS)

    def test_the_target_of_a_request_arrives_as_it_was_sent(self):
        self.compare(TARGETS)

    def test_the_body_of_a_request_arrives_as_it_was_sent(self):
        self.compare(REQUEST_BODIES)

    def test_a_request_of_any_method_and_version_arrives_as_it_was_sent(self):
        self.compare(REQUEST_KINDS)

    def test_the_fields_of_an_answer_arrive_as_they_were_sent(self):
        self.compare(ANSWER_FIELDS)

    def test_an_answer_of_any_status_arrives_as_it_was_sent(self):
        self.compare(ANSWER_KINDS)

    def test_the_body_of_an_answer_arrives_as_it_was_sent(self):
        self.compare(ANSWER_BODIES)

    def test_interim_answers_arrive_as_they_were_sent(self):
        self.compare(INTERIM_ANSWERS)

    def test_trailers_stay_with_the_answer_that_they_belong_to(self):
        """The next one comes on the same connection to the upstream, and may be another caller's."""
        self.start(workers=1)
        trailers = Exchange("trailers", ask(), tell(b"Transfer-Encoding: chunked",
                                                    body=b"2\r\nok\r\n0\r\nX-Secret: of the first\r\n\r\n"))
        port = self.proxy.ports["web"]
        for after in (Exchange("until the end", ask(), tell(body=b"ok"), closes=True),
                      Exchange("chunks", ask(), tell(b"Transfer-Encoding: chunked", body=b"2\r\nok\r\n0\r\n\r\n"))):
            with self.subTest(after.what):
                _, answer, _ = self.carry(port, trailers)
                self.assertEqual(answer.trailers, (b"X-Secret: of the first",))
                self.hang_up()
                _, answer, _ = self.carry(port, after)
                self.assertEqual((answer.body, answer.trailers), (b"ok", ()))

    def test_a_forward_proxy_adds_no_more_than_a_via_to_answers(self):
        self.compare((*ANSWER_FIELDS, *ANSWER_BODIES), port="shared", of_answers=OF_ANSWERS_OF_A_PROXY)

    def test_a_host_that_is_configured_replaces_the_callers_and_nothing_else(self):
        self.start(host_header="inner.example:81")
        for exchange in (Exchange("a name", ask(b"X-A: 1")), Exchange("absolute", ask(target=b"http://web/a"))):
            with self.subTest(exchange.what):
                sent, _, _ = self.carry(self.peer.port, exchange)
                request, _, _ = self.carry(self.proxy.ports["web"], exchange)
                self.assertEqual(request.values(b"host"), [b"inner.example:81"])
                expected = through(OF_REQUESTS, Passage(sent)).without({b"host"})
                self.assertEqual(remarks(expected, request.without({b"host"})), [])

    def test_each_allowed_difference_is_needed_by_some_message(self):
        needed = set()
        for exchange in (*OF_REQUEST, *OF_ANSWER):
            sent, answered, _ = self.carry(self.peer.port, exchange)
            needed |= {("request", each.what) for each in used(OF_REQUESTS, Passage(sent))}
            needed |= {("answer", each.what) for each in used(OF_ANSWERS, Passage(answered, asked=sent))}
        self.assertEqual(needed, {*(("request", each.what) for each in OF_REQUESTS),
                                  *(("answer", each.what) for each in OF_ANSWERS)})


if __name__ == "__main__":
    main()
