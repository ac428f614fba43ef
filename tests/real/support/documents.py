"""What nginx serves in these tests: files of which each holds bytes of its own, known from its name alone."""

import hashlib
import random

SMALL = [f"small-{i}" for i in range(40)]
LARGE = [f"large-{i}" for i in range(4)]
LARGE_SIZE = 1_000_000


def content(name):
    """The bytes of a document; also of made-up names, for uploads: upload-SIZE-ANYTHING."""
    size = {"small": 100 + sum(name.encode()) % 400, "large": LARGE_SIZE}.get(name.split("-")[0])
    if size is None:
        size = int(name.split("-")[1])
    return random.Random(name).randbytes(size)


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Digests:
    """Digests of documents, each computed once."""

    def __init__(self):
        self._known = {}

    def of(self, name):
        if name not in self._known:
            self._known[name] = digest(content(name))
        return self._known[name]


def write_all(folder):
    for name in (*SMALL, *LARGE):
        (folder / name).write_bytes(content(name))
