"""Pages of a revision older than the history in memory, read from the store at that revision."""

from __future__ import annotations

from kubewire.apiserver.cache import failures
from kubewire.apiserver.cache.kind import KindCache
from kubewire.apiserver.cache.pages import Chosen, Range
from kubewire.apiserver.cache.selection import Selection
from kubewire.apiserver.item import Item
from kubewire.apiserver.storage.errors import Compacted, RevisionInFuture, StorageError
from kubewire.apiserver.storage.store import EntryPage, Store, prefix_end

_READ = 500
"""Keys per read of a list without a limit."""


class PastPages:
    """One kind's objects at `revision`."""

    def __init__(self, store: Store, cache: KindCache, revision: int) -> None:
        self._store = store
        self._cache = cache
        self._revision = revision

    async def choose(self, where: Range, selection: Selection, limit: int) -> Chosen:
        """At most `limit` (0: all) selected objects of a range.

        Raises:
            Compacted: the store has forgotten the revision.
            StatusError: the store cannot serve it for another reason.
        """
        chosen: list[Item] = []
        prefix = self._cache.kind.prefix
        start, end = prefix + where.start.encode(), prefix + where.end.encode() if where.end else prefix_end(prefix)
        while True:
            page = await self._read(start, end, limit or _READ)
            for index, entry in enumerate(page.entries):
                key = entry.key[len(prefix) :].decode("utf-8", "backslashreplace")
                if limit and len(chosen) == limit:
                    left = page.remaining + len(page.entries) - index
                    return Chosen(chosen, key, None if selection.has_selectors else left)
                item = self._cache.decode_entry(key, entry)
                if item is not None and selection.selects(item):
                    chosen.append(item)
            if not page.remaining or not page.entries:
                return Chosen(chosen, "", None)
            start = page.entries[-1].key + b"\0"
            if len(chosen) == limit:
                next_start = start[len(prefix) :].decode("utf-8", "backslashreplace")
                return Chosen(chosen, next_start, None if selection.has_selectors else page.remaining)

    async def _read(self, start: bytes, end: bytes, limit: int) -> EntryPage:
        try:
            return await self._store.page(start, end, limit=limit, revision=self._revision)
        except Compacted:
            raise
        except RevisionInFuture:
            raise failures.version_too_large(self._revision, 0) from None
        except StorageError as error:
            raise failures.store_failed(error) from None
