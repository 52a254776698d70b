"""Making the store forget what nobody needs: history older than a few minutes.

All servers share one key that records a revision. Once per interval each tries to record the newest one, guarded by
what it saw there last; who succeeds compacts to the revision that was recorded an interval ago, the others have been
told that it is done. The key lies inside `/registry/`, so that the write also moves every cache on.
"""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple

import orjson

from kubewire.apiserver.storage.errors import Mismatch, StorageError
from kubewire.apiserver.storage.store import Entry, Store

log = logging.getLogger(__name__)

COMPACTION_KEY = b"/registry/kubewire.io/compaction"
INTERVAL_SECONDS = 300.0
"""As Kubernetes': history lasts for one to two intervals."""


class Record(NamedTuple):
    """What the key said: the revision it was written at (0: never), and the one it records (0: none)."""

    written: int
    revision: int

    @classmethod
    def of(cls, entry: Entry | None) -> Record:
        """From the key; a value nobody of us wrote records nothing."""
        if entry is None:
            return cls(0, 0)
        try:
            recorded = orjson.loads(entry.value)["revision"]
        except (ValueError, KeyError, TypeError):
            recorded = 0
        return cls(entry.revision, recorded if type(recorded) is int and recorded > 0 else 0)


class Compactor:
    """Compacts once per interval, whichever server does it."""

    def __init__(self, store: Store, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._store = store
        self._interval_seconds = interval_seconds

    async def run(self) -> None:
        """Compact until cancelled; a store that is away is tried again an interval later."""
        record: Record | None = None
        while True:
            try:
                record = await self.turn(record) if record else Record.of(await self._store.get(COMPACTION_KEY))
            except StorageError as error:
                log.info("could not compact the store; trying again later", extra={"error": str(error)})
            await asyncio.sleep(self._interval_seconds)

    async def turn(self, seen: Record) -> Record:
        """Compact if nobody did since `seen`; returns what the key says now."""
        newest = await self._store.revision()
        try:
            written = await self._store.replace(COMPACTION_KEY, orjson.dumps({"revision": newest}), seen.written)
        except Mismatch as found:
            return Record.of(found.current)
        if seen.revision:
            await self._store.compact(seen.revision)
            log.debug("compacted the store", extra={"revision": seen.revision})
        return Record(written, newest)
