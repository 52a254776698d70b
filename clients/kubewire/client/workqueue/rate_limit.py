"""How long a key that failed waits before it is tried again. Pure: the clock is a parameter."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

K = TypeVar("K", bound=Hashable)
K_contra = TypeVar("K_contra", bound=Hashable, contravariant=True)

ITEM_FIRST_SECONDS = 0.005
"""Wait after a key's first failure; doubled after each further one."""

ITEM_LIMIT_SECONDS = 1000.0
"""Longest wait of one key."""

OVERALL_PER_SECOND = 10.0
"""Retries of all keys together, once the burst is used up."""

OVERALL_BURST = 100
"""Retries of all keys together that pass at once."""


class RateLimiter(Protocol[K_contra]):
    """Remembers how often each key failed."""

    def wait_seconds(self, key: K_contra) -> float:
        """`key` failed once more: seconds to wait before it is tried again."""
        ...

    def forget(self, key: K_contra) -> None:
        """`key` succeeded: begin anew."""

    def failures(self, key: K_contra) -> int:
        """How often `key` failed since it was last forgotten."""
        ...


class ExponentialPerItem(Generic[K]):
    """`first * 2**failures`, up to `limit`: one key that keeps failing is tried less and less often."""

    def __init__(self, first_seconds: float = ITEM_FIRST_SECONDS, limit_seconds: float = ITEM_LIMIT_SECONDS) -> None:
        self._first = first_seconds
        self._limit = limit_seconds
        self._failures: dict[K, int] = {}

    def wait_seconds(self, key: K) -> float:
        """See `RateLimiter`."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        # 2.0**1024 overflows; long before that the limit holds.
        return min(self._first * 2.0 ** min(failures, 100), self._limit)

    def forget(self, key: K) -> None:
        """See `RateLimiter`."""
        self._failures.pop(key, None)

    def failures(self, key: K) -> int:
        """See `RateLimiter`."""
        return self._failures.get(key, 0)


class TokenBucket:
    """Lets `burst` pass at once and `per_second` later on; who comes too early is told how long to wait."""

    def __init__(self, per_second: float, burst: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._at = clock()

    def reserve_seconds(self) -> float:
        """Take a token, a future one if need be: seconds until it is there."""
        self._fill()
        self._tokens -= 1
        return max(0.0, -self._tokens / self._per_second)

    def try_take(self) -> bool:
        """Take a token if there is one now."""
        self._fill()
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now


class Overall(Generic[K]):
    """One `TokenBucket` for all keys: however many fail, the server is not overrun by their retries."""

    def __init__(self, bucket: TokenBucket) -> None:
        self._bucket = bucket

    def wait_seconds(self, key: K) -> float:  # noqa: ARG002 - the bucket is everybody's
        """See `RateLimiter`."""
        return self._bucket.reserve_seconds()

    def forget(self, key: K) -> None:
        """Nothing is remembered of single keys."""

    def failures(self, key: K) -> int:  # noqa: ARG002
        """Always 0: nothing is remembered of single keys."""
        return 0


class LongestOf(Generic[K]):
    """Asks several limiters; the longest wait holds."""

    def __init__(self, *limiters: RateLimiter[K]) -> None:
        self._limiters = limiters

    def wait_seconds(self, key: K) -> float:
        """See `RateLimiter`."""
        return max(limiter.wait_seconds(key) for limiter in self._limiters)

    def forget(self, key: K) -> None:
        """See `RateLimiter`."""
        for limiter in self._limiters:
            limiter.forget(key)

    def failures(self, key: K) -> int:
        """See `RateLimiter`."""
        return max(limiter.failures(key) for limiter in self._limiters)


def default_limiter(clock: Callable[[], float]) -> LongestOf[K]:
    """What Kubernetes' controllers use: each key from 5 ms to 1000 s, all together 10/s after a burst of 100."""
    bucket = TokenBucket(OVERALL_PER_SECOND, OVERALL_BURST, clock)
    return LongestOf(ExponentialPerItem(), Overall(bucket))
