"""Callers of every kind at once, well-behaved and not, each with chance of its own; all that they see is noted."""

import contextlib
import random
import threading
import time
from dataclasses import dataclass
from typing import NamedTuple

from support import callers
from support.callers import curl
from support.documents import SMALL, Digests, content, digest
from support.unruly import answer_of, bytes_of, in_chunks
from support.waiting import PATIENCE
from support.wire import BrokenOff, Wire

_DOCUMENTS = Digests()
# nginx cuts by its SSI module, which holds a "<" back, and forgets it at the end.
_WHOLE_IN_CHUNKS = {name for name in SMALL if not content(name).endswith(b"<")}
_SIZES = [0, 1, 900, 900, 20_000, 65_535, 65_536, 65_537, 300_000, 300_000, 1_000_000, 5_000_000]
_SMALL_SIZES = [0, 1, 20, 900, 20_000]
_NO_REQUESTS = [
    b"this is no HTTP\r\n\r\n", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", b"\0" * 300 + b"\r\n\r\n",
    b"GET /smuggled HTTP/1.1\r\n\r\n", b"GET /smuggled HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /smuggled HTTP/1.1\r\nHost: web\r\n folded: x\r\n\r\n", b"GET  /smuggled HTTP/1.1\r\nHost: web\r\n\r\n",
    b"GET /smuggled HTTP/1.1\r\nHost: web\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\n",
    b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\nHost: web\r\n\r\n",
    b"POST /smuggled HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    b"POST /smuggled HTTP/1.1\r\nHost: web\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    b"GET /smuggled HTTP/1.1\r\nHost: web\r\n\r\n",
    b"POST /smuggled HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"]


class Seen(NamedTuple):
    """What a caller saw of a request of its own.

    `end`: right, the upstream's good answer, whole; told, an answer of the upstream that says no, whole; own, one
    that Candor made; broken, an answer that broke off or never began; left, the caller didn't wait; unknown, the
    answer may have been lost with the connection, for another reason."""

    upstream: str
    path: str
    end: str
    status: int = 0
    attempt: int = 0


@dataclass(frozen=True)
class Request:
    upstream: str
    identity: str
    path: str
    method: str
    head: bytes
    sent: bytes  # the body on the wire
    sum: str  # of the body's content
    document: str = ""  # what nginx answers with; empty: what was sent
    gets: bool = True  # an answer with that body
    good: tuple = (200,)


class Crowd:
    """Starts the callers, ends them, and holds their notes. `ports` has one for each upstream, and "shared"."""

    def __init__(self, seed, ports, folder, idle):
        self.seed = seed
        self.ports = ports
        self.folder = folder
        self.idle = idle
        self.stopping = threading.Event()
        self.seen = []  # appended to by all, read at the end
        self.problems = []
        self.rejections = []  # statuses, of what was no request
        self.strange = 0  # messages that were none
        self._threads = []

    def add(self, kind, *arguments):
        name = f"{kind.__name__.lower()}{len(self._threads)}"
        caller = kind(self, name, *arguments)
        self._threads.append(threading.Thread(target=self._run, args=(caller,), name=name, daemon=True))

    def start(self):
        for thread in self._threads:
            thread.start()

    def _run(self, caller):
        while not self.stopping.is_set():
            try:
                caller.turn()
            except (OSError, AssertionError, BrokenOff, ValueError) as problem:
                self.problems.append(f"{threading.current_thread().name}: {problem!r}")
                caller.line.drop()
            self.stopping.wait(caller.rng.random() * caller.pace)
        caller.end()

    def finish(self):
        self.stopping.set()
        for thread in self._threads:
            thread.join(4 * PATIENCE)
            if thread.is_alive():
                self.problems.append(f"{thread.name} hangs")


class _Line:
    """A connection of a caller, made anew when it is needed."""

    def __init__(self, crowd):
        self._crowd = crowd
        self._port = None
        self.wire = None
        self.used = 0.0  # when last

    def to(self, port):
        if self.wire and self._port != port:
            self.drop()
        if not self.wire:
            self.wire, self._port = Wire(port), port
        return self.wire

    def drop(self, by=Wire.close):
        if self.wire:
            by(self.wire)
        self.wire = None


