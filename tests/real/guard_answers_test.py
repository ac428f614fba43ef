"""The framing guard towards upstreams: of what they answer, a caller gets exactly what Candor understood.

What is no answer is a bad gateway; what breaks off or goes wrong in mid-body breaks the caller's connection. And
whatever else an upstream sends, nobody gets it for an answer to something that they asked.
"""

import contextlib
import itertools
import re
import socket
from dataclasses import replace

from support.case import RealCase, main
from support.ports import HOST
from support.recording import WIDE
from support.strict import HOP_BY_HOP, Limits, read_answers
from support.trials import CHUNKED, CHUNKS, Damage, lines_passed_on, try_each
from support.waiting import PATIENCE, until
from support.wire import Wire

_LIMITS = Limits()
# What Candor adds to an answer's head.
_ADDED = re.compile(rb"Connection: close|Transfer-Encoding: chunked|Proxy-Status: candor; received-status=.*"
                    rb"|(?i:via): 1\.[01] candor(?:-[0-9a-f]{8})?|Date: [A-Z][a-z]{2}, [ -~]{20} GMT")
_UNASKED = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nunasked"


def _head(lines=(), start=b"HTTP/1.1 200 OK"):
    return b"\r\n".join([start, *lines, b"", b""])


def _length(*lines):
    return _head(lines) + b"body"


def _coding(*lines):
    return _head(lines) + CHUNKS


def _chunked(body):
    return _head([CHUNKED]) + body


