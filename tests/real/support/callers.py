"""Callers that know what they must get: every answer is checked against the request that it is for."""

import subprocess
import threading
from dataclasses import dataclass, field, replace

import requests

from support.documents import LARGE, SMALL, Digests, content, digest
from support.waiting import PATIENCE

_DIGESTS = Digests()


@dataclass(frozen=True)
class Kind:
    """A kind of request: which method, to what, and what of the answer tells whether it is the right one."""

    name: str
    method: str
    target: str  # with {document}
    documents: tuple
    status: int = 200
    sends: bool = False  # the document is the request's body
    gets: bool = True  # and the answer's


SMALL_GET = Kind("small", "GET", "/files/{document}", tuple(SMALL))
LARGE_GET = Kind("large", "GET", "/files/{document}", tuple(LARGE))
HEAD = Kind("head", "HEAD", "/files/{document}", tuple(SMALL), gets=False)
# Smaller and larger than what is kept for a retry.
ECHO = Kind("echo", "POST", "/echo", tuple(f"upload-{n}-{i}" for i in range(3) for n in (1, 900, 60_000, 300_000)),
            sends=True)
SMALL_ECHO = Kind("echo", "POST", "/echo", tuple(f"upload-{n}" for n in (1, 20, 900)), sends=True)
PUT = Kind("put", "PUT", "/put/{document}-{id}", tuple(f"upload-{n}-p" for n in (10, 5_000, 150_000)), status=201,
           sends=True, gets=False)
SMALL_PUT = replace(PUT, documents=tuple(f"upload-{n}-q" for n in (10, 5_000, 60_000)))


@dataclass(frozen=True)
class Answer:
    """What became of one request."""

    kind: str
    id: str
    path: str
    status: int = 0  # 0: none came, or not to its end
    own: str = ""  # the Proxy-Status of an answer that Candor made itself
    retry_after: str = ""
    problem: str = ""  # what is wrong with it; nothing if it is the upstream's answer to this very request
    broken: bool = False  # the connection broke

    @property
    def right(self):
        return not self.problem and not self.own


def session():
    """A python3-requests session that goes where it is sent, whatever proxy the surroundings name."""
    made = requests.Session()
    made.trust_env = False
    return made


class Caller:
    """One connection's worth of requests, one after the other, by python3-requests."""

    def __init__(self, base, name):
        self._base = base
        self._name = name
        self._sent = 0
        self._session = session()

    def ask(self, kind):
        self._sent += 1
        identity = f"{self._name}-{self._sent}"
        document = kind.documents[self._sent % len(kind.documents)]
        path = f"/of/{identity}" + kind.target.format(document=document, id=identity)
        told = {"kind": kind.name, "id": identity, "path": path}
        try:
            response = self._session.request(kind.method, self._base + path, headers={"X-Id": identity},
                                             data=content(document) if kind.sends else None, timeout=PATIENCE)
        except requests.Timeout as problem:
            return Answer(**told, problem=f"no answer: {problem}")
        except requests.RequestException as problem:
            return Answer(**told, problem=f"broken: {problem}", broken=True)
        got = {"status": response.status_code, "retry_after": response.headers.get("Retry-After", "")}
        if kind.method != "HEAD" and len(response.content) < int(response.headers.get("Content-Length", 0)):
            return Answer(**told, **got, problem="broken: less than announced", broken=True)
        own = response.headers.get("Proxy-Status", "")
        if own.startswith("candor; error="):
            return Answer(**told, **got, own=own)
        return Answer(**told, **got, problem=_problem(kind, document, identity, response.status_code,
                                                      response.headers.get("X-Id"), response.content))

    def close(self):
        self._session.close()


def _problem(kind, document, identity, status, identity_back, body):
    if identity_back != identity:
        return f"the answer is for {identity_back}"
    if status != kind.status:
        return f"status {status}"
    if kind.gets and digest(body) != _DIGESTS.of(document):
        return f"{len(body)} bytes that are not {document}"
    return ""


class Traffic:
    """Callers in threads of their own, until stopped or through."""

    def __init__(self, base, kinds, callers=4, each=None, pace=0.0, name="t"):
        """`each`: requests per caller; absent: until stop(). `pace`: seconds between a caller's requests, so that
        answers at once don't become a flood."""
        self._kinds = kinds
        self._each = each
        self._pace = pace
        self._stopping = threading.Event()
        self._answers = []  # appended to by all, read by one
        self._threads = [threading.Thread(target=self._run, args=(Caller(base, f"{name}{n}"), n), daemon=True)
                         for n in range(callers)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def _run(self, caller, offset):
        sent = 0
        while not self._stopping.is_set() and sent != self._each:
            self._answers.append(caller.ask(self._kinds[(sent + offset) % len(self._kinds)]))
            sent += 1
            if self._pace:
                self._stopping.wait(self._pace)
        caller.close()

    def right(self, after=0):
        """How many right answers have come, after the first `after` answers."""
        return sum(answer.right for answer in self._answers[after:])

    def count(self):
        return len(self._answers)

    def answers(self):
        """So far."""
        return list(self._answers)

    def stop(self):
        """Lets each caller finish its request; gives all answers."""
        self._stopping.set()
        return self.finish()

    def finish(self):
        """Waits until each caller has sent `each`; gives all answers."""
        for thread in self._threads:
            thread.join(4 * PATIENCE)
            assert not thread.is_alive(), "a caller hangs"
        return list(self._answers)


@dataclass(frozen=True)
class CurlAnswer:
    """What curl(1) got; `heads` has all of them, interim ones too."""

    exit_status: int
    status: int
    heads: str
    body: bytes = field(repr=False)
    connections: int  # that curl had to make
    error: str


def curl(folder, url, *arguments, name="curl", stdin=b""):
    """One run of curl, which may read `stdin`. A URL with a range, as in /[0-9], stands for several requests, whose
    bodies follow each other; the last one's status counts."""
    heads = folder / f"{name}.heads"
    heads.unlink(missing_ok=True)
    ran = subprocess.run(
        ["curl", "--silent", "--show-error", "--no-progress-meter", "--noproxy", "*", "--max-time",
         str(PATIENCE), "--dump-header", str(heads), "--write-out",
         "%{stderr}%{http_code} %{num_connects}\n", *arguments, url],
        input=stdin, capture_output=True, timeout=2 * PATIENCE, check=False)
    said = ran.stderr.decode().splitlines()
    counts = [line.split() for line in said if line[:3].isdigit()] or [["0", "0"]]
    return CurlAnswer(ran.returncode, int(counts[-1][0]), heads.read_bytes().decode() if heads.exists() else "",
                      ran.stdout, sum(int(made) for _, made in counts), "\n".join(said))
