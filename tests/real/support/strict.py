"""HTTP/1.1 as RFC 9112 has it and the framing guard promises it, read a second time, without a look at how Candor
reads it: what bytes mean, and what in them nobody may pass on.

A fault is told by the status that it earns a caller. A message may have several; which of them is told is free.
"""

import re
from dataclasses import dataclass, field

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_NAME = rb"[-._~%!$&'()*+,;=0-9A-Za-z]+"
_AUTHORITY = re.compile(rb"(?:\[[-._~%!$&'()*+,;=0-9A-Za-z:]{2,}\]|" + _NAME + rb")(?::\d{0,5})?")
_TARGET = re.compile(rb"[\x21\x22\x24-\x7e]+")  # visible, and no fragment
_ABSOLUTE = re.compile(rb"(?i:https?://)([^/?]*)")
_VERSION = re.compile(rb"HTTP/(\d)\.(\d)")
_STATUS_LINE = re.compile(rb"HTTP/1\.(\d) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?")
_FIELD = re.compile(rb"(" + _TOKEN + rb"):([\t\x20-\x7e\x80-\xff]*)")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")
_CODING = re.compile(_TOKEN + rb"(?:[ \t]*;.*)?")

_LONGEST_METHOD = 64
_LONGEST_CHUNK_LINE = 256  # with its CRLF
_LONGEST_TRAILERS = 16 * 1024
_MOST_OPTIONS = 32
_LARGEST = 2**63 - 1

HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization", b"te",
              b"transfer-encoding", b"upgrade"}
_NEVER_TRAIL = HOP_BY_HOP | {b"content-length", b"host", b"trailer", b"expect", b"candor-attempt", b"candor-retry",
                             b"candor-retry-reason"}


@dataclass(frozen=True)
class Limits:
    head: int = 8 * 1024
    target: int = 1024
    fields: int = 50


@dataclass
class Message:
    """A request or an answer; `status` is 0 of a request."""

    method: bytes = b""
    target: bytes = b""
    status: int = 0
    old: bool = False  # HTTP/1.0
    lines: list = field(default_factory=list)  # of fields, as they stood
    framing: str = "none"  # or length, chunked, close
    length: int = 0
    content: bytes = field(default=b"", repr=False)  # as far as it came, and is good
    trailers: list = field(default_factory=list)  # those that may pass
    keeps: bool = True  # the connection, after it
    whole: bool = False
    faults: set = field(default_factory=set)  # of its body

    def values(self, name):
        return [value.strip(b" \t") for key, value in map(_split, self.lines) if key == name]

    @property
    def host(self):
        """Whom it is for."""
        absolute = _ABSOLUTE.match(self.target)
        return absolute[1] if absolute else b"".join(self.values(b"host"))

    @property
    def options(self):
        """What Connection names."""
        return [option.strip(b" \t").lower() for value in self.values(b"connection") for option in value.split(b",")]


@dataclass
class Reading:
    """What some bytes mean: messages, and then either faults, or the beginning of another, or nothing."""

    messages: list
    faults: set = field(default_factory=set)
    rest: bytes = b""  # from where no message could be read


def _split(line):
    name, _, value = line.partition(b":")
    return name.lower(), value


class _Head:
    """The head at the front of `data`; `size` is 0 if its end has not come."""

    def __init__(self, data, limits, is_request):
        self.faults = set()
        self.start, self.lines, self.size = None, [], 0
        at = 0
        while (end := data.find(b"\n", at)) >= 0:
            line, at = data[at:end + 1], end + 1
            if not line.endswith(b"\r\n"):
                self.faults.add(400)
                return
            line = line[:-2]
            if at > limits.head:
                self.faults.add(431)
            if self.start is None:
                if not line and is_request:
                    continue
                self.start = line
            elif line:
                self.lines.append(line)
                if not _FIELD.fullmatch(line):
                    self.faults.add(400)
            else:
                self.size = at
                break
        if len(self.lines) > limits.fields:
            self.faults.add(431)
        if not self.size and len(data) >= limits.head:
            self.faults.add(431)


