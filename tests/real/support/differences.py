"""What may differ between a message that goes through Candor and the same message sent directly: all of it, with the
reason. Anything else that differs is a mistake of Candor's.

Of messages: that a caller which half-closes behind its request gets no answer is a matter of its connection, and ADR 2's.

Each row turns the message as the direct run showed it into what Candor may make of it. A row that changes nothing for
any message of the tests has no business here; transparency_test.py looks.
"""

import re
from dataclasses import dataclass, replace
from typing import Callable

from support.messages import Message, name_of, value_of

# RFC 9110, 7.6.1, and 11.7 for the last two.
_HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"te", b"transfer-encoding", b"upgrade",
               b"proxy-authenticate", b"proxy-authorization"}
_NEVER_TRAIL = {b"content-length", b"transfer-encoding", b"host", b"trailer", b"expect"}
# Wishes that a sender cannot make a proxy take out by naming them in Connection.
_NOT_NAMEABLE = {b"host", b"content-length", b"close", b"keep-alive"}


@dataclass(frozen=True)
class Passage:
    """A message on its way through Candor."""

    message: Message  # its lines stay in their order
    added: tuple = ()  # lines of Candor's own, at any place
    asked: Message | None = None  # of an answer: the request that it is for, as the caller sent it

    def of(self, **changes):
        return replace(self, message=replace(self.message, **changes))

    def adding(self, *lines):
        return replace(self, added=(*self.added, *lines))

    def without(self, names):
        return replace(self, message=self.message.without(names))


@dataclass(frozen=True)
class Difference:
    what: str
    source: str
    make: Callable[[Passage], Passage]


# Of both.

def _hop_by_hop_fields_end_here(passage):
    named = {*passage.message.tokens(b"connection")} - _NOT_NAMEABLE
    trailers = tuple(line for line in passage.message.trailers if name_of(line) not in named)
    return passage.of(trailers=trailers).without(_HOP_BY_HOP | named)


def _chunked_is_said_again(passage):
    return passage.adding(b"Transfer-Encoding: chunked") if passage.message.framing == "chunked" else passage


def _chunks_are_cut_anew(passage):
    return passage.of(chunks=())


def _some_fields_never_trail(passage):
    return passage.of(trailers=tuple(line for line in passage.message.trailers if name_of(line) not in _NEVER_TRAIL))


def _one_length_is_enough(passage):
    """Several that agree pass as one, and without leading zeros."""
    lines, seen = [], False
    for line in passage.message.lines:
        if name_of(line) != b"content-length":
            lines.append(line)
        elif not seen:
            digits = value_of(line)
            shorter = b"Content-Length: " + (digits.lstrip(b"0") or b"0")
            lines.append(shorter if digits[:1] == b"0" and len(digits) > 1 else line)
            seen = True
    return passage.of(lines=tuple(lines))


_BOTH = (
    Difference("fields for this connection alone, and those that Connection names, end here", "RFC 9110, 7.6.1",
               _hop_by_hop_fields_end_here),
    Difference("chunks are cut anew, their extensions dropped", "RFC 9112, 7.1 and 7.1.1", _chunks_are_cut_anew),
    Difference("trailers about framing and routing are dropped", "RFC 9110, 6.5.1", _some_fields_never_trail),
    Difference("equal lengths pass as one, without leading zeros", "RFC 9110, 8.6", _one_length_is_enough),
)


# Of requests: as the upstream sees them.

def _target_is_of_origin_form(passage):
    method, target, version = passage.message.start.split(b" ")
    absolute = re.fullmatch(rb"https?://([^/?]*)(.*)", target, re.IGNORECASE)
    if not absolute:
        return passage
    authority, rest = absolute.groups()
    target = b"*" if method == b"OPTIONS" and not rest else rest if rest.startswith(b"/") else b"/" + rest
    passage = passage.of(start=b" ".join((method, target, version)))
    if passage.message.values(b"host") == [authority]:
        return passage
    return passage.without({b"host"}).adding(b"Host: " + authority)


def _request_is_http_1_1(passage):
    return passage.of(start=passage.message.start.replace(b"HTTP/1.0", b"HTTP/1.1"))


def _host_is_never_missing(passage):
    has_host = any(name_of(line) == b"host" for line in (*passage.message.lines, *passage.added))
    return passage if has_host else passage.adding(b"Host: ")


def _via_tells_of_candor(passage):
    version = passage.message.version.removeprefix(b"HTTP/")
    return passage.adding(b"Via: " + version + b" candor")


def _te_trailers_is_said_again(passage):
    wanted = any(re.fullmatch(rb"trailers(?! *; *q=0(\.0*)?$).*", each) for each in passage.message.tokens(b"te"))
    return passage.adding(b"TE: trailers", b"Connection: TE") if wanted else passage


def _attempts_are_numbered(passage):
    return passage.without({b"candor-attempt", b"candor-retry-reason"}).adding(b"candor-attempt: 1")


_VIA = Difference("Via is added, with the version that the sender spoke", "RFC 9110, 7.6.3", _via_tells_of_candor)

