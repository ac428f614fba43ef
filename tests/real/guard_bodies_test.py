"""Bodies that are slow, too large, or answered before they have come: none of their bytes is taken for a request."""

import contextlib

from support.books import settled_books
from support.case import main
from support.guarded import LIMITS, Guarded, head_of, in_chunks, second
from support.strict import read_answers, read_requests
from support.trials import CHUNKED
from support.wire import BrokenOff, Wire


class Bounds(Guarded):
    """Messages that are faultless as far as they go, but too slow or too large."""

    def _check_refused(self, message, status):
        reading = read_requests(message, LIMITS)
        self.begun += reading.messages
        came = self.exchange(message, None, ())
        self.check_caller(came, [], {status})
        self.assertEqual(self.recorder.requests, [])

    def test_of_messages_that_never_end_nothing_whole_arrives(self):
        self.start(head_timeout="200ms", timeouts={"idle": "200ms"})
        for message in (b"G", b"GET /", b"GET /case HTTP/1.1\r\n", b"GET /case HTTP/1.1\r\nHost: web\r\n",
                        b"GET /case HTTP/1.1\r\nHost: web\r\n\r", head_of([b"Content-Length: 5"]) + b"body",
                        head_of([b"Content-Length: 1"]), in_chunks(b""), in_chunks(b"4"), in_chunks(b"4\r\nbo"),
                        in_chunks(b"4\r\nbody\r\n0\r\n"), in_chunks(b"4\r\nbody\r\n0\r\nX: y\r\n")):
            with self.subTest(message):
                self._check_refused(message, 408)
        self.check_all_bytes()

    def test_of_bodies_over_the_limit_nothing_whole_arrives(self):
        self.start(body="1KiB")
        chunk = b"100\r\n" + b"x" * 256 + b"\r\n"
        for message in (head_of([b"Content-Length: 1025"]) + b"x" * 1025 + second(1),
                        head_of([b"Content-Length: 9223372036854775807"]) + second(1), in_chunks(chunk * 20),
                        in_chunks(b"1\r\nx\r\n" * 1100), in_chunks(b"ffffffffffffffff\r\n" + b"x" * 2000 + second(1))):
            with self.subTest(message[:200]):
                self._check_refused(message, 413)
        self.check_all_bytes()

    def test_a_body_over_the_limit_that_is_there_whole_does_not_arrive_either(self):
        self.start(body="1KiB")
        for body in (b"401\r\n" + b"x" * 1025 + b"\r\n", b"1\r\nx\r\n" * 1025, (b"f\r\n" + b"x" * 15 + b"\r\n") * 70):
            came = self.exchange(in_chunks(body + b"0\r\n\r\n") + second(1), None, ())
            # Its end is known, so the second may be answered.
            answers = read_answers(came, [b"POST", b"GET"]).messages
            self.assertIn([each.status for each in answers], ([413], [413, 200]))
        self.assertEqual({each.target for each in self.recorder.requests} - {b"/smuggled/1"}, set())


class AnsweredEarly(Guarded):
    """Requests that have their answers before their bodies have come: no byte of a body is a request, though it looks
    like one."""

    _LOOKS = b"GET /smuggled/body HTTP/1.1\r\nHost: web\r\n\r\n"
    _THEN = b"GET /second HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n"

    def _messages(self):
        """Heads and bodies, apart."""
        for count in (1, 20, 2_000, 20_000):
            body = self._LOOKS * count
            yield head_of([b"Content-Length: %d" % len(body)]), body
            yield head_of([b"Content-Length: %d" % len(body), b"Expect: 100-continue"]), body
            yield head_of([CHUNKED]), b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
            yield head_of([b"Content-Length: %d" % len(body), b"Connection: keep-alive"], b"POST /case HTTP/1.0"), body

    def _exchange_early(self, head, body, sent_before):
        """The answer to it, and those to what was sent after that answer."""
        with Wire(self.port) as caller:
            caller.send(head + body[:sent_before])
            first = caller.answer()
            others = []
            with contextlib.suppress(ConnectionError, BrokenOff):
                caller.send(body[sent_before:] + self._THEN)
                while not caller.ends():
                    others.append(caller.answer())
            return first, others

    def _each_early(self, statuses):
        for head, body in self._messages():
            for sent_before in (0, 10, len(self._LOOKS) - 2, len(body) - 1):
                with self.subTest(head, size=len(body), sent_before=sent_before):
                    first, others = self._exchange_early(head, body, sent_before)
                    self.assertIn(first.status, statuses)
                    self.assertLessEqual(len(others), 1)
                    yield others

    def test_an_answer_of_the_upstream_ends_no_body(self):
        self.start(timeouts={"idle": "5s"})
        for status in (b"200 OK", b"413 Too Large", b"503 Not Now"):
            self.recorder.early = status
            seconds = 0
            for others in self._each_early({int(status[:3])}):
                seconds += len(others)
                self.assertEqual([each.get("X-Target") for each in others], ["/second"] * len(others))
            targets = [each.target for each in self.recorder.requests]
            self.assertEqual(set(targets) - {b"/case", b"/second"}, set())
            self.assertEqual(targets.count(b"/second"), seconds)
            self.recorder.requests.clear()

    def test_an_answer_of_candors_own_ends_no_body(self):
        self.start(timeouts={"idle": "5s"})
        self.recorder.close()
        seconds = sum(len(others) for others in self._each_early({502}))
        books = settled_books(self, self.proxy, "web")
        paths = [line["path"] for line in books.requests]
        self.assertEqual(set(paths) - {"/case", "/second"}, set())
        self.assertEqual(paths.count("/second"), seconds)
        self.assertGreater(seconds, 0, "a short rest is read, and the connection goes on")


if __name__ == "__main__":
    main()
