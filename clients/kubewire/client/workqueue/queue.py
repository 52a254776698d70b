"""A queue of keys: what is in it needs a look, however often it was added.

The rules are those of Kubernetes' workqueue. A key that is added while it waits is there once. A key that is added
while it is worked on is not handed to a second worker, but queued again when the first is done: no two workers ever
hold the same key, and no change is missed. The queue is bounded by the number of different keys.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable, Iterator
from typing import Generic, Protocol, TypeVar

from kubewire.client.clock import Clock, running_clock

K = TypeVar("K", bound=Hashable)


class ShutDown(Exception):
    """The queue was shut down and is empty: the worker that asked for a key ends."""


class QueueMetrics(Protocol):
    """Told what happens in a queue; see `workqueue.metrics`."""

    def added(self) -> None:
        """A key was added that did not wait already."""

    def taken(self, queued_seconds: float) -> None:
        """A worker took a key that had waited so long."""

    def done(self, worked_seconds: float) -> None:
        """A worker finished a key after so long."""

    def retried(self) -> None:
        """A key was added for later, or after a failure."""


class NoMetrics:
    """Fills `QueueMetrics` and counts nothing."""

    def added(self) -> None:
        """Not counted."""

    def taken(self, queued_seconds: float) -> None:
        """Not counted."""

    def done(self, worked_seconds: float) -> None:
        """Not counted."""

    def retried(self) -> None:
        """Not counted."""


class WorkQueue(Generic[K]):
    """Keys in the order of their first addition. Made and used inside one running loop.

    `len(queue)` is the number of keys that wait for a worker.
    """

    def __init__(self, *, metrics: QueueMetrics | None = None, clock: Clock | None = None) -> None:
        self.metrics: QueueMetrics = metrics or NoMetrics()
        self._clock = clock or running_clock()
        # What waits for a worker. Every key in it is dirty and not processing.
        self._queue: deque[K] = deque()
        # What needs a look, and since when. A key that is dirty and processing is queued when it is done.
        self._dirty: dict[K, float] = {}
        # What a worker holds, and since when.
        self._processing: dict[K, float] = {}
        self._getters: deque[asyncio.Future[None]] = deque()
        self._drained = asyncio.Event()
        self._is_shut_down = False

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def is_shut_down(self) -> bool:
        """Whether additions are ignored."""
        return self._is_shut_down

    @property
    def waiting(self) -> Iterator[K]:
        """The keys that wait, the next one first; good until the queue changes."""
        return iter(self._queue)

    @property
    def processing(self) -> frozenset[K]:
        """The keys that workers hold."""
        return frozenset(self._processing)

    def add(self, key: K) -> None:
        """Have `key` looked at. Ignored after shutdown."""
        if self._is_shut_down or key in self._dirty:
            return
        self._dirty[key] = self._clock()
        self.metrics.added()
        if key not in self._processing:
            self._push(key)

    async def get(self) -> K:
        """The next key, which nobody else gets until `done(key)` is called.

        Raises:
            ShutDown: the queue is shut down and nothing waits in it.
        """
        while not self._queue:
            if self._is_shut_down:
                raise ShutDown
            await self._pushed()
        return self._take()

    def done(self, key: K) -> None:
        """The worker has finished `key`, whether it worked or not. If it was added meanwhile, it waits again."""
        started = self._processing.pop(key, None)
        if started is None:
            return
        self.metrics.done(self._clock() - started)
        if key in self._dirty:
            self._push(key)
        elif not self._processing:
            self._note_drained()

    def shut_down(self) -> None:
        """Ignore additions from now on. Workers get what waits, then `ShutDown`."""
        self._is_shut_down = True
        for getter in self._getters:
            _wake(getter)
        self._note_drained()

    async def drain(self) -> None:
        """Shut down, and wait until everything that waited or was worked on is done. Workers must keep running."""
        self.shut_down()
        await self._drained.wait()

    def longest_running_seconds(self) -> float:
        """How long the slowest worker has held its key; 0 when nobody works."""
        return self._clock() - min(self._processing.values()) if self._processing else 0.0

    def unfinished_seconds(self) -> float:
        """Sum over all workers of how long they have held their keys; it grows without bound when one is stuck."""
        now = self._clock()
        return sum((now - started for started in self._processing.values()), 0.0)

    def _push(self, key: K) -> None:
        self._queue.append(key)
        self._wake_one()

    def _take(self) -> K:
        key = self._queue.popleft()
        now = self._clock()
        self.metrics.taken(now - self._dirty.pop(key))
        self._processing[key] = now
        return key

    async def _pushed(self) -> None:
        """Wait for a key or for shutdown. A cancelled worker passes on the key it was woken for."""
        getter = asyncio.get_running_loop().create_future()
        self._getters.append(getter)
        try:
            await getter
        except asyncio.CancelledError:
            if self._queue and getter.done() and not getter.cancelled():
                self._wake_one()
            raise
        finally:
            if not getter.done() or getter.cancelled():
                self._getters.remove(getter)

    def _wake_one(self) -> None:
        while self._getters:
            getter = self._getters.popleft()
            if not getter.done():
                getter.set_result(None)
                return

    def _note_drained(self) -> None:
        if self._is_shut_down and not self._processing and not self._queue:
            self._drained.set()


def _wake(getter: asyncio.Future[None]) -> None:
    if not getter.done():
        getter.set_result(None)