def _check_request_line(line, message, limits):
    parts = line.split(b" ")
    method, target, version = (parts + [b"", b""])[:3]
    faults = set()
    if not re.fullmatch(_TOKEN, method):
        faults.add(400)
    elif len(method) > _LONGEST_METHOD:
        faults.add(501)
    if len(target) > limits.target:
        faults.add(414)
    if not _TARGET.fullmatch(target) or not _form_is_right(method, target):
        faults.add(400)
    told = _VERSION.fullmatch(version)
    if len(parts) != 3 or not told:
        faults.add(400)
    elif told[1] != b"1":
        faults.add(505)
    message.method, message.target, message.old = method, target, version == b"HTTP/1.0"
    return faults


def _form_is_right(method, target):
    if method == b"CONNECT":
        return _AUTHORITY.fullmatch(target) and re.search(rb":\d+\Z", target)
    if target.startswith(b"/"):
        return True
    if target == b"*":
        return method == b"OPTIONS"
    absolute = _ABSOLUTE.match(target)
    return absolute and _AUTHORITY.fullmatch(absolute[1])


def _check_host(message):
    hosts = message.values(b"host")
    if len(hosts) > 1 or (not hosts and not message.old):
        return {400}
    return {400} if hosts and hosts[0] and not _AUTHORITY.fullmatch(hosts[0]) else set()


def _check_max_forwards(message):
    """RFC 9110, 7.6.2: it must be read, and so be one number."""
    if message.method not in (b"OPTIONS", b"TRACE"):
        return set()
    told = message.values(b"max-forwards")
    return {400} if len(told) > 1 or not all(re.fullmatch(rb"\d+", each) for each in told) else set()


def _check_lengths(message):
    """Of every message, also of one that has no body: it would be passed on."""
    lengths = message.values(b"content-length")
    if not all(re.fullmatch(rb"\d+", each) and int(each) <= _LARGEST for each in lengths):
        return {400}
    return {400} if len({int(each) for each in lengths}) > 1 else set()


def _check_codings(message):
    lines = message.values(b"transfer-encoding")
    if not lines:
        return set()
    faults = set()
    if message.old or message.values(b"content-length"):
        faults.add(400)
    codings = [each.strip(b" \t") for line in lines for each in line.split(b",")]
    if not all(_CODING.fullmatch(each) for each in codings):
        faults.add(400)
    names = [each.partition(b";")[0].strip(b" \t").lower() for each in codings]
    if b"chunked" in names[:-1] or any(each.lower().startswith(b"chunked") and each.lower() != b"chunked"
                                       and name == b"chunked" for each, name in zip(codings, names)):
        faults.add(400)
    if any(name != b"chunked" for name in names):
        faults.add(501)
    return faults


def _check_options(message):
    named = [option for option in message.options if option]
    faulty = len(named) > _MOST_OPTIONS or not all(re.fullmatch(_TOKEN, option) for option in named)
    return {400} if faulty else set()


def _frame(message, otherwise):
    if message.values(b"transfer-encoding"):
        message.framing = "chunked"
    elif lengths := message.values(b"content-length"):
        message.framing, message.length = "length", int(lengths[0])
    else:
        message.framing = otherwise
    kept = b"keep-alive" in message.options if message.old else True
    message.keeps = kept and b"close" not in message.options and message.framing != "close"


def _read_body(message, data, at, ended):
    """Takes the body off; gives where the message ends."""
    if message.framing == "none":
        message.whole = True
        return at
    if message.framing == "close":
        message.content, message.whole = data[at:], ended
        return len(data)
    if message.framing == "length":
        message.content = data[at:at + message.length]
        message.whole = len(message.content) == message.length
        return at + len(message.content)
    return _read_chunks(message, data, at)


def _read_chunks(message, data, at):
    while True:
        end = data.find(b"\n", at)
        line = data[at:end + 1] if end >= 0 else data[at:]
        size = _CHUNK.fullmatch(line[:-2]) if line.endswith(b"\r\n") else None
        if end >= 0 and not size or len(line) > _LONGEST_CHUNK_LINE or (end < 0 and _is_hopeless(line)):
            message.faults.add(400)
            return at
        if end < 0:
            return at
        at = end + 1
        size = int(size[1], 16)
        if size == 0:
            return _read_trailers(message, data, at)
        piece = data[at:at + size]
        message.content += piece
        at += len(piece)
        following = data[at:at + 2]
        if len(piece) < size or (len(following) < 2 and b"\r\n".startswith(following)):
            return at
        if following != b"\r\n":
            message.faults.add(400)
            return at
        at += 2


