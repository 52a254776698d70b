"""Reading one kind: get, list and watch, as the registry asks for them.

Everything is served from memory, except what is older than memory: pages of an older revision and watches from one
are then taken from the store, as long as it has not compacted it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from kubewire.apiserver.cache import failures
from kubewire.apiserver.cache.barrier import Barrier
from kubewire.apiserver.cache.catch_up import CatchingUp, PastEvents
from kubewire.apiserver.cache.continuation import INCONSISTENT, Continuation, decode
from kubewire.apiserver.cache.gate import RevisionGate
from kubewire.apiserver.cache.items import INITIAL_BATCH, added_batches, namespace_range
from kubewire.apiserver.cache.kind import KindCache
from kubewire.apiserver.cache.options import CacheOptions
from kubewire.apiserver.cache.pages import Chosen, Range, choose
from kubewire.apiserver.cache.past_pages import PastPages
from kubewire.apiserver.cache.selection import EVERYTHING, Selection
from kubewire.apiserver.cache.slices import slices
from kubewire.apiserver.cache.versions import LATEST, Freshness, ReadAt
from kubewire.apiserver.cache.watchers import GroupKey, Watcher
from kubewire.apiserver.contracts import Watch
from kubewire.apiserver.item import Batch, Event, Item, Page
from kubewire.apiserver.storage.errors import Compacted
from kubewire.apiserver.storage.store import Store


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """What a watch begins with and how it goes on.

    Kubernetes' rules: no resourceVersion: `initial`, at LATEST; "0": `initial`, at ANY; another: `after` it.
    sendInitialEvents: `initial` and `initial_end`, at what resourceVersion says; false without a resourceVersion:
    neither `initial` nor `after`.
    """

    selection: Selection = EVERYTHING
    after: int | None = None
    """Events after this revision; None: after the moment the watch began."""
    initial: bool = False
    """Begin with additions of everything there is."""
    initial_end: bool = False
    """Close the initial state with a bookmark that says so."""
    at: ReadAt = LATEST
    """How new the beginning must be, unless `after` names it."""
    bookmarks: bool = False
    """Send bookmarks now and then, and at the timeout."""
    window_seconds: float = 0.0
    """How long events may wait for company in a batch."""
    timeout_seconds: float | None = None
    """When the watch ends by itself."""


class KindReader:
    """Reads of one kind. Every method raises StatusError and nothing else."""

    def __init__(
        self, cache: KindCache, store: Store, gate: RevisionGate, barrier: Barrier, options: CacheOptions
    ) -> None:
        self._cache = cache
        self._metrics = cache.metrics
        self._loop = asyncio.get_running_loop()
        self._store = store
        self._gate = gate
        self._barrier = barrier
        self._options = options

    async def get(self, namespace: str, name: str, at: ReadAt = LATEST) -> Item | None:
        """One object, or None if there is none."""
        await self._be(at)
        return self.peek(namespace, name)

    def peek(self, namespace: str, name: str) -> Item | None:
        """The object as it is in memory at this moment."""
        return self._cache.items.get(f"{namespace}/{name}" if namespace else name)

    async def list(
        self, selection: Selection = EVERYTHING, *, at: ReadAt = LATEST, limit: int = 0, continue_token: str = ""
    ) -> Page:
        """A page of the selected objects; `limit` 0: all of them. With a token `at` does not count.

        Raises:
            StatusError: BadRequest (token), Expired (the revision asked for is gone), Timeout (too new).
        """
        prefix = f"{selection.namespace}/" if selection.namespace else ""
        start, end = namespace_range(selection.namespace)
        if continue_token:
            revision, start = decode(continue_token, prefix)
            at = LATEST if revision == INCONSISTENT else ReadAt(Freshness.EXACT, revision)
        await self._be(at)
        if at.freshness is Freshness.LATEST:
            self._metrics.consistent_read(is_fallback=False, is_success=True)
        revision = at.revision if at.freshness is Freshness.EXACT else self._gate.revision
        self._metrics.lists.value += 1
        if revision == self._gate.revision and not (limit or continue_token):
            page = await self._whole(selection)
        else:
            page = await self._part(Range(start, end), selection, limit, revision, is_continued=bool(continue_token))
        self._metrics.returned.value += len(page.items)
        return page

    async def watch(self, plan: WatchPlan) -> Watch:
        """A running watch; close it when done.

        Raises:
            StatusError: Expired (the history asked for is gone), Timeout (the version is too new).
        """
        if plan.after is None:
            await self._be(plan.at)
            return self._watch_from_now(plan)
        await self._reach(plan.after)
        if plan.after < self._cache.history.floor:
            past = PastEvents(self._store, self._cache, plan.selection, plan.after)
            return CatchingUp(past, lambda seen, seconds: self._join(plan, seen, seconds), plan.timeout_seconds)
        return await self._join(plan, plan.after, plan.timeout_seconds)

    async def _be(self, at: ReadAt) -> None:
        """Wait until the cache is as new as asked for."""
        if at.freshness is Freshness.LATEST:
            began = self._loop.time()
            await self._barrier.wait()
            self._metrics.read_wait.observe(self._loop.time() - began)
        else:
            # Whatever there is: but there must have been a load.
            await self._reach(max(at.revision, 1))

    async def _reach(self, revision: int) -> None:
        if revision <= self._gate.revision:
            return
        try:
            async with asyncio.timeout(self._options.version_wait_seconds):
                await self._gate.wait_for(revision)
        except TimeoutError:
            if not self._gate.revision:
                raise failures.not_filled() from None
            raise failures.version_too_large(revision, self._gate.revision) from None

    async def _whole(self, selection: Selection) -> Page:
        """Everything selected as it is now."""
        revision = self._gate.revision
        if selection.name is not None and (selection.namespace or not self._cache.kind.resource.namespaced):
            item = self.peek(selection.namespace, selection.name)
            return Page([item] if item is not None and selection.selects(item) else [], revision)
        snapshot = self._cache.items.snapshot(selection.namespace)
        self._metrics.fetched.value += len(snapshot.items)
        if not selection.has_selectors:
            return snapshot.page(revision)
        chosen: list[Item] = []
        for start in range(0, len(snapshot.items), _SCAN):
            if start:
                await asyncio.sleep(0)
            chosen.extend(filter(selection.selects, snapshot.items[start : start + _SCAN]))
        return Page(chosen, revision)

    async def _part(self, where: Range, selection: Selection, limit: int, revision: int, *, is_continued: bool) -> Page:
        """At most `limit` of the objects selected at a revision, from the start of a range on."""
        prefix = f"{selection.namespace}/" if selection.namespace else ""
        try:
            chosen = await self._choose(where, selection, limit, revision)
        except Compacted:
            if is_continued:
                raise failures.continue_expired(Continuation(INCONSISTENT, where.start).encode(prefix)) from None
            raise failures.list_expired() from None
        token = Continuation(revision, chosen.next_start).encode(prefix) if chosen.next_start else ""
        return Page(chosen.items, revision, continue_token=token, remaining=chosen.remaining)

    async def _choose(self, where: Range, selection: Selection, limit: int, revision: int) -> Chosen:
        undo = {} if revision == self._gate.revision else self._cache.history.undo(revision)
        if undo is not None:
            return choose(self._cache.items, undo, where, selection, limit)
        return await PastPages(self._store, self._cache, revision).choose(where, selection, limit)

    def _watch_from_now(self, plan: WatchPlan) -> Watcher:
        return self._watcher(plan, self._initial(plan) if plan.initial else iter(()), plan.timeout_seconds)

    def _initial(self, plan: WatchPlan) -> Iterator[Batch]:
        """The state at this moment, read at the watcher's pace."""
        snapshot = self._cache.items.snapshot(plan.selection.namespace)
        end = [Batch([Event("BOOKMARK", None, None, self._gate.revision, initial_end=True)])]
        if plan.selection.has_selectors:
            added = added_batches(filter(plan.selection.selects, snapshot.items))
        else:
            added = iter(snapshot.added())
        return chain(self._counted(added), end if plan.initial_end else ())

    def _counted(self, initial: Iterator[Batch]) -> Iterator[Batch]:
        for batch in initial:
            self._metrics.initial_events.value += len(batch.events)
            yield batch

    async def _join(self, plan: WatchPlan, seen: int, seconds: float | None) -> Watcher:
        """Go on after `seen` from memory."""
        await self._reach(seen)
        events = self._cache.history.since(seen)
        if events is None:
            raise failures.watch_expired(seen, self._cache.history.floor)
        namespace, view = plan.selection.namespace, plan.selection.view
        near = (event for event in events if not namespace or (event.item and event.item.namespace == namespace))
        seen_events = [shown for shown in map(view, near) if shown is not None]
        return self._watcher(plan, map(Batch, slices(seen_events, INITIAL_BATCH)), seconds)

    def _watcher(self, plan: WatchPlan, first: Iterator[Batch], seconds: float | None) -> Watcher:
        """A watcher that goes on after everything that is in memory at this moment."""
        dispatcher = self._cache.dispatcher
        group = dispatcher.group(GroupKey(plan.selection, plan.window_seconds))
        group.flush()
        watcher = Watcher(group, first, bookmarks=plan.bookmarks, leave=dispatcher.leave)
        if seconds is not None:
            watcher.finish_after(seconds)
        return watcher


_SCAN = 2000
"""Objects matched against selectors before others may run."""
