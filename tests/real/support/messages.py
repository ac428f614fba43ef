"""HTTP/1 messages as they stand on the wire: order, case, white space and framing kept, so that two can be compared."""

from dataclasses import dataclass, field, replace

_BODYLESS = (204, 304)


@dataclass(frozen=True)
class Message:
    """A request or an answer. Lines are without their CRLF."""

    start: bytes
    lines: tuple = ()  # of the fields
    framing: str = "none"  # or length, chunked, close: until the connection ends
    body: bytes = field(default=b"", repr=False)
    chunks: tuple = ()  # the heads of the chunks, extensions and all
    trailers: tuple = ()  # lines
    interim: tuple = ()  # the answers before this one

    @property
    def status(self):
        return int(self.start.split(b" ")[1])

    @property
    def version(self):
        """Of either kind of message: the first word of an answer, the last one of a request."""
        return next(word for word in (self.start.split(b" ")[0], self.start.split(b" ")[-1]) if b"HTTP/" in word)

    def values(self, name):
        return [value_of(line) for line in self.lines if name_of(line) == name]

    def tokens(self, name):
        """The members of a list-based field, in lower case."""
        return [each.strip().lower() for value in self.values(name) for each in value.split(b",") if each.strip()]

    def without(self, names):
        return replace(self, lines=tuple(line for line in self.lines if name_of(line) not in names))


def name_of(line):
    """Of a field, in lower case."""
    return line.partition(b":")[0].lower()


def value_of(line):
    return line.partition(b":")[2].strip(b" \t")


class Reader:
    """Takes messages from a connection. The other side is trusted: this is no parser for strangers."""

    def __init__(self, receive):
        """`receive()` gives the next bytes as they come, nothing at the end."""
        self._receive = receive
        self._buffer = b""

    def request(self):
        """The next one, whole; nothing if the connection ends before."""
        head = self._head()
        return head and self._with_body(head, "none")

    def answer(self, method):
        """The next final one, whole, to a request of this method."""
        interim = []
        while (head := self._head()) and head.status < 200 and head.status != 101:
            interim.append(head)
        assert head, f"the connection ended without an answer; before: {interim}"
        head = replace(head, interim=tuple(interim))
        if method == b"HEAD" or head.status in _BODYLESS:
            return head
        return self._with_body(head, "close")

    def at_end(self):
        """Whether the other side ends the connection, sending nothing more before."""
        return not self._buffer and not self._more()

    def _more(self):
        data = self._receive()
        self._buffer += data
        return bool(data)

    def _until(self, mark):
        while mark not in self._buffer:
            assert self._more(), f"the connection ended within {self._buffer[-100:]!r}"
        taken, _, self._buffer = self._buffer.partition(mark)
        return taken

    def _head(self):
        while self._buffer.startswith(b"\r\n") or len(self._buffer) < 2:
            self._buffer = self._buffer.removeprefix(b"\r\n")
            if len(self._buffer) < 2 and not self._more():
                assert not self._buffer, self._buffer
                return None
        start, *lines = self._until(b"\r\n\r\n").split(b"\r\n")
        return Message(start, tuple(lines))

    def _with_body(self, head, otherwise):
        if b"chunked" in head.tokens(b"transfer-encoding"):
            return self._with_chunks(head)
        if lengths := head.values(b"content-length"):
            size = int(lengths[0])
            while len(self._buffer) < size:
                assert self._more(), "the connection ended within a body"
            body, self._buffer = self._buffer[:size], self._buffer[size:]
            return replace(head, framing="length", body=body)
        if otherwise == "none":
            return head
        while self._more():
            pass
        body, self._buffer = self._buffer, b""
        return replace(head, framing="close", body=body)

    def _with_chunks(self, head):
        heads, body = [], []
        while True:
            heads.append(self._until(b"\r\n"))
            size = int(heads[-1].partition(b";")[0], 16)
            if size == 0:
                break
            while len(self._buffer) < size + 2:
                assert self._more(), "the connection ended within a chunk"
            body.append(self._buffer[:size])
            assert self._buffer[size:size + 2] == b"\r\n", self._buffer[size:size + 2]
            self._buffer = self._buffer[size + 2:]
        trailers = []
        while line := self._until(b"\r\n"):
            trailers.append(line)
        return replace(head, framing="chunked", body=b"".join(body), chunks=tuple(heads), trailers=tuple(trailers))
