"""The reconcile loop: differences that informers see become keys in a queue, and workers look at one key each.

It is level-triggered: `reconcile(key)` compares what there is with what there should be and moves it one step, whatever
made somebody ask; doing it twice is harmless. What it writes carries the object version that caused it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from kubewire.client import log
from kubewire.client.cause import cause_text, caused_by
from kubewire.client.clock import running_clock
from kubewire.client.informer.informer import Handler, Informer
from kubewire.client.objects import ApiObject, ObjectKey, T, key_of
from kubewire.client.workqueue.metrics import WorkQueueMetrics
from kubewire.client.workqueue.queue import ShutDown
from kubewire.client.workqueue.rate_limit import RateLimiter
from kubewire.client.workqueue.retry import RateLimitingQueue
from kubewire.machinery.errors import Reason, StatusError

_LOG: Final = logging.getLogger(f"{log.NAME}.controller")

SLOW_SECONDS: Final = 1.0
"""Reconciles that take longer are worth a line of the ordinary log."""


@dataclass(frozen=True, slots=True)
class RequeueAfter:
    """The reconcile succeeded, and the key needs another look in so many seconds."""

    seconds: float


Reconcile = Callable[[ObjectKey], Awaitable[RequeueAfter | None]]
"""Looks at one object, which may be gone. Any exception has the key come back, later each time."""

KeysOf = Callable[[T], Iterable[ObjectKey]]
"""Which keys a difference of an object concerns."""


def own_key(obj: ApiObject) -> Iterable[ObjectKey]:
    """The object's own key."""
    return (key_of(obj),)


def key_of_controller(kind: str) -> KeysOf[ApiObject]:
    """The key of the object of a kind that controls this one: `key_of_controller("ReplicaSet")` for pods."""

    def keys(obj: ApiObject) -> Iterable[ObjectKey]:
        metadata = obj.metadata
        return [
            ObjectKey(metadata.namespace, owner.name)
            for owner in metadata.ownerReferences
            if owner.controller and owner.kind == kind
        ]

    return keys


class Controller:
    """One reconcile loop with its queue. Make it inside a running loop, and run it in a TaskGroup.

    Attributes:
        queue: the keys that are to be looked at; `queue.add(key)` asks for a look.
    """

    def __init__(
        self,
        name: str,
        reconcile: Reconcile,
        *,
        workers: int = 1,
        limiter: RateLimiter[ObjectKey] | None = None,
        metrics: WorkQueueMetrics | None = None,
    ) -> None:
        self.name = name
        self.queue: RateLimitingQueue[ObjectKey] = RateLimitingQueue(limiter)
        if metrics is not None:
            metrics.attach(name, self.queue)
        self._reconcile = reconcile
        self._workers = workers
        self._clock = running_clock()
        self._informers: list[Informer[ApiObject]] = []
        # The last object that made somebody ask for a key; kept until the key is looked at with success.
        self._causes: dict[ObjectKey, ApiObject] = {}

    def watch(
        self,
        informer: Informer[T],
        keys: KeysOf[T] = own_key,
        *,
        is_relevant: Callable[[T, T], bool] | None = None,
    ) -> None:
        """Look at `keys(object)` whenever an object of `informer` differs; updates may be left out by `is_relevant`.

        An object that changes hands concerns both: the keys before and after an update are looked at.
        """

        def enqueue(obj: T) -> None:
            for key in keys(obj):
                self._ask(key, obj)

        def updated(before: T, now: T) -> None:
            if is_relevant is None or is_relevant(before, now):
                for key in dict.fromkeys((*keys(before), *keys(now))):
                    self._ask(key, now)

        informer.add_handler(Handler(enqueue, updated, enqueue))
        self._informers.append(informer)  # type: ignore[arg-type]  # nothing is put into it

    async def run(self) -> None:
        """Wait until all watched informers have synced, then work until cancelled."""
        for informer in self._informers:
            await informer.wait_synced()
        _LOG.info("controller started", extra=log.keys(controller=self.name, workers=self._workers))
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())

    def _ask(self, key: ObjectKey, cause: ApiObject) -> None:
        self._causes[key] = cause
        self.queue.add(key)

    async def _work(self) -> None:
        while True:
            try:
                key = await self.queue.get()
            except ShutDown:
                return
            try:
                await self._look(key)
            finally:
                self.queue.done(key)

    async def _look(self, key: ObjectKey) -> None:
        """One reconcile and its one line in the log."""
        started = self._clock()
        cause = self._causes.pop(key, None)
        text = cause_text(cause) if cause is not None else ""
        try:
            with caused_by(text):
                outcome = await self._reconcile(key)
        except Exception as error:  # noqa: BLE001 - the supervisor of reconciles: one key's failure is its own
            if cause is not None:
                self._causes.setdefault(key, cause)
            again = self.queue.add_rate_limited(key)
            self._log_failure(key, text, self._clock() - started, error, again)
            return
        self.queue.forget(key)
        seconds = self._clock() - started
        if outcome is not None:
            self.queue.add_after(key, outcome.seconds)
        level = logging.INFO if seconds > SLOW_SECONDS else logging.DEBUG
        if _LOG.isEnabledFor(level):
            keys = log.keys(controller=self.name, key=str(key), cause=text, seconds=round(seconds, 6))
            _LOG.log(level, "reconciled", extra=keys)

    def _log_failure(self, key: ObjectKey, cause: str, seconds: float, error: Exception, again: float) -> None:
        """Conflicts and passing failures are part of life; what no rule foresaw comes with its traceback."""
        reason = error.reason if isinstance(error, StatusError) else None
        level = logging.INFO if reason == Reason.CONFLICT else logging.WARNING
        keys = log.keys(
            controller=self.name,
            key=str(key),
            cause=cause,
            seconds=round(seconds, 6),
            failures=self.queue.failures(key),
            again_seconds=round(again, 3),
            why=str(error) or type(error).__name__,
        )
        _LOG.log(level, "reconcile failed", exc_info=error if reason is None else None, extra=keys)
