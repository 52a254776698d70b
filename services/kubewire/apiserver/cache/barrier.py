"""Linearizable reads from memory: learn what the store has, then wait until the cache has seen it.

The store's revision is read after a read arrived, once for all that arrived before it was sent; whoever arrives
while it is on its way shares the next one, since an answer on its way may be older than a write confirmed meanwhile.

Revisions move on with every write to the store, but only those inside the cache's prefix arrive here. After a write
elsewhere nothing would come; so when the cache does not get there soon, a progress key is written inside the prefix,
and its event tells that everything before it was seen. (etcd's own progress reports can overtake events before
3.4.25 and 3.5.8.)
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from kubewire.apiserver.cache.failures import not_caught_up, store_failed
from kubewire.apiserver.cache.gate import RevisionGate
from kubewire.apiserver.storage.errors import Mismatch, StorageError
from kubewire.apiserver.storage.store import Store
from kubewire.machinery.errors import StatusError

log = logging.getLogger(__name__)

PROGRESS_KEY = b"/registry/kubewire.io/progress"
_PROGRESS_VALUE = b'{"purpose":"its revisions tell caches that they have seen everything before"}'

STALL_SECONDS = 0.02
"""How long the cache may lag before a progress key is written: well above a watch's usual delay."""

_SUSPICIOUS_SECONDS = 1.0
"""When a written progress key should long have arrived: perhaps it was written to a store that was restored since."""


class Progress:
    """Writes the progress key so that an event comes. Several servers share the key; one write serves them all."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._written = 0  # the newest revision the key is known to be written at

    def forget(self) -> None:
        """Look at the key again before believing that it was written: the store may be another one by now."""
        self._written = 0

    async def push_past(self, revision: int) -> None:
        """Make sure that the key was written at `revision` or later."""
        while self._written < revision:
            try:
                self._written = await self._store.replace(PROGRESS_KEY, _PROGRESS_VALUE, self._written)
            except Mismatch as found:
                self._written = found.current.revision if found.current else 0


@dataclass(frozen=True, slots=True)
class BarrierTimes:
    """How patient the barrier is, in seconds."""

    stall_seconds: float = STALL_SECONDS
    timeout_seconds: float = 10.0
    """When a read gives up, the store's answer and the cache's lag together."""


class Barrier:
    """Tells readers when the cache is at least as new as the moment they asked."""

    def __init__(self, store: Store, gate: RevisionGate, times: BarrierTimes) -> None:
        self._store = store
        self._gate = gate
        self._times = times
        self._progress = Progress(store)
        self._readers: list[asyncio.Future[int]] = []
        self._wanted = asyncio.Event()

    async def wait(self) -> int:
        """Wait until everything confirmed before this call has been seen; returns the revision seen then.

        Raises:
            StatusError: Timeout, or ServiceUnavailable when the store cannot be reached.
        """
        loop = asyncio.get_running_loop()
        reader: asyncio.Future[int] = loop.create_future()
        self._readers.append(reader)
        self._wanted.set()
        timer = loop.call_later(self._times.timeout_seconds, _fail, reader, not_caught_up(self._times.timeout_seconds))
        try:
            return await reader
        finally:
            timer.cancel()

    async def run_reads(self) -> None:
        """Read the store's revision whenever somebody asks, one read at a time."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            readers, self._readers = self._readers, []
            await self._serve([reader for reader in readers if not reader.done()])

    async def run_progress(self) -> None:
        """Write the progress key whenever the cache does not come to see what somebody waits for."""
        while True:
            await self._gate.someone_waits()
            await asyncio.sleep(self._times.stall_seconds)
            revision = self._gate.overdue(self._times.stall_seconds)
            if not revision or not self._gate.revision:  # nothing overdue, or still loading
                continue
            if self._gate.overdue(_SUSPICIOUS_SECONDS):
                self._progress.forget()
            try:
                await self._progress.push_past(revision)
            except StorageError as error:
                log.debug("could not write the progress key", extra={"error": str(error)})

    async def _serve(self, readers: list[asyncio.Future[int]]) -> None:
        try:
            revision = await self._store.revision(timeout_seconds=self._times.timeout_seconds)
        except StorageError as error:
            for reader in readers:
                _fail(reader, store_failed(error))
            return
        self._gate.tell(revision, readers)


def _fail(reader: asyncio.Future[int], failure: StatusError) -> None:
    if not reader.done():
        reader.set_exception(failure)