# What becomes of each answer: it passes, there is none, or it breaks off.
_TABLE = {
    "lengths": [
        *[("passes", _length(*lines)) for lines in (
            [b"Content-Length: 4"], [b"content-length:4 "], [b"Content-Length: 0004"], [b"Content-Length: 4"] * 2,
            [b"Content-Length: 4", b"X: y", b"Content-Length: 04"], [],
            [b"Connection: content-length", b"Content-Length: 4"])],
        *[("none", _length(b"Content-Length:" + value)) for value in (
            b"", b" -4", b" -1", b" +4", b" 4 4", b" 4, 4", b" 4,", b" 0x4", b" 4.0", b" 4e0", b" four", b' "4"',
            b" 4;", b" 9223372036854775808", b" 18446744073709551620", b" " + b"9" * 300, b" 4\x00", b" 4\x0b",
            b" 4\xc2\xa0")],
        ("none", _length(b"Content-Length: 4", b"Content-Length: 5")),
        ("none", _length(b"Content-Length: 5", b"X: y", b"content-length: 4")),
        ("breaks", _length(b"Content-Length: 5")), ("breaks", _length(b"Content-Length: 9223372036854775807")),
        ("passes", _length(b"Content-Length: 0")), ("passes", _length(b"Content-Length: 3")),
        ("passes", _length(b"Content-Length: 4") + _UNASKED), ("passes", _length(b"Content-Length: 4") + b"\r\n"),
        ("passes", _length(b"Content-Length: 4") + b"HTTP/1.1 100 Continue\r\n\r\n"),
        ("passes", _coding(CHUNKED) + _UNASKED),
    ],
    "a length beside a coding": [("none", _coding(*lines)) for lines in (
        [b"Content-Length: 4", CHUNKED], [CHUNKED, b"Content-Length: 4"], [b"Content-Length: 0", b"X: y", CHUNKED],
        [b"Content-Length: 4", b"Transfer-Encoding:"],
        [b"Connection: content-length", b"Content-Length: 4", CHUNKED])],
    "codings": [
        ("passes", _coding(CHUNKED)), ("passes", _coding(b"transfer-encoding:\tChUnKeD ")),
        *[("none", _coding(b"Transfer-Encoding: " + value)) for value in (
            b"gzip", b"identity", b"xchunked", b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b"chunked,",
            b",chunked", b"chunked;q=1", b'"chunked"', b"chun ked", b"\x0bchunked", b"chunked\x00", b"")],
        ("none", _coding(CHUNKED, CHUNKED)), ("none", _coding(CHUNKED, b"Transfer-Encoding: identity")),
        ("none", _head([CHUNKED], b"HTTP/1.0 200 OK") + CHUNKS),
        ("none", _head([CHUNKED, b"Connection: keep-alive"], b"HTTP/1.0 200 OK") + CHUNKS),
    ],
    "field lines": [
        *[("none", _length(b"Content-Length: 4", line)) for line in (
            b"X : y", b"X\t: y", b" X: y", b"X", b": y", b" ", b"X y: z", b"X(y): z", b"X\x00: y", b"X\r: y",
            b"X: a\x00b", b"X: \x7f", b"X: a\rb", b"X: a\r", b"X: a\x0bb", b"X: y\r\n folded", b"X: y\r\n\tfolded",
            b"X: y\nZ: z", b"X: y\n", b"\nX: y", b"X: y\rSet-Cookie: z", b"X: y\n\r")],
        ("none", _length(b"Content-Length : 4")), ("none", _coding(b"Transfer-Encoding : chunked")),
        ("none", _coding(b"Transfer-Encoding:\r\n chunked")), ("none", _coding(b"X: y\nTransfer-Encoding: chunked")),
        ("none", b"HTTP/1.1 200 OK\r\n X: y\r\nContent-Length: 4\r\n\r\nbody"),
        ("none", b"HTTP/1.1 200 OK\nContent-Length: 4\n\nbody"), ("none", b"HTTP/1.1 200 OK\r\nX: y\r\n\nbody"),
        ("passes", _length(b"Content-Length: 4", b"X:", b"Y: \t", b"Z: a\tb", b"U: \xc3\xa4\xff", b"X: again",
                           b"Keep-Alive: 5", b"Connection: close, Y", b"Set-Cookie: a", b"Set-Cookie: b")),
        ("passes", _length(b"Content-Length: 4", b"Upgrade: h2c", b"Connection: upgrade")),
    ],
    "status lines": [
        *[("none", _head([b"Content-Length: 4"], line) + b"body") for line in (
            b"HTTP/1.1 99 OK", b"HTTP/1.1 099 OK", b"HTTP/1.1 000 OK", b"HTTP/1.1 1000 OK", b"HTTP/1.1 2x0 OK",
            b"HTTP/1.1 20 OK", b"HTTP/1.1 2000", b"HTTP/1.1  200 OK", b"HTTP/1.1\t200 OK", b"HTTP/1.1 200\tOK",
            b"HTTP/1.1 +200 OK", b"HTTP/1.1 -200 OK", b"HTTP/1.1 0x0c8 OK", b"HTTP/1.1 200.0 OK", b"HTTP/1.1 OK",
            b"HTTP/1.1", b"HTTP/1.1 ", b"HTTP/1.1 200 O\x00K", b"HTTP/1.1 200 O\rK", b"HTTP/2.0 200 OK", b"HTTP/2 200",
            b"HTTP/0.9 200 OK", b"HTTP/1.x 200 OK", b"HTTP/1 200 OK", b"http/1.1 200 OK",
            b"HTTP/1.10 200 OK", b"HTTP/11 200 OK", b"ICY 200 OK", b" HTTP/1.1 200 OK", b"\tHTTP/1.1 200 OK",
            b"xHTTP/1.1 200 OK", b"200 OK", b"GET / HTTP/1.1", b"", b"\n", b"HTTP/1.1 \xd9\xa2\xd9\xa0\xd9\xa0 OK")],
        ("none", b""), ("none", b"\r\n" + _length(b"Content-Length: 4")), ("none", b"<html>an old one</html>"),
        ("none", b"SSH-2.0-OpenSSH_9.2\r\n"), ("none", b"\x15\x03\x01\x00\x02\x02\x50"),
        ("none", b"HTTP/1.1 200 OK\r\n"), ("none", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("none", b"\0\0\0\x04\0\0\0\0\0"),
        *[("passes", _head([b"Content-Length: 4"], line) + b"body") for line in (
            b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.2 200 OK", b"HTTP/1.1 404 Not \t Found\xe9", b"HTTP/1.0 200 OK", b"HTTP/1.1 299 x",
            b"HTTP/1.1 599 x", b"HTTP/1.1 500 Bad", b"HTTP/1.1 302 Found", b"HTTP/1.1 205 Reset")],
    ],
    "interim answers": [
        ("passes", _head([], b"HTTP/1.1 100 Continue") + _length(b"Content-Length: 4")),
        ("passes", _head([b"Link: x"], b"HTTP/1.1 103 Early Hints") * 20 + _length(b"Content-Length: 4")),
        ("passes", _head([b"Content-Length: 7"], b"HTTP/1.1 103 Early Hints") + _length(b"Content-Length: 4")),
        ("none", _head([b"Content-Length: 7"], b"HTTP/1.1 103 x") + b"unasked" + _length(b"Content-Length: 4")),
        ("none", _head([], b"HTTP/1.1 101 Switching Protocols") + _UNASKED),
        ("none", _head([b"Connection: upgrade", b"Upgrade: websocket"], b"HTTP/1.1 101 Switching Protocols")),
        ("none", _head([], b"HTTP/1.1 100 Continue")), ("none", _head([], b"HTTP/1.1 100 Continue") + b"HTTP/1.1 200"),
        ("none", _head([], b"HTTP/1.1 100 Continue") + _head([], b"HTTP/1.1 099 x")),
        ("none", _head([b"X: y\r\n z"], b"HTTP/1.1 100 Continue") + _length(b"Content-Length: 4")),
        ("none", _head([b"Content-Length: x"], b"HTTP/1.1 103 x") + _length(b"Content-Length: 4")),
    ],
    "answers without a body": [
        ("passes", _head([], start) + rest) for start in (b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified")
        for rest in (b"", b"unasked", CHUNKS, _UNASKED)] + [
        ("passes", _head([line], start) + rest) for start in (b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified")
        for line in (b"Content-Length: 4", CHUNKED, b"Transfer-Encoding: gzip")
        for rest in (b"", b"body", CHUNKS)] + [
        ("none", _head([b"Content-Length: 4", b"Content-Length: 5"], b"HTTP/1.1 304 Not Modified")),
        ("none", _head([b"Content-Length: -4"], b"HTTP/1.1 204 No Content"))] + [
        ("passes", _head(lines, b"HTTP/1.1 205 Reset") + rest) for lines, rest in (
            ([b"Content-Length: 4"], b"body"), ([b"Content-Length: 0"], _UNASKED), ([CHUNKED], CHUNKS),
            ([CHUNKED], b"4\r\nbody\r\n0\r\nX-Sum: 1\r\n\r\n"), ([], b"until the end"))],
    "chunks": [
        ("passes", _chunked(b"5\r\nhello\r\n1\r\n \r\n000A;x=y\r\n0123456789\r\n0\r\n\r\n")),
        ("passes", _chunked(b"0\r\n\r\n")), ("passes", _chunked(b'5;x="y;z"\r\nhello\r\n0\r\n\r\n')),
        *[("breaks", _chunked(b"1\r\na\r\n" + size + b"\r\nhello\r\n0\r\n\r\n")) for size in (
            b"", b" 5", b"+5", b"-5", b"0x5", b"g", b"5g", b"5 5", b"5 ", b"5\x00", b"\x0b5", b"00000000000000005",
            b"ffffffffffffffffff", b"5;a\x01", b"5;a\rb", b"5;" + b"x" * 253, b'5;x="a\r\nb"', b"5;\nx")],
        *[("breaks", _chunked(body)) for body in (
            b"", b"5", b"5\r\n", b"5\r\nhel", b"5\r\nhello", b"5\r\nhello\r\n", b"5\r\nhello\r\n0\r\n",
            b"5\r\nhello\r\n0", b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhello0\r\n\r\n",
            b"5\r\nhello!\r\n0\r\n\r\n",
            b"4\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\n\r\n", b"5\r\nhello\r\n0\r\n\n", b"nonsense\r\n")],
        ("breaks", _chunked(b"ffffffffffffffff\r\nhello")),
    ],
    "trailers": [
        ("passes", _chunked(b"4\r\nbody\r\n0\r\nX-Sum: abc \r\ngrpc-status:0\r\n\r\n")),
        ("passes", _chunked(b"4\r\nbody\r\n0\r\n" + b"".join(name + b": 9\r\n" for name in (
            b"Content-Length", b"Transfer-Encoding", b"Host", b"Connection", b"Trailer", b"candor-retry", b"X-Kept"))
                            + b"\r\n")),
        *[("breaks", _chunked(b"4\r\nbody\r\n0\r\n" + line + b"\r\n\r\n")) for line in (
            b" X: y", b"X : y", b"X", b": y", b"X: a\rb", b"X: a\x00", b"X: y\r\n folded", b"X: y\nZ: z",
            b"X: " + b"y" * 17000, b"\r\n".join([b"X: y"] * 3000))],
    ],
    "sizes": [
        ("none", _head([b"X: y"] * 51)), ("passes", _head([b"X: y"] * 49 + [b"Content-Length: 0"])),
        ("none", _head([b"X: " + b"y" * 9000])), ("none", _head([b"X%d: " % n + b"y" * 1000 for n in range(9)])),
        ("none", _head([b"Content-Length: 0"], b"HTTP/1.1 200 " + b"y" * 9000)),
        ("none", b"HTTP/1.1 200 " + b"y" * 9000),
    ],
}
_OF_HEAD = [
    ("passes", _head([b"Content-Length: 4"])), ("passes", _length(b"Content-Length: 4")), ("passes", _coding(CHUNKED)),
    ("passes", _head([CHUNKED])), ("passes", _head()), ("passes", _head() + _UNASKED),
    ("passes", _head([b"Content-Length: 4"]) + _UNASKED), ("passes", _head([CHUNKED, b"Content-Length: 4"])),
    ("passes", _head([CHUNKED, CHUNKED]) + CHUNKS), ("none", _head([b"Content-Length: x"])),
    ("none", _head([b"Content-Length: 4", b"Content-Length: 5"])), ("none", b"<html>"),
]

_LINES = [b"Content-Length: 4", b"content-length:\t4 ", b"Content-Length: 5", b"Content-Length : 4",
          b"Content-Length: +4", CHUNKED, b"TRANSFER-ENCODING:CHUNKED", b"Transfer-Encoding: xchunked",
          b"Transfer-Encoding:\x0bchunked", b"Transfer-Encoding: gzip, chunked",
          b"X: y\r\n Transfer-Encoding: chunked", b"Connection: close"]
_WHOLESOME = [_length(b"Content-Length: 4"), _coding(CHUNKED), _length(b"X: y"),
              _head([], b"HTTP/1.1 103 Early Hints") + _length(b"Content-Length: 4", b"X: y"),
              _head([b"Content-Length: 4", b"Connection: keep-alive"], b"HTTP/1.0 200 OK") + b"body",
              _chunked(b"5;x=y\r\nhello\r\n1b\r\nabcdefghijklmnopqrstuvwxyz0\r\n0\r\nA: b\r\nTrailer: c\r\n\r\n"),
              _head([b"Content-Length: 4"], b"HTTP/1.1 404 Not Found") + b"body" + _UNASKED]


def _passed_on(answer, method):
    """The field lines of this answer that a caller gets, those of its connection apart."""
    named = set(answer.options) - {b"content-length", b"host"}
    announced = (method == b"HEAD" and not answer.values(b"transfer-encoding")) or answer.framing == "length" or (
        answer.status == 304 and not answer.values(b"transfer-encoding"))
    lines = lines_passed_on(answer, HOP_BY_HOP | named, announced and answer.status not in (204, 205))
    return lines + [b"Content-Length: 0"] if answer.status == 205 else lines


def _is_ours(answer):
    return any(value.startswith(b"candor; error=") for value in answer.values(b"proxy-status"))


def _came(port, request):
    """What came to the end of the connection, and whether that was in good order."""
    came = b""
    with socket.create_connection((HOST, port), timeout=PATIENCE) as caller:
        caller.sendall(request)
        try:
            while more := caller.recv(65536):
                came += more
        except ConnectionResetError:
            return came, False
    return came, True


class Guard(RealCase):
    def setUp(self):
        super().setUp()
        self.answers = []  # of the upstream, each with its pieces and whether the connection then stays
        self.peer = self.upstream(self._script)
        self.proxy = self.candor(
            {"web": {"endpoints": [self.peer.address], "retry": {"attempts": 1}, "breaker": {"enabled": False}}},
            limits={"head": _LIMITS.head, "target": _LIMITS.target, "fields": _LIMITS.fields},
            workers=1)  # so that connections are used again by all
        self.port = self.proxy.ports["web"]
        self.bystander = Wire(self.port)
        self.addCleanup(self.bystander.close)

    def _script(self, conversation):
        while head := conversation.request():
            target = head.split()[1]
            if not target.startswith("/case/"):
                conversation.answer(target)
                continue
            answer, cuts, stays = self.answers[int(target.removeprefix("/case/"))]
            for begin, end in zip([0, *cuts], [*cuts, len(answer)]):
                conversation.send(answer[begin:end])
            if not stays:
                return

    def _check(self, answer, expected=None, method=b"GET", version=b"1.1", stays=False, cuts=()):
        meant = read_answers(answer, [method], True, _LIMITS)
        final = meant.messages[-1] if meant.messages and meant.messages[-1].status >= 200 else None
        fate = "none" if final is None else "passes" if final.whole else "breaks"
        if expected:
            self.assertEqual(fate, expected, "this test contradicts itself")
        stays = stays and fate == "passes" and final.framing != "close"
        if fate == "passes":  # then what follows comes with its last byte, before the next request can
            cuts = [cut for cut in cuts if cut < len(answer) - len(meant.rest)]
        number = len(self.answers)
        self.answers.append((answer, cuts, stays))
        came, in_order = _came(self.port, b"%s /case/%d HTTP/%s\r\nHost: web\r\nConnection: close\r\n\r\n" % (
            method, number, version))
        got = read_answers(came, [method], in_order, WIDE)
        # The next request has its own answer, whatever lies about.
        after = f"/after/{number}"
        self.assertEqual(self.bystander.get(after).answer().body, after.encode())
        finals = [each for each in got.messages if each.status >= 200]
        self._check_interim([each for each in got.messages if each.status < 200],
                            [each for each in meant.messages if each.status < 200], version)
        if finals and _is_ours(finals[0]):
            self.assertNotEqual(fate, "passes", finals)
            self.assertEqual((finals[0].status, finals[0].whole, got.rest), (502, True, b""))
            self.assertRegex(finals[0].values(b"proxy-status")[0], rb"error=(http_|connection_terminated)")
        elif fate == "passes":
            self.assertTrue(in_order and finals and finals[0].whole and not got.rest, came)
            self._check_same(finals[0], final, method, version)
        else:
            self.assertEqual(fate, "breaks", "somebody has to say that there is no answer")
            self.assertFalse(finals and finals[0].whole, came)
            if finals:
                self.assertEqual(finals[0].status, final.status)
                self.assertTrue(final.content.startswith(finals[0].content), finals[0].content)

    def _check_interim(self, got, meant, version):
        """None of them has to be passed on, but nothing else may be."""
        self.assertLessEqual(len(got), len(meant) if version == b"1.1" else 0)
        for one, other in zip(got, meant):
            self.assertEqual((one.status, [line for line in one.lines if not _ADDED.fullmatch(line)]),
                             (other.status, _passed_on(other, b"GET")))

    def _check_same(self, got, meant, method, version):
        if meant.status == 205:  # which has none, whatever it came with
            meant = replace(meant, content=b"", trailers=[])
        self.assertEqual((got.status, got.content), (meant.status, meant.content))
        self.assertEqual([line for line in got.lines if not _ADDED.fullmatch(line)], _passed_on(meant, method))
        self.assertEqual(got.values(b"connection"), [b"close"])
        if version == b"1.1":
            self.assertEqual(got.trailers, meant.trailers)
            self.assertNotEqual(got.framing, "close")

    def _each(self, cases):
        """Cases are what is told of them, what becomes of the answer, the answer, and what else _check() takes."""
        try_each(self, (({"msg": told, "answer": answer[:300], **options}, (answer, expected, options))
                        for told, expected, answer, options in cases),
                 lambda answer, expected, options: self._check(answer, expected, **options))
        self.bystander.close()
        until(lambda: self.proxy.ledger("web")["in_flight"] == 0, "nothing was in flight")

    def _of_the_table(self, longest=None, **options):
        self._each((subject, expected, answer, options)
                   for subject, cases in _TABLE.items() for expected, answer in cases
                   if longest is None or len(answer) < longest)

    def test_each_answer_passes_or_is_none_or_breaks_off(self):
        self._of_the_table()

    def test_answers_that_come_byte_by_byte_mean_the_same(self):
        self._of_the_table(longest=300, cuts=range(1, 300))

    def test_callers_of_http_1_0_are_not_deceived_either(self):
        self._of_the_table(version=b"1.0")

    def test_what_follows_an_answer_is_no_answer_to_the_next_request(self):
        self._of_the_table(stays=True)

    def test_trailers_of_an_answer_are_not_those_of_the_next(self):
        first = _chunked(b"4\r\nbody\r\n0\r\nX-Trailer: of the first\r\n\r\n")
        for then in (_head() + b"until the end", _length(b"Content-Length: 4"), _coding(CHUNKED)):
            with self.subTest(then):
                self._check(first, "passes", stays=True)
                self._check(then, "passes")

    def test_an_answer_to_head_has_no_body(self):
        self._each(("head", expected, answer, {"method": b"HEAD", "version": version, "stays": stays})
                   for expected, answer in _OF_HEAD for version in (b"1.1", b"1.0") for stays in (False, True))

    def test_lengths_and_codings_in_all_combinations_mean_one_thing(self):
        def cases():
            for count in (1, 2, 3):
                for lines in itertools.permutations(_LINES, count):
                    if count == 3 and CHUNKED not in lines and _LINES[0] not in lines:
                        continue
                    yield "combination", None, _head(lines) + (CHUNKS if count != 2 else b"body"), {}

        self._each(cases())

    def test_damaged_answers_mean_what_a_strict_reader_says(self):
        damage = Damage(_WHOLESOME, (b"HTTP/1.1 100 x\r\n\r\n",), 1000)
        rng = damage.rng
        self._each((f"damaged {number}", None, answer, {
            "method": rng.choice((b"GET", b"GET", b"GET", b"HEAD")), "version": rng.choice((b"1.1", b"1.1", b"1.0")),
            "stays": rng.random() < 0.5}) for number, answer in damage.messages())


class WithoutEnd(RealCase):
    """Upstreams that never stop."""

    def _broken_off(self, front, again, method="GET"):
        """An upstream that sends this, and then that for ever; gives what the caller got."""
        ended = []

        def script(conversation):
            conversation.request()
            with contextlib.suppress(OSError):
                conversation.send(front)
                while True:
                    conversation.send(again * 50)
            ended.append(True)

        peer = self.upstream(script)
        proxy = self.candor({"web": {"endpoints": [peer.address], "retry": {"attempts": 1}}}, name=f"for-{len(again)}")
        came, _ = _came(proxy.ports["web"], f"{method} / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n".encode())
        until(lambda: ended, "Candor had left the upstream")
        return read_answers(came, [method.encode()], ended=False)

    def _assert_bad_gateway(self, got):
        final = got.messages[-1]
        self.assertEqual((final.status, final.whole, _is_ours(final)), (502, True, True))

    def test_interim_answers_without_an_end_are_a_bad_gateway(self):
        self._assert_bad_gateway(self._broken_off(b"", _head([], b"HTTP/1.1 100 Continue")))

    def test_fields_without_an_end_are_a_bad_gateway(self):
        self._assert_bad_gateway(self._broken_off(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"))

    def test_a_line_without_an_end_is_a_bad_gateway(self):
        self._assert_bad_gateway(self._broken_off(b"HTTP/1.1 200 OK\r\nX: ", b"yyyyyyyyyyyy"))

    def test_a_chunks_head_without_an_end_breaks_the_connection(self):
        got = self._broken_off(_head([CHUNKED]) + b"4\r\nbody\r\n1;", b"extension")
        self.assertFalse(any(each.whole for each in got.messages), got)

    def test_trailers_without_an_end_break_the_connection(self):
        got = self._broken_off(_head([CHUNKED]) + b"4\r\nbody\r\n0\r\n", b"X-Trailer: y\r\n")
        self.assertFalse(any(each.whole for each in got.messages), got)

    def test_a_body_that_nobody_asked_for_is_left_alone(self):
        got = self._broken_off(_head([b"Content-Length: 4"]), b"a body", method="HEAD")
        self.assertEqual([(each.status, each.whole) for each in got.messages], [(200, True)])
        self.assertEqual(got.rest, b"")


if __name__ == "__main__":
    main()
