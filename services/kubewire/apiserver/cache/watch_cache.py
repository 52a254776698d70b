"""The cache of everything: it loads, follows the store, and lets reads wait until it is up to date.

One watch feeds all kinds. When it breaks, it is taken up after the last revision seen, so nothing is lost or repeated.
When the store has forgotten that revision, or has gone back behind it (it was restored from a backup), everything is
loaded anew and running watches are ended: what happened in between cannot be told.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import aclosing

from kubewire.apiserver.cache.barrier import Barrier, BarrierTimes
from kubewire.apiserver.cache.gate import RevisionGate
from kubewire.apiserver.cache.kind import Follower, Kind, KindCache
from kubewire.apiserver.cache.loader import load_pages, starting_revision
from kubewire.apiserver.cache.options import CacheOptions
from kubewire.apiserver.cache.reader import KindReader
from kubewire.apiserver.cache.routing import ROOT, Router
from kubewire.apiserver.cache.slices import slices
from kubewire.apiserver.item import Item
from kubewire.apiserver.metrics import ApiServerMetrics
from kubewire.apiserver.storage.errors import Compacted, StorageError
from kubewire.apiserver.storage.store import Change, Store
from kubewire.machinery.errors import StatusError
from kubewire.machinery.resources import Resource

log = logging.getLogger(__name__)

SLICE = 256
"""Changes taken over before others may run: a few milliseconds."""

_PAUSE_FIRST_SECONDS = 0.05
_PAUSE_MAX_SECONDS = 1.0


class WatchCache:
    """Serves reads of all kinds once `run` runs. Made inside a running loop."""

    def __init__(
        self,
        store: Store,
        kinds: Iterable[Kind],
        metrics: ApiServerMetrics,
        options: CacheOptions = CacheOptions(),  # noqa: B008 - frozen
    ) -> None:
        loop = asyncio.get_running_loop()
        self._store = store
        self._options = options
        self._gate = RevisionGate(loop.time)
        times = BarrierTimes(options.stall_seconds, options.barrier_timeout_seconds)
        self._barrier = Barrier(store, self._gate, times)
        self._caches = [KindCache(kind, metrics.of_kind(kind.resource), self._seen) for kind in kinds]
        self._readers = {
            cache.kind.resource: KindReader(cache, store, self._gate, self._barrier, options) for cache in self._caches
        }
        self._router = Router(self._caches)
        self._synced = asyncio.Event()
        self._is_lost = True  # what is held cannot be followed: load
        self._is_worthless = False  # the same revision may now mean another object: keep nothing

    @property
    def revision(self) -> int:
        """The newest revision seen; 0 before anything was loaded."""
        return self._gate.revision

    @property
    def is_synced(self) -> bool:
        """Whether it has once caught up with the store."""
        return self._synced.is_set()

    def of(self, resource: Resource) -> KindReader:
        """Reads of one kind.

        Raises:
            KeyError: the kind is not kept.
        """
        return self._readers[resource]

    def follow(self, resource: Resource, follower: Follower) -> None:
        """Tell `follower` of every change of a kind; before `run`.

        Raises:
            KeyError: the kind is not kept.
        """
        by_resource = {cache.kind.resource: cache for cache in self._caches}
        by_resource[resource].followers.append(follower)

    async def wait_synced(self) -> None:
        """Wait until it has once caught up with the store."""
        await self._synced.wait()

    async def barrier(self) -> int:
        """Wait until everything confirmed before this call has been seen; returns the revision seen then.

        Raises:
            StatusError: Timeout, or ServiceUnavailable when the store cannot be reached.
        """
        return await self._barrier.wait()

    async def wait_for(self, revision: int) -> int:
        """Wait until `revision` has been seen, as after a write of one's own. The caller bounds the time."""
        return await self._gate.wait_for(revision)

    async def run(self) -> None:
        """Load, then follow the store until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._barrier.run_reads())
            group.create_task(self._barrier.run_progress())
            group.create_task(self._tick_for_ever())
            group.create_task(self._catch_up_first())
            group.create_task(self._follow_for_ever())

    def _seen(self) -> int:
        return self._gate.revision

    async def _catch_up_first(self) -> None:
        while not self.is_synced:
            try:
                await self._barrier.wait()
            except StatusError as failure:
                log.info("the cache has not caught up with the store yet", extra={"error": str(failure)})
                await asyncio.sleep(_PAUSE_FIRST_SECONDS)
            else:
                self._synced.set()

    async def _follow_for_ever(self) -> None:
        pause = _PAUSE_FIRST_SECONDS
        while True:
            seen = self.revision
            try:
                await self._follow()
            except Compacted:
                log.warning("the store forgot what the cache has not seen; loading anew", extra={"seen": seen})
                self._is_lost = True
            except StorageError as error:
                log.info("lost the store; watching on when it is back", extra={"seen": seen, "error": str(error)})
            pause = _PAUSE_FIRST_SECONDS if self.revision > seen else min(pause * 2, _PAUSE_MAX_SECONDS)
            await asyncio.sleep(pause)

    async def _follow(self) -> None:
        if not self._is_lost and await self._store.revision() < self.revision:
            log.error("the store went back in time; loading anew", extra={"seen": self.revision})
            self._is_lost = self._is_worthless = True
        if self._is_lost:
            await self._load()
            self._is_lost = self._is_worthless = False
        async with aclosing(self._store.watch(ROOT, self.revision)) as watch:
            async for changes in watch:
                await self.take(changes)

    async def _load(self) -> None:
        """Hold what the store held at one revision; readers see the old state until the new one is complete."""
        is_first = self.revision == 0
        revision = await starting_revision(self._store, self._options.backlog_revisions if is_first else 0)
        found: dict[KindCache, dict[str, Item]] = {cache: {} for cache in self._caches}
        async for entries in load_pages(self._store, revision, self._options.page_size):
            for entry in entries:
                kinds, key = self._router.route(entry.key)
                for cache in kinds:
                    take = cache.decode_entry if self._is_worthless else cache.known
                    item = take(key, entry)
                    if item is not None:
                        found[cache][key] = item
        for cache, items in found.items():
            cache.reset(items, revision)
        self._gate.advance(revision)

    async def take(self, changes: Sequence[Change]) -> None:
        """Take over changes of whole revisions that follow what was seen; what `run` does with those of the store."""
        for part in slices(changes, SLICE):
            touched = set()
            for key, value, revision, _, _ in part:
                kinds, name = self._router.route(key)
                for cache in kinds:
                    cache.apply(name, value, revision)
                    touched.add(cache)
            revision = part[-1].revision
            for cache in touched:
                cache.settle(revision)
            self._gate.advance(revision)
            if part[-1] is not changes[-1]:
                await asyncio.sleep(0)

    async def _tick_for_ever(self) -> None:
        """Once per bookmark interval; events leave the histories when they are `history_seconds` old."""
        ticks = max(1, round(self._options.history_seconds / self._options.bookmark_seconds))
        seen: deque[int] = deque([0] * ticks, maxlen=ticks)
        while True:
            await asyncio.sleep(self._options.bookmark_seconds)
            for cache in self._caches:
                cache.tick(forget_through=seen[0])
            seen.append(self.revision)
