"""Candor between a caller who sends bytes and an upstream that records them: what each must see of the other."""

import re
import socket

from support.case import RealCase
from support.ports import HOST
from support.recording import WIDE, RecordingUpstream, told_of
from support.strict import HOP_BY_HOP, Limits, read_answers, read_requests
from support.trials import CHUNKED, lines_passed_on, try_each
from support.waiting import PATIENCE, until

LIMITS = Limits()
# What Candor adds to a request's head, or may pass on where it is its own affair.
_ADDED = re.compile(rb"candor-attempt: 1|(?i:via): 1\.[01] candor(?:-[0-9a-f]{8})?|TE: trailers|Connection: TE"
                    rb"|Transfer-Encoding: chunked|Expect: 100-continue|Upgrade: websocket|Connection: (?i:upgrade)")


def head_of(lines=(), start=b"POST /case HTTP/1.1", host=b"Host: web"):
    return b"\r\n".join([start, *([host] if host else []), *lines, b"", b""])


def in_chunks(body):
    """A head, and this as its body."""
    return head_of([CHUNKED]) + body


def second(number):
    """The request that follows each message."""
    return b"GET /smuggled/%d HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n" % number


def _passed_on(message):
    """The field lines of this request that an upstream gets."""
    named = set(message.options) - {b"host", b"content-length", b"close", b""}
    but = HOP_BY_HOP | named | {b"expect", b"candor-attempt", b"candor-retry-reason"}
    if message.values(b"host") == [message.host]:
        return lines_passed_on(message, but)
    return [b"Host: " + message.host, *lines_passed_on(message, but | {b"host"})]


def _origin(message):
    """The target that an upstream gets."""
    absolute = re.fullmatch(rb"(?i:https?://)[^/?]*(.*)", message.target)
    if not absolute:
        return message.target
    if not absolute[1]:
        return b"*" if message.method == b"OPTIONS" else b"/"
    return absolute[1] if absolute[1].startswith(b"/") else b"/" + absolute[1]


def _is_beginning(got, meant):
    """Whether this is what an upstream may have got of a request whose body is faulty, or lacks its end."""
    return (not got.whole and (got.method, got.target, got.framing) == (meant.method, _origin(meant), meant.framing)
            and _without_added(got) == _passed_on(meant) and meant.content.startswith(got.content))


def _without_added(message):
    """The field lines that Candor did not add."""
    return [line for line in message.lines if not _ADDED.fullmatch(line)]


class Guarded(RealCase):
    """Sends messages, each followed by a second request, and checks what became of both."""

    def setUp(self):
        super().setUp()
        self.recorder = self._of_this_test(RecordingUpstream())
        self.begun = []  # requests whose bodies are faulty, or lack their ends
        self._number = 0

    def start(self, timeouts=None, **limits):
        limits = {"head": LIMITS.head, "target": LIMITS.target, "fields": LIMITS.fields, **limits}
        self.proxy = self.candor(
            {"web": {"endpoints": [self.recorder.address], "retry": {"attempts": 1}, "breaker": {"enabled": False},
                     "timeouts": timeouts or {}}}, limits=limits)
        self.port = self.proxy.ports["web"]

    def exchange(self, data, answers, pieces):
        """Sends it, in these pieces, and gives what came until the end of the connection. Where nobody else ends it,
        since more should come, that is done here after so many answers."""
        came = b""
        with socket.create_connection((HOST, self.port), timeout=PATIENCE) as caller:
            caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                for begin, end in zip([0, *pieces], [*pieces, len(data)]):
                    caller.sendall(data[begin:end])
            except (ConnectionResetError, BrokenPipeError):
                self.assertTrue(pieces, "nobody reads what is sent in one go")
            try:
                while answers is None or self._final(came) < answers:
                    more = caller.recv(65536)
                    if not more:
                        return came
                    came += more
                caller.shutdown(socket.SHUT_WR)
                while more := caller.recv(65536):
                    came += more
            except ConnectionResetError:
                self.assertTrue(pieces or answers is not None, f"reset after {came!r}")
        return came

    def _final(self, data):
        """How many whole answers there are; no request here is a HEAD whose successor is incomplete."""
        reading = read_answers(data, [b"GET"] * 9, ended=False)
        return sum(each.whole and each.status >= 200 for each in reading.messages)

    def check(self, message, expected=None, pieces=()):
        """Sends the message and a second one, and looks at what the upstream got, and what the caller."""
        self._number += 1
        data = message + second(self._number)
        meant = read_requests(data, LIMITS)
        whole = [each for each in meant.messages if each.whole]
        waits = not meant.faults and (meant.rest != b"")
        if expected == 200:
            self.assertEqual([each.target for each in whole[1:]], [b"/smuggled/%d" % self._number][:whole[0].keeps])
        elif expected:
            self.assertEqual(whole, [], "this test contradicts itself")
            self.assertIn(expected, meant.faults, "this test contradicts itself")
            meant.faults = {expected}
        before = len(self.recorder.requests)
        came = self.exchange(data, len(whole) if waits else None, pieces)
        self._check_upstream(self.recorder.requests[before:], whole)
        if len(whole) < len(meant.messages):
            self.begun.append(meant.messages[-1])
        self.check_caller(came, whole, meant.faults)

    def _check_upstream(self, requests, whole):
        self.assertEqual([(each.method, each.target, each.content) for each in requests],
                         [(each.method, _origin(each), each.content) for each in whole])
        for got, meant in zip(requests, whole):
            self.assertFalse(got.old)
            self.assertEqual(_without_added(got), _passed_on(meant))
            self.assertEqual(got.framing, meant.framing)
            self.assertEqual(got.trailers, meant.trailers)

    def check_caller(self, came, whole, faults):
        got = read_answers(came, [each.method for each in whole] + [b"GET"] * bool(faults))
        self.assertEqual((got.faults, got.rest), (set(), b""))
        finals = [each for each in got.messages if each.status >= 200]
        for answer, request in zip(finals, whole):
            self.assertEqual((answer.status, answer.values(b"x-got")), (
                200, [told_of(request.method, _origin(request), request.content).encode()]))
        self.assertEqual(len(finals), len(whole) + bool(faults), finals)
        if faults:
            self.assertIn(finals[-1].status, faults)
            self.assertRegex(finals[-1].values(b"proxy-status")[0], rb"^candor; error=http_request_(error|denied)")
            self.assertEqual(finals[-1].values(b"connection"), [b"close"])

    def each(self, cases):
        """Cases are what is told of them, the message, the status that it earns, and the pieces that it comes in."""
        try_each(self, (({"msg": told, "message": message[:300]}, (message, expected, pieces))
                        for told, message, expected, pieces in cases), self.check)
        self.check_all_bytes()

    def check_all_bytes(self):
        """When all has ended, whatever an upstream got besides whole requests is the beginning of one whose body its
        caller got wrong, no further than that was right."""
        until(lambda: self.proxy.ledger("web")["in_flight"] == 0, "nothing was in flight")
        self.assertEqual(self.proxy.stop(), 0)
        until(self.recorder.all_ended, "all connections had ended")
        begun = list(self.begun)
        for arrival in self.recorder.arrivals:
            self.assertEqual(arrival.faults, set(), arrival.rest)
            if arrival.rest:
                got = read_requests(arrival.rest, WIDE).messages[0]
                meant = next((each for each in begun if _is_beginning(got, each)), None)
                self.assertIsNotNone(meant, f"nobody sent {arrival.rest!r}")
                begun.remove(meant)
