"""Waiting until the cache has seen a revision."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Callable, Iterable
from itertools import count

Future = asyncio.Future[int]

_NEVER = math.inf


class RevisionGate:
    """The newest revision the cache has seen, and who waits for a newer one.

    Waiting futures get the revision that was seen when theirs was reached. Revisions the store is known to have
    (`tell`) can become overdue; those a client names (`wait_for`) cannot: they may never come, and must not make
    anybody write to the store. Invariant: whoever waits, waits for a revision above `revision`.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.revision = 0
        self._clock = clock
        # Revision waited for, a number that makes entries comparable, since when (never, if a client named it), who.
        self._waiting: list[tuple[int, int, float, list[Future]]] = []
        self._order = count()
        self._someone = asyncio.Event()

    def advance(self, revision: int) -> None:
        """Everything up to `revision` has been seen."""
        self.revision = revision
        waiting = self._waiting
        while waiting and waiting[0][0] <= revision:
            _tell(heapq.heappop(waiting)[3], revision)

    async def wait_for(self, revision: int) -> int:
        """Wait until `revision` has been seen; returns the one seen then."""
        if revision <= self.revision:
            return self.revision
        future: Future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (revision, next(self._order), _NEVER, [future]))
        return await future

    def tell(self, revision: int, futures: list[Future]) -> None:
        """Complete `futures` once `revision`, which the store has, was seen; cancelled ones are left out."""
        if revision <= self.revision:
            _tell(futures, self.revision)
        else:
            heapq.heappush(self._waiting, (revision, next(self._order), self._clock(), futures))
            self._someone.set()

    async def someone_waits(self) -> None:
        """Wait until somebody waits for a revision the store has."""
        self._drop_done()
        while all(since is _NEVER for _, _, since, _ in self._waiting):
            self._someone.clear()
            await self._someone.wait()

    def overdue(self, seconds: float) -> int:
        """The highest revision somebody has been waiting for since `seconds` or longer; 0 if nobody has."""
        self._drop_done()
        before = self._clock() - seconds
        return max((revision for revision, _, since, _ in self._waiting if since <= before), default=0)

    def _drop_done(self) -> None:
        """Forget entries whose futures were all cancelled or failed."""
        kept = [entry for entry in self._waiting if not all(future.done() for future in entry[3])]
        if len(kept) != len(self._waiting):
            heapq.heapify(kept)
            self._waiting = kept


def _tell(futures: Iterable[Future], revision: int) -> None:
    for future in futures:
        if not future.done():
            future.set_result(revision)
