"""Waiting for a condition, never for a time. The only place in these tests that sleeps."""

import time

PATIENCE = 30.0  # seconds; far beyond what anything here takes, so that a slow machine fails nothing


class NeverCame(AssertionError):
    """What was waited for did not come to pass."""


def until(condition, what, within=PATIENCE):
    """Asks `condition` again and again until it says something true, and returns that.

    `what` completes the sentence "waited in vain until ..."; it may be a function, asked at the end.
    """
    deadline = time.monotonic() + within
    while True:
        said = condition()
        if said:
            return said
        if time.monotonic() > deadline:
            raise NeverCame(f"waited in vain, {within:.0f}s, until {what() if callable(what) else what}")
        time.sleep(0.01)