def _is_hopeless(part):
    """Whether what has come of a line can't become a chunk's head."""
    return part and not re.match(rb"[0-9A-Fa-f]{1,16}(?:\Z|\r\Z|[ \t]*\Z|[ \t]*;[\t\x20-\x7e\x80-\xff]*\r?\Z)", part)


def _read_trailers(message, data, at):
    begin = at
    while True:
        end = data.find(b"\n", at)
        if (len(data) if end < 0 else end + 1) - begin > _LONGEST_TRAILERS:
            message.faults.add(400)
            return at
        if end < 0:
            return at
        line = data[at:end + 1]
        if line == b"\r\n":
            message.whole = True
            return end + 1
        if not line.endswith(b"\r\n") or not _FIELD.fullmatch(line[:-2]):
            message.faults.add(400)
            return at
        if _split(line)[0] not in {*_NEVER_TRAIL, *message.options}:
            message.trailers.append(line[:-2])
        at = end + 1


def read_request(data, limits=Limits()):
    """The request at the front: (message, its end), or (None, faults) if there is none yet, or never will be."""
    head = _Head(data, limits, True)
    message = Message(lines=head.lines)
    faults = head.faults
    if head.start is not None:
        faults |= _check_request_line(head.start, message, limits)
    if not head.size:
        return None, faults
    for check in (_check_host, _check_lengths, _check_codings, _check_options, _check_max_forwards):
        faults |= check(message)
    if message.method == b"CONNECT":
        faults.add(501)  # which this side doesn't serve
        if message.values(b"transfer-encoding") or any(each.strip(b"0") for each in message.values(b"content-length")):
            faults.add(400)
    if faults:
        return None, faults
    _frame(message, "none")
    return message, _read_body(message, data, head.size, False)


def read_requests(data, limits=Limits()):
    """As long as the connection goes on."""
    reading = Reading([])
    at = 0
    while at < len(data):
        message, found = read_request(data[at:], limits)
        if message is None:
            return Reading(reading.messages, found, data[at:])
        reading.messages.append(message)
        if not message.whole:
            return Reading(reading.messages, message.faults, data[at:])
        at += found
        if not message.keeps:
            break
    return reading


def read_answer(data, method, ended, limits=Limits()):
    """The answer at the front, which may be an interim one: (message, its end), or (None, faults)."""
    head = _Head(data, limits, False)
    faults = head.faults
    told = _STATUS_LINE.fullmatch(head.start or b"")
    if not told and head.start is not None:
        faults.add(502)
    if not head.size or faults:
        return None, faults or ({502} if ended else set())
    message = Message(status=int(told[2]), old=told[1] == b"0", lines=head.lines)
    faults = _check_lengths(message) | _check_options(message)
    if message.status == 101:
        faults.add(502)  # nobody here asks for it
    bodyless = method == b"HEAD" or message.status < 200 or message.status in (204, 304)
    if not bodyless:
        faults |= _check_codings(message)
    if faults:
        return None, faults
    _frame(message, "close")
    if bodyless:
        message.framing = "none"
    return message, _read_body(message, data, head.size, ended)


def read_answers(data, methods, ended=True, limits=Limits()):
    """The answers to as many requests, with the interim ones before them; `rest` is what nobody asked for, or what
    can't be read."""
    reading = Reading([])
    at = 0
    for method in methods:
        while True:
            message, found = read_answer(data[at:], method, ended, limits)
            if message is None:
                return Reading(reading.messages, found, data[at:])
            reading.messages.append(message)
            at += found
            if not message.whole:
                return Reading(reading.messages, message.faults or {502}, b"")
            if message.status >= 200:
                break
    return Reading(reading.messages, set(), data[at:])