class _Caller:
    pace = 0.006

    def __init__(self, crowd, name):
        self.crowd = crowd
        self.rng = random.Random(f"{crowd.seed}/{name}")
        self.line = _Line(crowd)
        self._name = name
        self._sent = 0

    def end(self):
        self.line.drop()

    # What is asked.

    def request(self, upstream, sizes=(), version="1.1", chunked=None, fields="", large=False):
        """`sizes`: of the body, one of them by chance; absent: none."""
        self._sent += 1
        rng = self.rng
        identity = f"{self._name}-{self._sent}"
        body = bytes_of(identity, rng.choice(sizes)) if sizes else b""
        method = rng.choice(("POST", "PUT", "PUT")) if sizes else rng.choice(("GET", "GET", "GET", "HEAD"))
        document, gets = "", method != "HEAD"
        path = f"/of/{identity}/anything"
        if upstream == "web":
            method = "POST" if sizes else method
            document = "" if sizes else f"large-{rng.randrange(4)}" if large else rng.choice(SMALL)
            place = "chunked" if document in _WHOLE_IN_CHUNKS and rng.random() < 0.5 else "files"
            path = f"/of/{identity}" + ("/echo" if sizes else f"/{place}/{document}")
        sent, framing = body, ""
        if sizes and (rng.random() < 0.4 if chunked is None else chunked):
            sent, framing = in_chunks(body, rng), "Transfer-Encoding: chunked\r\n"
        elif sizes:
            framing = f"Content-Length: {len(body)}\r\n"
        if method == "POST" and rng.random() < 0.5:
            fields += f"Idempotency-Key: {identity}\r\n"
        head = (f"{method} {path} HTTP/{version}\r\nHost: {upstream}\r\nX-Id: {identity}\r\n{framing}{fields}\r\n")
        return Request(upstream, identity, path, method, head.encode(), sent, digest(body), document, gets)

    # What is got.

    def note(self, request, end, status=0, attempt=0):
        self.crowd.seen.append(Seen(request.upstream, request.path, end, status, attempt))
        return end

    def _wrong(self, request, why, head):
        self.crowd.problems.append(f"{request.identity} to {request.upstream}: {why}: {head}")

    def read(self, wire, request, broken="broken"):
        """Reads the answer, judges it, and notes what it was; gives the answer if the connection goes on.
        `broken`: what to note if it breaks."""
        try:
            head = wire.head()
        except (BrokenOff, ConnectionError):
            self.note(request, broken)
            return None
        own = (head.get("Proxy-Status") or "").startswith("candor; error=")
        if not own and head.get("X-Id") != request.identity:
            self._wrong(request, f"the answer is for {head.get('X-Id')}", head)
        attempt = int(head.get("X-Attempt") or 0)
        try:
            answer = wire.rest(head, request.method)
        except BrokenOff as problem:
            self._judge_part(request, head, attempt, own, problem.received)
            self.note(request, broken, head.status, attempt)
            return None
        if own:
            if head.get("X-Id") or head.get("X-Attempt"):
                self._wrong(request, "an own answer with another's fields", head)
            self.note(request, "own", head.status)
        else:
            self._judge(request, answer, attempt)
            self.note(request, "right" if answer.status < 300 else "told", answer.status, attempt)
        return None if "close" in (head.get("Connection") or "") else answer

    def _judge(self, request, answer, attempt):
        if request.upstream == "web":
            if answer.status not in request.good:
                self._wrong(request, "not the status", answer)
            expected = _DOCUMENTS.of(request.document) if request.document else request.sum
            if request.gets and digest(answer.body) != expected:
                self._wrong(request, f"not the body, {len(answer.body)} bytes", answer)
            return
        if answer.get("X-Sum") != request.sum and answer.get("X-Turn") != "early":
            self._wrong(request, "the upstream got another body", answer)
        expected = answer_of(request.identity, attempt) if request.gets and answer.status != 204 else b""
        if answer.body != expected:
            self._wrong(request, f"not the body: {len(answer.body)} bytes, not {len(expected)}", answer)

    def _judge_part(self, request, head, attempt, own, received):
        if own or request.upstream == "web":
            self._wrong(request, "such an answer does not break off", head)
        elif not head.get("Transfer-Encoding") and not answer_of(request.identity, attempt).startswith(received):
            self._wrong(request, f"not the beginning of its body: {len(received)} bytes", head)

    def exchange(self, request, port=None, broken="broken", line=None):
        """One request on the kept connection, and its answer; gives that if the connection goes on."""
        line = line or self.line
        wire = line.to(port or self.crowd.ports[request.upstream])
        try:
            wire.send(request.head + request.sent)
        except ConnectionError:
            # It was answered before it was sent, and the answer may be there. If it isn't, it is lost.
            broken = "unknown"
        answer = self.read(wire, request, broken)
        line.used = time.monotonic()
        if answer is None:
            line.drop()
        return answer


