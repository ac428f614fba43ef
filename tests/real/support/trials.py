"""What the tests of the framing guard do with messages, of either kind: try each, damage some by chance, and say which
of their lines are passed on."""

import os
import random

CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"4\r\nbody\r\n0\r\n\r\n"
_MOST_FAILURES = 10
_ODD = (b"\r", b"\n", b"\r\n", b" ", b"\t", b"\0", b":", b";", b",", b"\x0b", b"\x7f", b"\xff", b"0", b"4", b"f", b"x",
        b"-", b"+", b'"', b"chunked", b"\r\n ", b"HTTP/1.0", b"Content-Length: 4\r\n",
        b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"0\r\n\r\n", b"\r\n\r\n")


def try_each(test, cases, check):
    """Goes on after a failure, but not for ever. A case is what a subtest tells of it, and what it is checked with."""
    failed = 0
    for told, arguments in cases:
        with test.subTest(**told):
            failed += 1
            check(*arguments)
            failed -= 1
        if failed > _MOST_FAILURES:
            test.fail("and more")


class Damage:
    """Makes messages by chance. GUARD_SEED=N makes those of N again, GUARD_MUTATIONS=N as many as that."""

    def __init__(self, wholesome, odd, usually):
        """`odd`: what may get into them besides what may get into every message; `usually`: how many there are."""
        self._wholesome = wholesome
        self._odd = (*_ODD, *odd)
        self._count = int(os.environ.get("GUARD_MUTATIONS") or usually)
        seed = int(os.environ.get("GUARD_SEED") or random.SystemRandom().randrange(10**9))
        print(f"GUARD_SEED={seed} GUARD_MUTATIONS={self._count}", flush=True)
        self.rng = random.Random(seed)

    def messages(self):
        """Each with its number."""
        for number in range(self._count):
            yield number, self._damaged()

    def _damaged(self):
        """A wholesome one with a few bytes gone, changed or added."""
        rng = self.rng
        message = rng.choice(self._wholesome)
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
            at = rng.randrange(len(message) + 1)
            cut = at + rng.choice((0, 0, 1, 1, 2))
            message = message[:at] + (rng.choice(self._odd) if rng.random() < 0.8 else b"") + message[cut:]
        return message


def lines_passed_on(message, but, with_length=True):
    """The field lines of a message without those of these names, and with its length once, or not at all."""
    lines, lengths = [], 0
    for line in message.lines:
        name = line.partition(b":")[0].lower()
        if name == b"content-length":
            lengths += 1
            if lengths > 1 or not with_length:
                continue
            value = message.values(name)[0]
            if len(value) > 1 and value.startswith(b"0"):
                line = b"Content-Length: %d" % int(value)
        elif name in but:
            continue
        lines.append(line)
    return lines
