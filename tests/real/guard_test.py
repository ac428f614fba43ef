"""The framing guard on the wire: of what callers send, an upstream gets exactly what Candor understood.

Each message here is followed, on its connection, by a second request. Candor either takes the message for one request
and the second for another, and both arrive as such; or it refuses the message, and no byte of either arrives.
"""

import itertools

from support.case import main
from support.guarded import Guarded, head_of, in_chunks
from support.trials import CHUNKED, CHUNKS, Damage


def _length(*lines):
    """A head with these lines, and a body of four bytes."""
    return head_of(lines) + b"body"


def _coding(*lines):
    """A head with these lines, and a body in chunks."""
    return head_of(lines) + CHUNKS


_HEX_BODY = b"5;%s\r\nhello\r\n0\r\n\r\n"

# The status that each message earns; 200: it is a request, and passes.
_TABLE = {
    "lengths": [
        (200, _length(b"Content-Length: 4")), (200, _length(b"content-length:4")),
        (200, _length(b"CONTENT-LENGTH: \t 4 \t")), (200, _length(b"Content-Length: 0004")),
        (200, _length(b"Content-Length: 4", b"Content-Length: 4")), (200, _length(b"Content-Length: 4", b"X: y",
                                                                                  b"content-length: 04")),
        *[(400, _length(b"Content-Length:" + value)) for value in (
            b"", b" ", b" -4", b" +4", b" 4 4", b" 4,4", b" 4, 4", b" 4;", b" 4,", b" ,4", b" 0x4", b" 4h", b" 4e0",
            b" 4.0", b" four", b' "4"', b" 4\xc2\xa0", b" \xd9\xa4", b" 1_0", b" 9223372036854775808",
            b" 18446744073709551616", b" 18446744073709551620", b" 340282366920938463463374607431768211460",
            b" " + b"9" * 400, b" 4\x00", b" 4\x0b", b" 4\x0c", b" \x0b4")],
        (400, _length(b"Content-Length: 4", b"Content-Length: 5")),
        (400, _length(b"Content-Length: 5", b"X: y", b"Content-Length: 4")),
        (400, _length(b"Content-Length: 4", b"content-length: 0")),
        (400, _length(b"Content-Length: 0", b"CONTENT-LENGTH:4")),
        (400, _length(b"Content-Length: 4", b"Content-Length: ")),
    ],
    "a length beside a coding": [
        (400, _coding(b"Content-Length: 4", CHUNKED)), (400, _coding(CHUNKED, b"Content-Length: 4")),
        (400, _coding(b"Content-Length: 0", CHUNKED)), (400, _coding(CHUNKED, b"X: y", b"content-length: 14")),
        (400, _coding(b"Content-Length: 4", b"Transfer-Encoding:")),
        (400, _coding(b"Connection: content-length", b"Content-Length: 4", CHUNKED)),
        (400, _coding(b"Connection: transfer-encoding", b"Content-Length: 4", CHUNKED)),
    ],
    "codings": [
        (200, _coding(CHUNKED)), (200, _coding(b"transfer-encoding:\tChUnKeD ")),
        (200, _coding(b"Connection: Transfer-Encoding", CHUNKED)),
        *[(501, _coding(b"Transfer-Encoding: " + value)) for value in (
            b"gzip", b"identity", b"xchunked", b"chunkedx", b"gzip, chunked", b"gzip,chunked", b"identity, chunked",
            b"x;a=b, chunked", b"gzip;level=9", b"chunk", b"Chunked1", b"'chunked'")],
        *[(400, _coding(b"Transfer-Encoding: " + value)) for value in (
            b"chunked, chunked", b"chunked,chunked", b"chunked,", b"chunked ,", b"chunked;q=1", b"chunked;",
            b"chunked ;", b'"chunked"', b"chun ked", b"chunked chunked", b"\x0bchunked", b"chunked\x0b", b"\x0cchunked",
            b"chunked\x00", b"\xe2\x80\x8bchunked", b"\xc2\xa0chunked", b"chunked\xff", b"", b",", b",chunked",
            b"[chunked]", b"chunked/1", b"chunked=1")],
        (400, _coding(CHUNKED, CHUNKED)), (400, _coding(CHUNKED, b"X: y", b"transfer-encoding:chunked")),
        (400, _coding(CHUNKED, b"Transfer-Encoding:")), (400, _coding(b"Transfer-Encoding:", CHUNKED)),
        (501, _coding(b"Transfer-Encoding: gzip", CHUNKED)), (501, _coding(b"Transfer-Encoding: identity", CHUNKED)),
        (400, head_of([CHUNKED], b"POST /case HTTP/1.0") + CHUNKS),
        (400, head_of([CHUNKED, b"Connection: keep-alive"], b"POST /case HTTP/1.0") + CHUNKS),
        (400, head_of([CHUNKED, b"Content-Length: 4"], b"POST /case HTTP/1.0") + CHUNKS),
        # No coding, whatever they resemble.
        (200, _length(b"Content-Length: 4", b"Transfer_Encoding: chunked")),
        (200, _length(b"Content-Length: 4", b"X-Transfer-Encoding: chunked")),
        (200, _length(b"Content-Length: 4", b"Transfer-Encodings: chunked")),
        (200, _length(b"Content-Length: 4", b"Content-Encoding: chunked")),
        (200, _length(b"Content-Length: 4", b"TE: chunked")),
    ],
    "field lines": [
        *[(400, _length(b"Content-Length: 4", line)) for line in (
            b"X : y", b"X\t: y", b" X: y", b"\tX: y", b"X", b":", b": y", b" ", b"X y: z", b"X(y): z", b'"X": y',
            b"X\xc3\xa4: y", b"X\x00: y", b"X\x01: y", b"X\x7f: y", b"X\r: y", b"X\x0b: y", b"X: a\x00b", b"X: a\x01",
            b"X: \x1f", b"X: \x7f", b"X: a\rb", b"X: a\r", b"\rX: y", b"X: a\x0bb", b"X: a\x0cb", b"X: \x1b[0m",
            b"X: y\r\n folded", b"X: y\r\n\tfolded", b"X: y\r\n ", b"X: y\nZ: z", b"X: y\n", b"\nX: y", b"X: \ny",
            b"X: y\r\rZ: z", b"X: y\n\rZ: z", b"[X]: y", b"X@Z: y", b"{X}: y")],
        (400, _coding(b"Transfer-Encoding : chunked")), (400, _coding(b"Transfer-Encoding\t: chunked")),
        (400, _coding(b"Transfer-Encoding:\r\n chunked")), (400, _coding(b"Transfer-Encoding: chunked\r\n ,gzip")),
        (400, _coding(b"X: y\r\n Transfer-Encoding: chunked")), (400, _coding(b"X: y\rTransfer-Encoding: chunked")),
        (400, _coding(b"X: y\nTransfer-Encoding: chunked")), (400, _coding(b"Transfer\x00-Encoding: chunked")),
        (400, _length(b"Content-Length : 4")), (400, _length(b" Content-Length: 4")),
        (400, _length(b"Content-Length:\r\n 4")), (400, _length(b"X: y\rContent-Length: 4")),
        (400, b"POST /case HTTP/1.1\r\n Host: web\r\nContent-Length: 4\r\n\r\nbody"),
        (400, b"POST /case HTTP/1.1\r\n\tX: y\r\nHost: web\r\nContent-Length: 4\r\n\r\nbody"),
        (400, b"POST /case HTTP/1.1\r\n \r\nHost: web\r\nContent-Length: 4\r\n\r\nbody"),
        (400, head_of([b"X: y\n\r"])), (400, b"GET /case HTTP/1.1\nHost: web\n\n"),
        (400, b"GET /case HTTP/1.1\r\nHost: web\r\n\n"), (400, b"GET /case HTTP/1.1\r\nHost: web\n\r\n"),
        (400, b"\nGET /case HTTP/1.1\r\nHost: web\r\n\r\n"), (400, b"\r\rGET /case HTTP/1.1\r\nHost: web\r\n\r\n"),
        (200, b"\r\n\r\nGET /case HTTP/1.1\r\nHost: web\r\n\r\n"),
        (200, _length(b"Content-Length: 4", b"X:", b"Y: \t", b"Z: a\tb", b"U: \xc3\xa4\xff", b'V: a:b,"c"',
                      b"!#$%&'*+-.^_`|~9: x", b"X: again", b"x:and  again \t ")),
    ],
    "request lines": [
        *[(400, head_of([], line)) for line in (
            b" /case HTTP/1.1", b"GET", b"GET\t/case HTTP/1.1", b"G(T /case HTTP/1.1", b"G\x00T /case HTTP/1.1",
            b"GE:T /case HTTP/1.1", b"\xc3\xa4 /case HTTP/1.1", b"{ /case HTTP/1.1", b"GET  /case HTTP/1.1",
            b"GET  HTTP/1.1", b"GET /a\tb HTTP/1.1", b"GET /a b HTTP/1.1", b"GET /\x00 HTTP/1.1", b"GET /\x7f HTTP/1.1",
            b"GET /\xc3\xa4 HTTP/1.1", b"GET /a\rb HTTP/1.1", b"GET /a#b HTTP/1.1", b"GET #/ HTTP/1.1",
            b"GET case HTTP/1.1", b"GET * HTTP/1.1", b"OPTIONS ** HTTP/1.1", b"GET web:80 HTTP/1.1",
            b"GET ftp://web/ HTTP/1.1", b"GET http:/web HTTP/1.1", b"GET http:///case HTTP/1.1",
            b"GET http:// HTTP/1.1", b"GET http://u@web/ HTTP/1.1", b"GET http://web:b/ HTTP/1.1",
            b"GET http://[::1/ HTTP/1.1", b"GET ?a HTTP/1.1", b"CONNECT /case HTTP/1.1", b"CONNECT web HTTP/1.1",
            b"CONNECT http://web:80 HTTP/1.1", b"CONNECT u@web:80 HTTP/1.1", b"GET /case", b"GET /case ",
            b"GET /case HTTP/1", b"GET /case HTTP/1.", b"GET /case HTTP/1.1 ", b"GET /case HTTP/1.10",
            b"GET /case HTTP/01.1", b"GET /case http/1.1", b"GET /case HTTP/11", b"GET /case HTTP/1,1",
            b"GET /case HTTP/x.1", b"GET /case HTTP/1.x", b"GET /case HTTPS/1.1", b"GET /case  HTTP/1.1",
            b"GET /case HTTP /1.1", b"GET /case HTTP/1.1\t", b"GET /case HTTP/+1.1", b"GET /case\x0bHTTP/1.1",
            b"GET /case\tHTTP/1.1", b"\x16\x03\x01\x00\xa5\x01 /case HTTP/1.1", b"HTTP/1.1 200 OK")],
        *[(505, head_of([], line)) for line in (b"GET /case HTTP/2.0", b"GET /case HTTP/2.1", b"GET /case HTTP/0.9",
                                              b"GET /case HTTP/3.0", b"PRI * HTTP/2.0", b"GET /case HTTP/9.9")],
        (200, _coding(CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.2")),
        (200, _length(b"Content-Length: 4").replace(b"HTTP/1.1", b"HTTP/1.9")),
        (400, b"GET /case HTTP/1.2\r\n\r\n"),
        *[(400, head_of([b"Max-Forwards:" + value], b"%s /case HTTP/1.1" % method)) for method in (b"OPTIONS", b"TRACE")
          for value in (b"", b" x", b" -1", b" 1, 2", b" 1\r\nMax-Forwards: 1")],
        *[(200, head_of([], line)) for line in (
            b"get /case HTTP/1.1", b"M-SEARCH /case HTTP/1.1", b"PURGE /case HTTP/1.1", b"A" * 64 + b" /case HTTP/1.1",
            b"GET //case HTTP/1.1", b"GET /http://a HTTP/1.1", b"OPTIONS * HTTP/1.1", b"OPTIONS /case HTTP/1.1",
            b"GET http://web HTTP/1.1", b"GET HTTP://web:80/b?c HTTP/1.1", b"GET http://web?b HTTP/1.1",
            b"OPTIONS http://web HTTP/1.1", b"OPTIONS http://web?a HTTP/1.1",
            b"GET http://[::1]:80/ HTTP/1.1", b'GET /{a}|b[c]?d=<"e">^`\\%00%0d%0a HTTP/1.1', b"TRACE /case HTTP/1.1",
            b"GET /../../case HTTP/1.1", b"GET /case HTTP/1.0", b"DELETE /case HTTP/1.1", b"HEAD /case HTTP/1.1")],
        (501, head_of([], b"A" * 65 + b" /case HTTP/1.1")), (501, head_of([], b"CONNECT web:443 HTTP/1.1")),
    ],
    "hosts": [
        (400, head_of([], host=b"")), (400, head_of([], b"GET http://web/ HTTP/1.1", host=b"")),
        (400, head_of([b"Host: web"])), (400, head_of([b"hOST: other"])), (400, head_of([b"X: y", b"Host:"])),
        (400, head_of([b"Host: web"], b"GET /case HTTP/1.0")), (200, head_of([], b"GET /case HTTP/1.0", host=b"")),
        *[(400, head_of([], host=b"Host: " + host)) for host in (
            b"a b", b"a/b", b"u@a", b"a:b", b"a:80:80", b"a:123456", b"::1", b"[::1", b"[]", b"a\tb", b"http://a",
            b"\xc3\xa4", b"a\\b", b"[::1]x", b":80", b"a#b", b"a?b", b"a:80 ,b")],
        *[(200, head_of([], host=b"Host: " + host)) for host in (
            b"web", b"", b"web:", b"web:80", b"a,b", b"127.0.0.1:1", b"[::1]", b"[::1]:80", b"A-b_c.d~", b"%41")],
    ],
    "connection options": [
        *[(400, _length(b"Content-Length: 4", b"Connection: " + value)) for value in (
            b"close; x", b'"close"', b"keep-alive close", b", ".join(b"x%d" % n for n in range(33)))],
        (200, _length(b"Content-Length: 4", b"Connection: host, content-length, x-y", b"X-Y: z", b"X-Z: y")),
        (200, _length(b"Content-Length: 4", b"Connection: ,x-y,,", b"Connection:", b"X-y: z", b"Keep-Alive: 5")),
        (200, _length(b"Content-Length: 4", b"Proxy-Authorization: x", b"Proxy-Connection: close", b"TE: trailers",
                      b"candor-attempt: 7", b"candor-retry-reason: x")),
    ],
    "other ways to go on": [
        (200, _length(b"Content-Length: 4", b"Expect: 100-continue")),
        (200, _coding(CHUNKED, b"Expect: 100-continue")),
        (200, head_of([b"Expect: 100-continue"], b"GET /case HTTP/1.1")),
        (200, head_of([b"Expect: 100-continue", b"Connection: keep-alive"], b"GET /case HTTP/1.0")),
        *[(200, message) for protocol in (b"websocket", b"h2c", b"TLS/1.0", b"websocket, h2c", b"x") for message in (
            head_of([b"Connection: upgrade", b"Upgrade: " + protocol], b"GET /case HTTP/1.1"),
            _length(b"Upgrade: " + protocol, b"Connection: Upgrade", b"Content-Length: 4"),
            _coding(b"Connection: upgrade, HTTP2-Settings", CHUNKED, b"HTTP2-Settings: AAMAAABk",
                    b"Upgrade: " + protocol),
            head_of([b"Upgrade: " + protocol], b"GET /case HTTP/1.1"),
            head_of([b"Connection: upgrade, keep-alive", b"Upgrade: " + protocol], b"GET /case HTTP/1.0"))],
        (400, _length(b"Content-Length: 4", b"Content-Length: 5", b"Connection: upgrade", b"Upgrade: websocket")),
        (400, _coding(b"Content-Length: 4", CHUNKED, b"Expect: 100-continue")),
    ],
    "chunks": [
        (200, in_chunks(b"5\r\nhello\r\n1\r\n \r\n000A;x=y\r\n0123456789\r\n0\r\n\r\n")),
        (200, in_chunks(b"0000000000000005\r\nhello\r\n0000\r\n\r\n")), (200, in_chunks(b"0\r\n\r\n")),
        *[(200, in_chunks(_HEX_BODY % extension)) for extension in (
            b"", b"x", b"x=y", b' x = "y;z" ;w', b'x="\\""', b"x=\xc3\xa4", b"x" * 252)],
        *[(400, in_chunks(size + b"\r\nhello\r\n0\r\n\r\n")) for size in (
            b"", b" 5", b"\t5", b"+5", b"-5", b"0x5", b"0X5", b"x5", b"g", b"5g", b"5 5", b"5_", b"5,", b"5 ", b"5\t",
            b"5\x00", b"5\r", b"\r5", b"5\x0b", b"\xc2\xa05", b"5\xff", b"00000000000000005", b"1ffffffffffffffff",
            b"10000000000000000", b"99999999999999999999", b"5:", b'"5"', b"5;a\x01", b"5;a\x00", b"5;a\rb",
            b"5;" + b"x" * 253, b"5;" + b"x" * 3000, b'5;x="a\r\nb"', b"5;x=\"\n\"", b"5;\nx", b"0;\r\r\n\r\n")],
        *[(400, in_chunks(body)) for body in (
            b"5\nhello\r\n0\r\n\r\n", b"5\rhello\r\n0\r\n\r\n", b"5;x\nhello\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n",
            b"5\r\nhello\r0\r\n\r\n", b"5\r\nhello0\r\n\r\n", b"5\r\nhello!\r\n0\r\n\r\n", b"4\r\nhello\r\n0\r\n\r\n",
            b"5\r\nhello\r\n0\n\r\n", b"5\r\nhello\r\n0\r\n\n", b"5\r\nhello\r\n\r\n0\r\n\r\n",
            b"5\r\nhello\r\n0\r\n\rX", b"0\r\r\n\r\n", b"\r\n5\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\n\r\n0\r\n\r\n")],
    ],
    "trailers": [
        (200, in_chunks(b"0\r\nX-Sum: abc \r\ngrpc-status:0\r\n\r\n")),
        (200, in_chunks(b"0\r\n" + b"".join(name + b": 9\r\n" for name in (
            b"Content-Length", b"TRANSFER-ENCODING", b"Host", b"Connection", b"TE", b"Trailer", b"Upgrade", b"Expect",
            b"Keep-Alive", b"Proxy-Authorization", b"candor-attempt", b"X-Kept")) + b"\r\n")),
        *[(400, in_chunks(b"4\r\nbody\r\n0\r\n" + line + b"\r\n\r\n")) for line in (
            b" X: y", b"X : y", b"X", b": y", b"X: a\rb", b"X: a\x00", b"X\x01: y", b"X: y\r\n folded", b"X: y\nZ: z",
            b"X: y\r\n\tfolded", b"X: " + b"y" * 17000, b"\r\n".join([b"X: y"] * 3000),
            b"\r\n".join([b"Content-Length: 4"] * 900))],
    ],
    "sizes": [
        (414, head_of([], b"GET /" + b"x" * 1024 + b" HTTP/1.1")),
        (414, head_of([], b"GET /" + b"x" * 2000 + b" HTTP/1.1")),
        (414, head_of([], b"GET http://web/" + b"x" * 1014 + b" HTTP/1.1")),
        (200, head_of([], b"GET /" + b"x" * 1023 + b" HTTP/1.1")),
        (431, head_of([b"X: y"] * 50)), (200, head_of([b"X: y"] * 49)), (431, head_of([b"X: " + b"y" * 9000])),
        (431, head_of([b"X%d: " % n + b"y" * 1000 for n in range(9)])), (431, head_of([b"Y" * 9000 + b": y"])),
        (431, head_of([b"X: " + b"y" * 8154])), (200, head_of([b"X: " + b"y" * 8153])),
        (501, b"x" * 20000), (400, b"\0" * 9000),
    ],
}

# Lines that a smuggler might combine.
_LENGTHS = [[], *([each] for each in (
    b"Content-Length: 4", b"content-length:\t4 ", b"Content-Length: +4", b"Content-Length : 4", b"Content-Length: 4,4",
    b"Content-Length: 04", b"Content-Length: 0", b" Content-Length: 4")), [b"Content-Length: 4"] * 2,
            [b"Content-Length: 4", b"Content-Length: 14"]]
_CODINGS = [[], *([each] for each in (
    CHUNKED, b"TRANSFER-ENCODING:CHUNKED", b"Transfer-Encoding : chunked", b"Transfer-Encoding:\x0bchunked",
    b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunked;q=1", b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked, identity", b"X: y\r\n Transfer-Encoding: chunked",
    b"X: y\nTransfer-Encoding: chunked", b"Transfer-Encoding: \tchunked\t")), [CHUNKED] * 2,
            [b"Transfer-Encoding: identity", CHUNKED]]
_BODIES = [CHUNKS, b"0\r\n\r\n", b"body"]

_WHOLESOME = [_length(b"Content-Length: 4"), _coding(CHUNKED), head_of([b"X: y"], b"GET /case HTTP/1.1"),
              head_of([b"Connection: keep-alive", b"Content-Length: 4"], b"PUT /case HTTP/1.0") + b"body",
              in_chunks(b"5;x=y\r\nhello\r\n1b\r\nabcdefghijklmnopqrstuvwxyz0\r\n0\r\nA: b\r\nTrailer: c\r\n\r\n"),
              head_of([b"Connection: X, close", b"X: y"], b"GET http://web/case?a HTTP/1.1")]


class Guard(Guarded):
    def setUp(self):
        super().setUp()
        self.start()

    def test_each_message_passes_as_one_request_or_is_refused(self):
        self.each((subject, message, status, ())
                  for subject, cases in _TABLE.items() for status, message in cases)

    def test_messages_that_come_byte_by_byte_mean_the_same(self):
        self.each((subject, message, status, range(1, len(message)))
                  for subject, cases in _TABLE.items() for status, message in cases if len(message) < 400)

    def test_lengths_and_codings_in_all_combinations_mean_one_thing(self):
        def cases():
            for lengths, codings, body, version in itertools.product(_LENGTHS, _CODINGS, _BODIES, (b"1.1", b"1.0")):
                for lines in ([*lengths, *codings], [*codings, b"X-Between: y", *lengths]):
                    start = b"POST /case HTTP/" + version
                    keep = [b"Connection: keep-alive"] if version == b"1.0" else []
                    yield "combination", head_of([*keep, *lines], start) + body, None, ()

        self.each(cases())

    def test_damaged_messages_mean_what_a_strict_reader_says(self):
        damage = Damage(_WHOLESOME, (b"Host: x\r\n", b"Connection: keep-alive\r\n"), 2000)

        def cases():
            for number, message in damage.messages():
                pieces = sorted(damage.rng.sample(range(1, len(message)), damage.rng.choice((0, 0, 1, 2))))
                yield f"damaged {number}", message, None, pieces

        self.each(cases())


if __name__ == "__main__":
    main()