class Steady(_Caller):
    """One small request after the other on a kept connection, to one upstream or by Host to each in turn."""

    def __init__(self, crowd, name, *upstreams, shared=False):
        super().__init__(crowd, name)
        self._upstreams = upstreams
        self._port = crowd.ports["shared"] if shared else None

    def turn(self):
        upstream = self.rng.choice(self._upstreams)
        sizes = _SMALL_SIZES if self.rng.random() < 0.3 else ()
        self.exchange(self.request(upstream, sizes, large=self.rng.random() < 0.05), self._port)
        if self.rng.random() < 0.01:
            self.line.drop(self.rng.choice((Wire.close, Wire.reset)))


class Sharing(Steady):
    """By Host, on the shared port."""

    def __init__(self, crowd, name, *upstreams):
        super().__init__(crowd, name, *upstreams, shared=True)


class Pipelining(_Caller):
    """Several requests at once, without waiting for answers."""

    pace = 0.02

    def __init__(self, crowd, name, *upstreams):
        super().__init__(crowd, name)
        self._upstreams = upstreams

    def turn(self):
        upstream = self.rng.choice(self._upstreams)
        wire = self.line.to(self.crowd.ports[upstream])
        batch = [self.request(upstream, _SMALL_SIZES[:4] if self.rng.random() < 0.3 else ())
                 for _ in range(self.rng.randrange(2, 13))]
        # The break of a later answer can take an earlier one with it that is still on its way.
        lost = False
        try:
            wire.send(b"".join(each.head + each.sent for each in batch))
        except ConnectionError:
            pass
        for each in batch:
            if lost:
                self.note(each, "unknown")
            elif self.read(wire, each, "unknown") is None:
                lost = True
        if lost:
            self.line.drop()


class Uploading(_Caller):
    """Large bodies, whole or in chunks."""

    pace = 0.05

    def __init__(self, crowd, name, *upstreams):
        super().__init__(crowd, name)
        self._upstreams = upstreams

    def turn(self):
        fields = "Expect: 100-continue\r\n" if self.rng.random() < 0.1 else ""
        # The upstream may be gone, or have answered, before all is sent; what is then unread is thrown away, and
        # the answer, with luck, isn't.
        upstream = self.rng.choice(self._upstreams)
        self.exchange(self.request(upstream, _SIZES, fields=fields),
                      broken="broken" if upstream == "web" else "unknown")


