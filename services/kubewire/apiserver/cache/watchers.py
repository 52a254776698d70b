"""Handing events to watchers: filtered once, batched once, encoded once for all who watch the same.

Watchers of the same selection form a group. The group writes its batches into a chain of links that it only holds
the end of; every watcher walks the chain at its own pace, so a batch lives exactly as long as somebody has yet to
read it, and a watcher that falls too far behind is ended instead of holding the chain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from kubewire.apiserver.cache.failures import too_slow
from kubewire.apiserver.cache.selection import Selection
from kubewire.apiserver.item import Batch, Event
from kubewire.machinery.errors import StatusError

MAX_BEHIND_BYTES = 32 << 20
"""How much a watcher may be behind: ten seconds of a kind of which two thousand objects change per second."""

EVENT_BYTES = 256
"""What an event costs beside its object, so that many small ones count too."""


class _Link:
    """A batch in a group's chain. `position`: bytes of the chain up to here."""

    __slots__ = ("batch", "next", "position")

    def __init__(self, batch: Batch, position: int) -> None:
        self.batch = batch
        self.position = position
        self.next: _Link | None = None


class GroupKey(NamedTuple):
    """What watchers must have in common to share a group."""

    selection: Selection
    window_seconds: float


class WatchGroup:
    """Watchers of the same selection whose batches are formed in the same window.

    `revision` tells what the cache has seen.
    With a window, the first event after a quiet time goes out at once and later ones wait until the window since the
    last batch is over, so that a busy time has few large batches and a quiet one no delay.
    """

    __slots__ = ("_bookmark", "_flush_at", "_pending", "_revision", "_timer", "key", "loop", "tail", "watchers")

    def __init__(self, key: GroupKey, revision: Callable[[], int]) -> None:
        self.key = key
        self.loop = asyncio.get_running_loop()
        self.watchers: set[Watcher] = set()
        self.tail = _Link(Batch(()), 0)
        self._revision = revision
        self._bookmark = Batch(())
        self._pending: list[Event] = []
        self._flush_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def offer(self, event: Event) -> None:
        """Take an event of the group's namespace into the next batch, if it is selected."""
        selection = self.key.selection
        seen = selection.view(event) if selection.has_selectors else event
        if seen is not None:
            self._pending.append(seen)

    def settle(self) -> None:
        """All events of this moment were offered: send them, or have them sent when the window is over."""
        if not self._pending or self._timer is not None:
            return
        now = self.loop.time()
        if now >= self._flush_at:
            self.flush()
        else:
            self._timer = self.loop.call_at(self._flush_at, self.flush)

    def flush(self) -> None:
        """Send what was offered as one batch."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._pending:
            return
        self._flush_at = self.loop.time() + self.key.window_seconds
        events, self._pending = self._pending, []
        link = _Link(Batch(events), self.tail.position + _size(events))
        # A batch of its own never ends a watcher that had read everything before it.
        oldest = min(link.position - MAX_BEHIND_BYTES, self.tail.position)
        self.tail.next = link
        self.tail = link
        for watcher in tuple(self.watchers):
            watcher.notice(oldest)

    def bookmark(self) -> Batch:
        """A bookmark at the revision seen by now; the same one for all who ask at the same revision."""
        revision = self._revision()
        if not self._bookmark.events or self._bookmark.revision != revision:
            self._bookmark = Batch([Event("BOOKMARK", None, None, revision)])
        return self._bookmark

    def close(self) -> None:
        """Stop the timer of a group nobody is in any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _size(events: Sequence[Event]) -> int:
    return sum(EVENT_BYTES + len(event.item.raw) for event in events if event.item is not None)


class Watcher:
    """One watch as its client sees it: iterate over batches; close it when done.

    It first hands out `first` (the initial state, or the history since the version asked for), then what its group
    sends. Iteration ends at the timeout, and raises StatusError when history is lost or the watcher is too slow.
    """

    __slots__ = (
        "_bookmarks",
        "_failure",
        "_final",
        "_first",
        "_group",
        "_is_bookmark_due",
        "_last",
        "_leave",
        "_link",
        "_timer",
        "_wake",
        "is_too_slow",
    )

    def __init__(
        self, group: WatchGroup, first: Iterator[Batch], *, bookmarks: bool, leave: Callable[[Watcher], None]
    ) -> None:
        self._group = group
        self._first: Iterator[Batch] | None = first
        self._link = group.tail
        self._last: _Link | None = None  # where it stops, once it ended
        self._timer: asyncio.TimerHandle | None = None
        self._bookmarks = bookmarks
        self._is_bookmark_due = False
        self._leave = leave
        self._failure: StatusError | StopAsyncIteration | None = None
        self._final: Batch | None = None
        self._wake: asyncio.Future[None] | None = None
        self.is_too_slow = False
        group.watchers.add(self)

    @property
    def group(self) -> WatchGroup:
        """The group it reads from."""
        return self._group

    def __aiter__(self) -> Watcher:
        return self

    async def __anext__(self) -> Batch:
        while True:
            batch = self._next()
            if batch is not None:
                return batch
            if self._failure is not None:
                raise self._failure
            self._wake = self._group.loop.create_future()
            await self._wake

    async def aclose(self) -> None:
        """End the watch; doing it twice is harmless."""
        self._end(StopAsyncIteration())

    def finish_after(self, seconds: float) -> None:
        """End the iteration normally when this time is over."""
        self._timer = self._group.loop.call_later(seconds, self.finish)

    def finish(self) -> None:
        """End the iteration normally, after what was sent already and a last bookmark."""
        self._group.flush()
        self._end(StopAsyncIteration(), self._group.bookmark() if self._bookmarks else None)

    def fail(self, failure: StatusError) -> None:
        """End the iteration with a failure, after what was sent already."""
        self._end(failure)

    def remind(self) -> None:
        """Send a bookmark as soon as everything before it was read, if the client takes bookmarks."""
        if self._bookmarks:
            self._is_bookmark_due = True
            self._awake()

    def notice(self, oldest: int) -> None:
        """There is a new batch; a watcher that has not even read up to `oldest` is ended."""
        if self._link.position < oldest:
            self._first, self._link = None, self._group.tail
            self.is_too_slow = True
            self.fail(too_slow())
        else:
            self._awake()

    def _next(self) -> Batch | None:
        if self._first is not None:
            batch = next(self._first, None)
            if batch is not None:
                return batch
            self._first = None
        if self._is_bookmark_due and self._failure is None:
            self._group.flush()
        link = self._link.next
        if link is not None and self._link is not self._last:
            self._link = link
            return link.batch
        if self._is_bookmark_due and self._failure is None:
            self._is_bookmark_due = False
            return self._group.bookmark()
        final, self._final = self._final, None
        return final

    def _end(self, failure: StatusError | StopAsyncIteration, final: Batch | None = None) -> None:
        if self._failure is None:
            self._failure, self._final = failure, final
            self._last = self._group.tail
            if self._timer is not None:
                self._timer.cancel()
            self._leave(self)
            self._awake()

    def _awake(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
