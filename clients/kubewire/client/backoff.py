"""Waits that grow while something keeps failing. Pure: who uses it waits, and brings the randomness."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """`next()` gives the seconds to wait before the next try: `first`, doubled each time up to `limit`.

    Each wait is shortened by a random part of up to `jitter` (0 to 1) of itself, so that clients that failed together
    do not come back together.
    """

    def __init__(
        self,
        first_seconds: float,
        limit_seconds: float,
        *,
        jitter: float = 0.5,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        self._first = first_seconds
        self._limit = limit_seconds
        self._jitter = jitter
        self._uniform = uniform
        self._next = first_seconds

    def next(self) -> float:
        """Seconds to wait now; the following wait is twice as long."""
        seconds = self._next
        self._next = min(seconds * 2, self._limit)
        return seconds * (1 - self._jitter * self._uniform())

    def reset(self) -> None:
        """It worked: begin with the first wait again."""
        self._next = self._first
