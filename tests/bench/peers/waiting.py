"""Waiting for what a started process has to do first, look by look. Nothing else here sleeps but the glance of
machine.py, whose length is what it measures over."""

from __future__ import annotations

import time
from collections.abc import Callable

BETWEEN_LOOKS = 0.02  # seconds


def until(problem: Callable[[], str | None], patience: float, failed: Callable[[str], Exception]) -> None:
    """Asks for the `problem` until there is none. Raises what `failed` makes of the last one once `patience`
    (seconds) is over."""
    deadline = time.monotonic() + patience
    while (found := problem()) is not None:
        if time.monotonic() > deadline:
            raise failed(found)
        time.sleep(BETWEEN_LOOKS)
