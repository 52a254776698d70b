"""Programs what has changed, round by round, and looks after what is programmed.

A round takes the Services that changed, decides anew what they ask for, and programs the difference at once. The first
round, one after a failure, and one after somebody else changed something read what is programmed first, so that a proxy
that starts again changes only what differs, and what was taken away is put back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from kubewire.client.backoff import Backoff
from kubewire.component.log import Logger
from kubewire.kube_proxy.cycle.board import Board, Changed
from kubewire.kube_proxy.desired.desired_state import DesiredState
from kubewire.kube_proxy.desired.difference import Difference, difference
from kubewire.kube_proxy.desired.model import Frontend, Rule
from kubewire.kube_proxy.desired.services import Settings
from kubewire.kube_proxy.errors import BackendFailed
from kubewire.kube_proxy.flows.forgetting import Forgetting
from kubewire.kube_proxy.metrics import KubeProxyMetrics
from kubewire.kube_proxy.table import Edge

_LOG: Final = Logger("kube_proxy.cycle")
_TURN: Final = 100
"""Services that are decided about before other tasks get their turn: about 3 ms."""
_RETRY_FIRST_SECONDS: Final = 0.1
_RETRY_LIMIT_SECONDS: Final = 30.0


class Times:
    """How often things are done, in seconds, and by which clocks."""

    def __init__(
        self,
        *,
        min_sync_seconds: float,
        check_seconds: float,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self.min_sync_seconds: Final = min_sync_seconds
        self.check_seconds: Final = check_seconds
        self.clock: Final = clock
        self.wall_clock: Final = wall_clock


class Loop:
    """Make it inside a running loop.

    Attributes:
        desired: what should be programmed.
        programmed: what is, as it was last read or programmed.
        programmed_at: when rules were programmed by this process, Unix time.
        last_synced: when a round last succeeded, Unix time; 0: none has.
        waiting_since: since when what was taken up waits to be programmed, by the clock; None: nothing does.
    """

    def __init__(self, board: Board, edge: Edge, settings: Settings, metrics: KubeProxyMetrics, times: Times) -> None:
        self.desired: Final = DesiredState()
        self.programmed: dict[Frontend, Rule] = {}
        self.programmed_at: Final[dict[Frontend, float]] = {}
        self.last_synced = 0.0
        self._board = board
        self._edge = edge
        self._settings = settings
        self._metrics = metrics
        self._times = times
        self._forgetting = Forgetting(edge.flows, metrics, times.clock)
        self._lock = asyncio.Lock()
        self._must_read = True
        self._in_work: float | None = None
        self._checked_at = times.clock()

    @property
    def waiting_since(self) -> float | None:
        """Since when a change waits to be programmed, by the clock; None: none does."""
        known = [since for since in (self._in_work, self._board.since) if since is not None]
        return min(known, default=None)

    async def run(self, synced: Callable[[], None] = lambda: None) -> None:
        """Work until cancelled; caches are filled before. `synced` is called after every round that succeeded."""
        backoff = Backoff(_RETRY_FIRST_SECONDS, _RETRY_LIMIT_SECONDS)
        while True:
            started = self._times.clock()
            try:
                await self.round()
            except BackendFailed as error:
                wait = backoff.next()
                self._metrics.failed()
                _LOG.warning("not programmed, trying again", reason=error, wait_seconds=round(wait, 3))
                await asyncio.sleep(wait)
                continue
            backoff.reset()
            synced()
            await asyncio.sleep(max(0.0, started + self._times.min_sync_seconds - self._times.clock()))
            await self._wait()

    async def round(self) -> None:
        """Program what has changed.

        Raises:
            BackendFailed: it was not; all that is known is kept for the next round.
        """
        async with self._lock:
            taken = self._board.take()
            self._in_work = taken.since
            try:
                await self._program(taken)
            except BaseException:
                self._must_read = True
                self._board.put_back(taken)
                raise
            finally:
                self._in_work = None

    async def read(self) -> dict[Frontend, Rule]:
        """What is programmed, read anew; what differs from what was left is put right soon.

        Raises:
            BackendFailed: it cannot be read.
        """
        async with self._lock:
            found = await self._edge.backend.read()
            self.programmed = dict(found.rules)
            if found.damage or difference(self.desired.rules, self.programmed):
                self._must_read = True
                self._board.woken.set()
            return self.programmed

    async def _wait(self) -> None:
        """Return when something has changed, or is not as it was left."""
        while not self._board.woken.is_set() and not self._must_read:
            left = self._checked_at + self._times.check_seconds - self._times.clock()
            try:
                async with asyncio.timeout(max(0.0, left)):
                    await self._board.woken.wait()
            except TimeoutError:
                await self._check()

    async def _check(self) -> None:
        self._checked_at = self._times.clock()
        try:
            async with self._lock:
                self._must_read = self._must_read or await self._edge.backend.was_touched()
                await self._forgetting.forget(self.programmed)
        except BackendFailed as error:
            _LOG.warning("cannot look at what is programmed", reason=error)
            self._must_read = True

    async def _program(self, taken: Changed) -> None:
        started, is_full = self._times.clock(), self._must_read
        touched = await self._decide(taken)
        if is_full:
            changes = await self._compare()
        else:
            changes = difference(self.desired.rules, self.programmed, touched)
            if changes:
                await self._apply(changes)
        self._must_read = False
        self._note(taken, self._times.clock() - started, is_full=is_full)
        self._forgetting.note((*changes.remove, *(rule.frontend for rule in changes.put)))
        if is_full:
            # A proxy may have ended between programming a rule and forgetting its connections.
            self._forgetting.note(self.programmed)
        await self._forgetting.forget(self.programmed)
        if changes:
            _LOG.debug("programmed", put=len(changes.put), removed=len(changes.remove), full=is_full)

    async def _decide(self, taken: Changed) -> set[Frontend]:
        """Take changes into what is desired; returns the frontends they touch."""
        touched: set[Frontend] = set()
        for count, key in enumerate(taken.services, 1):
            touched |= self.desired.put(key, self._board.proxied(key, self._settings))
            if not count % _TURN:
                await asyncio.sleep(0)
        return touched

    async def _compare(self) -> Difference:
        """Read what is programmed, and program what differs."""
        found = await self._edge.backend.read()
        was_left, self.programmed = self.programmed, dict(found.rules)
        if self.last_synced and (found.damage or was_left != self.programmed):
            self._metrics.repairs.inc()
            _LOG.warning("rules were changed by others", damage="; ".join(found.damage) or "rules differ")
        changes = difference(self.desired.rules, self.programmed)
        if changes or found.damage:
            await self._apply(changes)
        if not self.last_synced:
            _LOG.info("programmed", put=len(changes.put), removed=len(changes.remove), kept=len(found.rules))
        return changes

    async def _apply(self, changes: Difference) -> None:
        await self._edge.backend.apply(changes)
        now = self._times.wall_clock()
        for frontend in changes.remove:
            self.programmed.pop(frontend, None)
            self.programmed_at.pop(frontend, None)
        for rule in changes.put:
            self.programmed[rule.frontend] = rule
            self.programmed_at[rule.frontend] = now

    def _note(self, taken: Changed, seconds: float, *, is_full: bool) -> None:
        now = self._times.wall_clock()
        self.last_synced = now
        self._metrics.synced(seconds, is_full=is_full)
        for changed_at in taken.triggers:
            self._metrics.programming.observe(max(0.0, now - changed_at))