class Storing(_Caller):
    """Puts documents into nginx, and reads them again."""

    pace = 0.05

    def __init__(self, crowd, name):
        super().__init__(crowd, name)
        self._stored = {}

    def _about(self, document, head, **more):
        self._sent += 1
        identity = f"{self._name}-{self._sent}"
        path = f"/of/{identity}/put/{document}"
        return Request("web", identity, path, sent=more.pop("sent", b""), head=(
            f"{head.format(path=path)} HTTP/1.1\r\nHost: web\r\nX-Id: {identity}\r\n"
            f"{more.pop('framing', '')}\r\n").encode(), **more)

    def turn(self):
        rng = self.rng
        document = f"{self._name}-{rng.randrange(6)}"
        if document in self._stored and rng.random() < 0.5:
            self.exchange(self._about(document, "GET {path}", method="GET", sum=self._stored[document]))
            return
        body = bytes_of(f"{self._name}-{self._sent}", rng.choice(_SIZES))
        sent, framing = body, f"Content-Length: {len(body)}\r\n"
        if rng.random() < 0.4:
            sent, framing = in_chunks(body, rng), "Transfer-Encoding: chunked\r\n"
        self._stored[document] = digest(body)
        self.exchange(self._about(document, "PUT {path}", method="PUT", sent=sent, framing=framing, sum="",
                                  gets=False, good=(201, 204)))


class Requesting(_Caller):
    """python3-requests, to nginx."""

    pace = 0.05
    _KINDS = (callers.SMALL_GET, callers.SMALL_ECHO, callers.HEAD, callers.SMALL_GET, callers.LARGE_GET, callers.ECHO)

    def __init__(self, crowd, name):
        super().__init__(crowd, name)
        self._caller = callers.Caller(f"http://127.0.0.1:{crowd.ports['web']}", name)

    def turn(self):
        answer = self._caller.ask(self.rng.choice(self._KINDS))
        if not answer.right:
            self.crowd.problems.append(str(answer))
        self.crowd.seen.append(Seen("web", answer.path, "right", answer.status, 1))

    def end(self):
        self._caller.close()


class Old(_Caller):
    """HTTP/1.0, with and without keep-alive."""

    pace = 0.03

    def __init__(self, crowd, name, *upstreams):
        super().__init__(crowd, name)
        self._upstreams = upstreams

    def turn(self):
        keep = self.rng.random() < 0.5
        upstream = self.rng.choice(self._upstreams)
        request = self.request(upstream, _SMALL_SIZES if self.rng.random() < 0.3 else (), "1.0", chunked=False,
                               fields="Connection: keep-alive\r\n" if keep else "")
        answer = self.exchange(request)
        if answer is not None and (answer.get("Connection") or "") != "keep-alive":
            self.line.drop()


class Leaving(_Caller):
    """Leaves, early or late, by a good-bye or without; or only stops to send."""

    pace = 0.03

    def __init__(self, crowd, name, *upstreams):
        super().__init__(crowd, name)
        self._upstreams = upstreams

    def turn(self):
        rng = self.rng
        upstream = rng.choice(self._upstreams)
        wire = self.line.to(self.crowd.ports[upstream])
        uploads = rng.random() < 0.4
        for _ in range(1 if uploads else rng.choice((1, 1, 1, 4))):
            request = self.request(upstream, _SIZES[2:] if uploads else (), large=True)
            # Noted first: whatever happens below, it may have been begun.
            self.note(request, "left")
            try:
                whole = request.head + request.sent
                wire.send(whole[:rng.randrange(len(request.head), len(whole))] if uploads else whole)
            except ConnectionError:
                break
        try:
            way = rng.randrange(4)
            if way == 0:
                with contextlib.suppress(OSError):  # it may be broken
                    wire.shut()
                wire.is_reset()  # or ended: soon
            elif way == 1 and not uploads:
                wire.some(rng.choice((1, 100, 5_000, 100_000)))
            elif way == 2:
                self.crowd.stopping.wait(rng.random() * 0.1)
        except (BrokenOff, ConnectionError):
            pass
        self.line.drop(rng.choice((Wire.close, Wire.reset)))


