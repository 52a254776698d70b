"""A queue whose keys can be added for later."""

from __future__ import annotations

import asyncio

from kubewire.client.clock import Clock
from kubewire.client.workqueue.queue import K, QueueMetrics, WorkQueue


class DelayingQueue(WorkQueue[K]):
    """A `WorkQueue` with `add_after`. Each key waits at most once; the earlier time wins."""

    def __init__(self, *, metrics: QueueMetrics | None = None, clock: Clock | None = None) -> None:
        super().__init__(metrics=metrics, clock=clock)
        self._loop = asyncio.get_running_loop()
        self._delayed: dict[K, asyncio.TimerHandle] = {}

    @property
    def delayed(self) -> frozenset[K]:
        """The keys that are to be added later."""
        return frozenset(self._delayed)

    def add_after(self, key: K, seconds: float) -> None:
        """Add `key` when `seconds` have passed; at once for 0 or less. Ignored after shutdown."""
        if self.is_shut_down:
            return
        self.metrics.retried()
        if seconds <= 0:
            self.add(key)
            return
        when = self._loop.time() + seconds
        earlier = self._delayed.get(key)
        if earlier is not None:
            if earlier.when() <= when:
                return
            earlier.cancel()
        self._delayed[key] = self._loop.call_at(when, self._arrive, key)

    def shut_down(self) -> None:
        """As `WorkQueue.shut_down`; what was to be added later is forgotten."""
        for timer in self._delayed.values():
            timer.cancel()
        self._delayed.clear()
        super().shut_down()

    def _arrive(self, key: K) -> None:
        del self._delayed[key]
        self.add(key)