# In the order in which each can still see what it goes by.
OF_REQUESTS = (
    _VIA,
    Difference("TE: trailers is said again", "RFC 9110, 10.1.4", _te_trailers_is_said_again),
    Difference("Transfer-Encoding is said again", "RFC 9112, 6.1", _chunked_is_said_again),
    *_BOTH,
    Difference("an absolute target is split into Host and the rest", "RFC 9112, 3.2.1 and 3.2.2",
               _target_is_of_origin_form),
    Difference("the version is Candor's", "RFC 9110, 6.2", _request_is_http_1_1),
    Difference("Host is there", "RFC 9112, 3.2", _host_is_never_missing),
    Difference("candor-attempt tells which attempt this is", "Candor's own", _attempts_are_numbered),
)


# Of answers: as the caller sees them.

def _caller(passage):
    """The version that the caller speaks, and whether its connection goes on."""
    options = passage.asked.tokens(b"connection")
    version = passage.asked.version
    return version, b"close" not in options and (version == b"HTTP/1.1" or b"keep-alive" in options)


def _answer_is_of_the_callers_version(passage):
    _, rest = passage.message.start.split(b" ", 1)
    return passage.of(start=_caller(passage)[0] + b" " + rest)


def _reason_has_its_space(passage):
    words = passage.message.start.split(b" ", 2)
    return passage if len(words) == 3 else passage.of(start=passage.message.start + b" ")


def _body_without_length_fits_the_caller(passage):
    """Chunks for HTTP/1.1; until the end of the connection for HTTP/1.0, which has no trailers either."""
    if passage.message.framing not in ("chunked", "close"):
        return passage
    if _caller(passage)[0] == b"HTTP/1.0":
        return passage.of(framing="close", trailers=())
    return passage.of(framing="chunked").adding(b"Transfer-Encoding: chunked")


def _connection_is_the_callers_own(passage):
    version, goes_on = _caller(passage)
    if not goes_on or passage.message.framing == "close":
        return passage.adding(b"Connection: close")
    return passage.adding(b"Connection: keep-alive") if version == b"HTTP/1.0" else passage


def _no_length_where_there_is_no_body(passage):
    contradicted = passage.message.values(b"transfer-encoding") and passage.message.values(b"content-length")
    return passage.without({b"content-length"}) if passage.message.status == 204 or contradicted else passage


def _reset_content_has_none(passage):
    if passage.message.status != 205:
        return passage
    return passage.without({b"content-length"}).of(framing="length", body=b"", trailers=()).adding(b"Content-Length: 0")


def _a_date_is_there(passage):
    return passage if passage.message.values(b"date") else passage.adding(b"Date: ")


def _interim_answers_are_not_for_http_1_0(passage):
    return passage if _caller(passage)[0] == b"HTTP/1.1" else passage.of(interim=())


def _failure_is_told(passage):
    status = passage.message.status
    if status not in (429, 500, *range(502, 600)):
        return passage
    return passage.adding(b"Proxy-Status: candor; received-status=%d" % status)


OF_ANSWERS = (
    Difference("no length where the status, or chunks, say that there is none", "RFC 9110, 8.6",
               _no_length_where_there_is_no_body),
    *_BOTH,
    Difference("a 205 has no content", "RFC 9110, 15.3.6", _reset_content_has_none),
    Difference("an answer without Date gets one", "RFC 9110, 6.6.1", _a_date_is_there),
    Difference("a body of unknown length is framed for the caller's version", "RFC 9112, 6.3 and 7.1.2",
               _body_without_length_fits_the_caller),
    Difference("Connection is about the caller's connection", "RFC 9112, 9.3 and 9.6", _connection_is_the_callers_own),
    Difference("the version is the caller's", "RFC 9110, 6.2", _answer_is_of_the_callers_version),
    Difference("a space follows the status", "RFC 9112, 4", _reason_has_its_space),
    Difference("interim answers are not for HTTP/1.0", "RFC 9110, 15.2", _interim_answers_are_not_for_http_1_0),
    Difference("Proxy-Status tells that the attempt was a failure", "RFC 9209, 2", _failure_is_told),
)

OF_ANSWERS_OF_A_PROXY = (_VIA, *OF_ANSWERS)


def through(differences, passage):
    """What Candor may make of it."""
    for each in differences:
        passage = each.make(passage)
    return passage


def used(differences, passage):
    """Which of them change it."""
    for each in differences:
        before, passage = passage, each.make(passage)
        if passage != before:
            yield each


def _without_pseudonym(lines):
    """Each start of Candor draws its own for Via."""
    return [re.sub(rb"^(Via: 1\.[01] candor)-[0-9a-f]{8}$", rb"\1", line) for line in lines]


def remarks(expected, seen):
    """How the message that came differs from what may have come; nothing if it doesn't."""
    rest = _without_pseudonym(seen.lines)
    missing = []
    for line in expected.added:
        at = next((n for n in reversed(range(len(rest))) if rest[n].startswith(line)), None)
        if at is None:
            missing.append(line)
        else:
            del rest[at]
    message = expected.message
    compared = {
        "start line": (message.start, seen.start),
        "lines": (_without_pseudonym(message.lines), rest),
        "added lines that are missing": ([], missing),
        "framing": (message.framing, seen.framing),
        "trailers": (message.trailers, seen.trailers),
        "body": (message.body, seen.body),
        "interim answers": (message.interim, seen.interim),
    }
    return [f"{what}: expected {_short(want)}, got {_short(got)}" for what, (want, got) in compared.items()
            if want != got]


def _short(value):
    said = repr(value)
    return said if len(said) <= 1000 else f"{said[:500]} ... {said[-500:]}"