class Strange(_Caller):
    """Sends what is no request, or only the beginning of one."""

    pace = 0.1

    def turn(self):
        rng = self.rng
        wire = self.line.to(rng.choice(list(self.crowd.ports.values())))
        if rng.random() < 0.4:
            request = self.request("web")
            part = request.head[:rng.randrange(1, len(request.head) - 2)]
        else:
            part = rng.choice([*_NO_REQUESTS, rng.randbytes(rng.randrange(1, 9_000)) + b"\r\n\r\n"])
            self.crowd.strange += 1
        try:
            wire.send(part)
            if part.endswith(b"\r\n\r\n") or part.endswith(b"!"):
                answer = wire.answer()
                assert answer.status >= 400 and not answer.get("X-Id"), answer
                assert answer.get("Proxy-Status").startswith("candor; error=http_request_error"), answer
                assert wire.ends(), "the connection ends"
                self.crowd.rejections.append(answer.status)
            elif rng.random() < 0.2:
                self.crowd.strange += 1
                answer = wire.answer()  # that it came too slowly
                assert answer.status == 408, answer
                self.crowd.rejections.append(answer.status)
            else:
                self.crowd.stopping.wait(rng.random() * 0.1)
        except (BrokenOff, ConnectionError):
            pass  # a close with bytes unread is a reset
        self.line.drop(rng.choice((Wire.close, Wire.reset)))


class Stammering(_Caller):
    """Sends whole requests, byte by byte or nearly so."""

    pace = 0.05

    def __init__(self, crowd, name, *upstreams):
        super().__init__(crowd, name)
        self._upstreams = upstreams

    def turn(self):
        request = self.request(self.rng.choice(self._upstreams), _SMALL_SIZES[:3] if self.rng.random() < 0.5 else ())
        wire = self.line.to(self.crowd.ports[request.upstream])
        whole = request.head + request.sent
        at, broken = 0, "broken"
        while at < len(whole):
            size = self.rng.choice((1, 1, 2, 7, 60))
            try:
                wire.send(whole[at:at + size])
            except ConnectionError:
                broken = "unknown"
                break
            at += size
        if self.read(wire, request, broken) is None:
            self.line.drop()


class Idling(_Caller):
    """Many connections that are used now and then; some are kept for longer than Candor keeps them."""

    pace = 0.02

    def __init__(self, crowd, name, *upstreams):
        super().__init__(crowd, name)
        self._upstreams = upstreams
        self._lines = [_Line(crowd) for _ in range(40)]

    def turn(self):
        line = self.rng.choice(self._lines)
        if line.wire and self.rng.random() < 0.1:
            line.drop(self.rng.choice((Wire.close, Wire.reset)))
        # Candor may close it while the request is on its way. Half the time allowed is far from that.
        old = line.wire and time.monotonic() - line.used > self.crowd.idle / 2
        self.exchange(self.request(self.rng.choice(self._upstreams)), port=self.crowd.ports["shared"],
                      broken="unknown" if old else "broken", line=line)

    def end(self):
        for line in self._lines:
            line.drop()


class Curling(_Caller):
    """curl, now and then."""

    pace = 1.0

    def __init__(self, crowd, name, *upstreams):
        super().__init__(crowd, name)
        self._upstreams = upstreams

    def turn(self):
        request = self.request(self.rng.choice(self._upstreams))
        url = f"http://127.0.0.1:{self.crowd.ports[request.upstream]}{request.path}"
        got = curl(self.crowd.folder, url, "-H", f"X-Id: {request.identity}",
                   *(["--head"] if request.method == "HEAD" else []), name=self._name)
        if got.exit_status != 0:
            assert got.exit_status in (18, 52, 56) and request.upstream != "web", got
            self.note(request, "broken")
            return
        fields = dict(line.lower().split(": ", 1) for line in got.heads.splitlines() if ": " in line)
        if fields.get("proxy-status", "").startswith("candor; error="):
            self.note(request, "own", got.status)
            return
        if fields.get("x-id") != request.identity:
            self._wrong(request, "another's answer", got)
        elif request.gets and request.upstream == "web" and digest(got.body) != _DOCUMENTS.of(request.document):
            self._wrong(request, "not the body", got)
        self.note(request, "right" if got.status < 300 else "told", got.status, int(fields.get("x-attempt") or 0))
