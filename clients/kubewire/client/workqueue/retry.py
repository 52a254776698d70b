"""The queue controllers use: keys that failed come back, later and later."""

from __future__ import annotations

from kubewire.client.clock import Clock
from kubewire.client.workqueue.delay import DelayingQueue
from kubewire.client.workqueue.queue import K, QueueMetrics
from kubewire.client.workqueue.rate_limit import RateLimiter, default_limiter


class RateLimitingQueue(DelayingQueue[K]):
    """A `DelayingQueue` with `add_rate_limited`; `limiter` decides the waits (`default_limiter` unless given)."""

    def __init__(
        self,
        limiter: RateLimiter[K] | None = None,
        *,
        metrics: QueueMetrics | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(metrics=metrics, clock=clock)
        self._limiter: RateLimiter[K] = limiter if limiter is not None else default_limiter(self._clock)

    def add_rate_limited(self, key: K) -> float:
        """Have a key that failed looked at again, after a wait; returns its seconds."""
        seconds = self._limiter.wait_seconds(key)
        self.add_after(key, seconds)
        return seconds

    def forget(self, key: K) -> None:
        """The key succeeded, or is given up: its next failure counts as the first. `done` must be called as well."""
        self._limiter.forget(key)

    def failures(self, key: K) -> int:
        """How often the key failed since it was last forgotten."""
        return self._limiter.failures(key)
