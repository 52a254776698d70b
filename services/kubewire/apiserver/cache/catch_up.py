"""Watching from a version older than the history in memory, while the store still knows it.

Such a watch is served by one of its own on the store, with what was before each change, until it has come to where
the history begins. For a quiet kind that may take until its next change; an idle watch on the store costs little.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from kubewire.apiserver.cache.failures import store_failed, watch_expired
from kubewire.apiserver.cache.kind import KindCache
from kubewire.apiserver.cache.selection import Selection
from kubewire.apiserver.cache.versioned import with_revision
from kubewire.apiserver.cache.watchers import Watcher
from kubewire.apiserver.item import Batch, Event, Item
from kubewire.apiserver.storage.errors import Compacted, StorageError
from kubewire.apiserver.storage.store import Change, Entry, Store


class PastEvents:
    """Events of one kind after `after_revision`, out of the store.

    It may raise, while it is iterated over, StatusError: Expired when the store has forgotten some of them, and
    ServiceUnavailable when the watch on the store broke.

    Attributes:
        seen: all events up to this revision have been handed out.
    """

    def __init__(self, store: Store, cache: KindCache, selection: Selection, after_revision: int) -> None:
        self.seen = after_revision
        self._store = store
        self._cache = cache
        self._selection = selection

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """Batches of selected events until the history in memory goes on from `seen`."""
        prefix = self._cache.kind.prefix
        try:
            async with aclosing(self._store.watch(prefix, self.seen, with_previous=True)) as watch:
                async for changes in watch:
                    events = self._selected(changes)
                    if events:
                        yield Batch(events)
                    self.seen = changes[-1].revision
                    if self.seen >= self._cache.history.floor:
                        return
        except Compacted as error:
            raise watch_expired(self.seen, error.revision) from None
        except StorageError as error:
            raise store_failed(error) from None

    def _selected(self, changes: list[Change]) -> list[Event]:
        events = (self._event(change) for change in changes)
        views = (self._selection.view(event) for event in events if event is not None and self._is_near(event))
        return [view for view in views if view is not None]

    def _is_near(self, event: Event) -> bool:
        namespace = self._selection.namespace
        return not namespace or (event.item is not None and event.item.namespace == namespace)

    def _event(self, change: Change) -> Event | None:
        """The change as an event; None if neither state is an object."""
        key = change.key[len(self._cache.kind.prefix) :].decode("utf-8", "backslashreplace")
        if change.previous is None and change.create_revision != change.revision:
            raise watch_expired(self.seen, change.revision)  # what was before is compacted away
        previous = self._decode(key, change.previous)
        item = None if change.value is None else self._cache.decode(key, change.value, change.revision)
        if item is not None:
            return Event("ADDED" if previous is None else "MODIFIED", item, previous, change.revision)
        if previous is None:
            return None
        return Event("DELETED", with_revision(previous, change.revision), previous, change.revision)

    def _decode(self, key: str, entry: Entry | None) -> Item | None:
        return None if entry is None else self._cache.decode(key, entry.value, entry.revision)


class CatchingUp:
    """A watch that is served from the past first, and by `join(seen, seconds_left)` from where that ends."""

    def __init__(
        self,
        past: PastEvents,
        join: Callable[[int, float | None], Awaitable[Watcher]],
        timeout_seconds: float | None,
    ) -> None:
        self._past = past
        self._batches = past.batches()
        self._join = join
        self._loop = asyncio.get_running_loop()
        self._deadline = None if timeout_seconds is None else self._loop.time() + timeout_seconds
        self._watcher: Watcher | None = None

    def __aiter__(self) -> CatchingUp:
        return self

    async def __anext__(self) -> Batch:
        if self._watcher is not None:
            return await anext(self._watcher)
        try:
            async with asyncio.timeout_at(self._deadline):
                return await anext(self._batches)
        except TimeoutError:
            raise StopAsyncIteration from None
        except StopAsyncIteration:
            left = None if self._deadline is None else max(self._deadline - self._loop.time(), 0)
            self._watcher = await self._join(self._past.seen, left)
        return await anext(self._watcher)

    async def aclose(self) -> None:
        """End the watch; doing it twice is harmless."""
        await self._batches.aclose()
        if self._watcher is not None:
            await self._watcher.aclose()
