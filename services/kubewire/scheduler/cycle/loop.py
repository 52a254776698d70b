"""The scheduling loop: takes pods in turn, decides, assumes, and hands over to the binder without waiting for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from kubewire.client.leader_election.leadership import Leadership
from kubewire.component.log import Logger
from kubewire.machinery.errors import Reason, StatusError
from kubewire.scheduler.acting.binder import Taken
from kubewire.scheduler.cycle.board import Board
from kubewire.scheduler.decision.scheduling import Scheduling
from kubewire.scheduler.metrics import SchedulerMetrics
from kubewire.scheduler.pods.pod import PodInfo

_LOG: Final = Logger("scheduler")

TURN_SECONDS: Final = 0.005
"""How long the loop decides before other tasks get their turn."""

FLUSH_SECONDS: Final = 30.0
"""Interval at which pods that have waited too long are looked for."""


class Binding(Protocol):
    """The binder, as the loop sees it."""

    async def submit(self, taken: list[Taken]) -> None:
        """Have pods bound."""


class Reporting(Protocol):
    """The reporter, as the loop sees it."""

    def unschedulable(self, pod: PodInfo, message: str) -> None:
        """A pod fits nowhere."""

    def scheduled(self, pod: PodInfo, node_name: str) -> None:
        """A pod was bound."""


class Loop:
    """One term's loop."""

    def __init__(
        self,
        board: Board,
        scheduling: Scheduling,
        metrics: SchedulerMetrics,
        clock: Callable[[], float],
        *,
        assumed_seconds: float,
    ) -> None:
        self._board = board
        self._scheduling = scheduling
        self._metrics = metrics
        self._clock = clock
        self._assumed_seconds = assumed_seconds
        self._flushed_at = clock()

    async def run(self, leadership: Leadership, binder: Binding, reporter: Reporting) -> None:
        """Schedule until cancelled.

        Raises:
            NotLeading: the term is over.
        """
        while True:
            leadership.check()
            self._look_after()
            taken = self.turn(reporter)
            if taken:
                await binder.submit(taken)
            if self._board.queue.is_idle:
                await self._wait()
            else:
                await asyncio.sleep(0)

    def turn(self, reporter: Reporting) -> list[Taken]:
        """Decide about pods until the turn is over or none is left; returns those that have a node."""
        board, clock = self._board, self._clock
        board.woken.clear()
        board.take_changes()
        found = []
        began = now = clock()
        while now - began < TURN_SECONDS and (waiting := board.queue.pop(now)) is not None:
            decision = self._scheduling.schedule(waiting.pod)
            taken_at, now = now, clock()
            self._metrics.algorithm_seconds.observe(now - taken_at)
            if decision.diagnosis is None:
                board.assume(waiting.pod, decision.node_name)
                found.append(Taken(waiting, decision.node_name, taken_at))
            else:
                message = decision.diagnosis.message
                board.queue.put_back(waiting, now, decision.diagnosis.plugins, message)
                reporter.unschedulable(waiting.pod, message)
                self._metrics.attempted("unschedulable", now - taken_at)
        return found

    def bound(self, taken: Taken) -> None:
        """The API server has bound a pod."""
        now, waiting = self._clock(), taken.waiting
        self._board.bound(waiting, now + self._assumed_seconds)
        self._metrics.attempted("scheduled", now - taken.taken_at)
        self._metrics.bound(waiting.attempts, now - waiting.since)

    def not_bound(self, taken: Taken, error: StatusError) -> None:
        """It has not, as far as is known: the pod is tried again, and bound once in any case."""
        self._metrics.attempted("error", self._clock() - taken.taken_at)
        if error.reason == Reason.NOT_FOUND:
            _LOG.debug("pod is gone", pod=taken.waiting.pod.key)
        else:
            _LOG.info("pod not bound", pod=taken.waiting.pod.key, node=taken.node_name, reason=error.reason, why=error)
        self._board.not_bound(taken.waiting)

    def _look_after(self) -> None:
        now = self._clock()
        if now - self._flushed_at < FLUSH_SECONDS:
            return
        self._flushed_at = now
        self._board.queue.flush(now)
        for pod in self._board.expire_assumed():
            _LOG.warning("bound pod never heard of, trying it again", pod=pod.key)

    async def _wait(self) -> None:
        """Until something happens, a backoff ends, or it is time to look after the others."""
        until = min(self._board.queue.next_time(), self._flushed_at + FLUSH_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.001, until - self._clock())):
                await self._board.woken.wait()
