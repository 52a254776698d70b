"""Defects to put into a server, to prove that the checker finds them. Each breaks one promise, now and then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Final, TypedDict, Unpack
from unittest import mock

from kubewire.apiserver.cache.barrier import Barrier
from kubewire.apiserver.cache.dispatch import Dispatcher
from kubewire.apiserver.cache.history import History
from kubewire.apiserver.cache.pages import Chosen, Range, choose
from kubewire.apiserver.cache.reader import KindReader
from kubewire.apiserver.cache.selection import Selection
from kubewire.apiserver.cache.watch_cache import WatchCache
from kubewire.apiserver.cache.watchers import WatchGroup
from kubewire.apiserver.item import Batch, Event
from kubewire.apiserver.storage.errors import Mismatch
from kubewire.apiserver.storage.etcd_store import EtcdStore
from kubewire.apiserver.storage.store import Change

EVERY: Final = 20
"""A defect strikes once in so many chances: rarely enough to be overlooked by tests that look at one thing."""


def put_in(owner: object, name: str, value: object) -> None:
    """Replace an attribute for good."""
    mock.patch.object(owner, name, value).start()


class _Times(TypedDict, total=False):
    """What writes take beside what they write."""

    ttl_seconds: int
    timeout_seconds: float


class _Chance:
    """True once in EVERY calls."""

    def __init__(self, every: int = EVERY) -> None:
        self._every = every
        self._calls = 0

    def __call__(self) -> bool:
        self._calls += 1
        return self._calls % self._every == 0


def serve_stale_reads() -> None:
    """Linearizable reads do not wait for the cache, which takes its time."""
    take = WatchCache.take

    async def take_late(self: WatchCache, changes: Sequence[Change]) -> None:
        await asyncio.sleep(0.03)
        await take(self, changes)

    async def wait(self: Barrier) -> int:
        return self._gate.revision

    put_in(WatchCache, "take", take_late)
    put_in(Barrier, "wait", wait)


def lose_events() -> None:
    """An event does not reach those who watch at that moment."""
    offer, strikes = Dispatcher.offer, _Chance()

    def offer_most(self: Dispatcher, event: Event) -> bool:
        return not strikes() and offer(self, event)

    put_in(Dispatcher, "offer", offer_most)


def repeat_events() -> None:
    """An event is sent twice."""
    offer, strikes = Dispatcher.offer, _Chance()

    def offer_often(self: Dispatcher, event: Event) -> bool:
        if strikes():
            offer(self, event)
        return offer(self, event)

    put_in(Dispatcher, "offer", offer_often)


def swap_events() -> None:
    """An event comes after the one that followed it."""
    offer, strikes = Dispatcher.offer, _Chance()
    held: dict[Dispatcher, Event] = {}

    def offer_late(self: Dispatcher, event: Event) -> bool:
        if strikes():
            held[self] = event
            return False
        is_offered = offer(self, event)
        late = held.pop(self, None)
        return (late is not None and offer(self, late)) or is_offered

    put_in(Dispatcher, "offer", offer_late)


def split_revisions() -> None:
    """Of several changes of one revision only the first is sent."""
    offer = Dispatcher.offer
    last: dict[Dispatcher, int] = {}

    def offer_first(self: Dispatcher, event: Event) -> bool:
        is_first = last.get(self) != event.revision
        last[self] = event.revision
        return is_first and offer(self, event)

    put_in(Dispatcher, "offer", offer_first)


def send_bookmarks_early() -> None:
    """Bookmarks promise a little more than was seen."""

    def bookmark(self: WatchGroup) -> Batch:
        return Batch([Event("BOOKMARK", None, None, self._revision() + 2)])

    put_in(WatchGroup, "bookmark", bookmark)


def forget_history() -> None:
    """Watchers are told that history is gone which is there."""
    since, strikes = History.since, _Chance(4)

    def since_sometimes(self: History, revision: int) -> Sequence[Event] | None:
        return None if strikes() else since(self, revision)

    put_in(History, "since", since_sometimes)


def tear_pages() -> None:
    """Later pages of a list show what is there now."""

    async def choose_now(self: KindReader, where: Range, selection: Selection, limit: int, revision: int) -> Chosen:
        del revision
        return choose(self._cache.items, {}, where, selection, limit)

    put_in(KindReader, "_choose", choose_now)


def lose_writes() -> None:
    """Updates are acknowledged without being written."""
    replace, strikes = EtcdStore.replace, _Chance()

    async def acknowledge(self: EtcdStore, key: bytes, value: bytes, expected: int, **times: Unpack[_Times]) -> int:
        if strikes():
            return await self.revision() + 1
        return await replace(self, key, value, expected, **times)

    put_in(EtcdStore, "replace", acknowledge)


def ignore_guards() -> None:
    """Updates overwrite what they have not seen."""
    replace = EtcdStore.replace

    async def overwrite(self: EtcdStore, key: bytes, value: bytes, expected: int, **times: Unpack[_Times]) -> int:
        try:
            return await replace(self, key, value, expected, **times)
        except Mismatch as newer:
            if newer.current is None:
                raise
            return await replace(self, key, value, newer.current.revision, **times)

    put_in(EtcdStore, "replace", overwrite)


def repeat_writes() -> None:
    """Updates are written twice, as by a retry without a guard."""
    replace, strikes = EtcdStore.replace, _Chance()

    async def write_again(self: EtcdStore, key: bytes, value: bytes, expected: int, **times: Unpack[_Times]) -> int:
        revision = await replace(self, key, value, expected, **times)
        if strikes():
            await replace(self, key, value, revision, **times)
        return revision

    put_in(EtcdStore, "replace", write_again)


def refuse_what_is_done() -> None:
    """Creates are refused although they were written."""
    create, strikes = EtcdStore.create, _Chance(8)

    async def refuse(self: EtcdStore, key: bytes, value: bytes, **times: Unpack[_Times]) -> int:
        revision = await create(self, key, value, **times)
        if strikes() and b"/configmaps/" in key:
            raise Mismatch(key, await self.get(key), revision)
        return revision

    put_in(EtcdStore, "create", refuse)


def resume_late() -> None:
    """A watch on the store that is taken up again begins a little too late."""
    watch, strikes = EtcdStore.watch, _Chance(2)

    async def watch_late(
        self: EtcdStore, prefix: bytes, after_revision: int, *, with_previous: bool = False
    ) -> AsyncGenerator[list[Change], None]:
        skipped = not strikes()
        async for changes in watch(self, prefix, after_revision, with_previous=with_previous):
            if skipped:
                yield changes
            skipped = True

    put_in(EtcdStore, "watch", watch_late)


DEFECTS: Final[Mapping[str, Callable[[], None]]] = {
    defect.__name__: defect
    for defect in (
        serve_stale_reads,
        lose_events,
        repeat_events,
        swap_events,
        split_revisions,
        send_bookmarks_early,
        forget_history,
        tear_pages,
        lose_writes,
        ignore_guards,
        repeat_writes,
        refuse_what_is_done,
        resume_late,
    )
}
