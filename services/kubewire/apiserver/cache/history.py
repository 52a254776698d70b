"""The latest events of one kind: what watchers resume from and what lists at an older revision are undone with.

Invariant: every event of the kind with a revision above `floor` is held, in order. Events of one revision may be
dropped one by one, since the floor then is that revision and nobody is served from below it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter

from kubewire.apiserver.item import Event, Item

MAX_EVENTS = 100_000
"""As many as Kubernetes' largest watch cache holds."""

MAX_BYTES = 32 << 20
"""Bytes of objects that are held by the history alone, once they were overwritten or deleted."""

_SLACK = 1024
"""Dropped places at the front of the list before it is cut: cutting moves all that follow."""

_revision_of = attrgetter("revision")


class History:
    """Events above `floor`, in order of revision."""

    def __init__(self, floor: int, *, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        self.floor = floor
        self._events: list[Event] = []
        self._start = 0
        self._bytes = 0
        self._max_events = max_events
        self._max_bytes = max_bytes

    def __len__(self) -> int:
        return len(self._events) - self._start

    def append(self, event: Event) -> None:
        """Add an event not older than the last one, and drop the oldest over the bounds."""
        self._events.append(event)
        self._bytes += _size(event)
        while self._bytes > self._max_bytes or len(self) > self._max_events:
            self._drop()

    def since(self, revision: int) -> Sequence[Event] | None:
        """All events after `revision`; None if some of them are no longer held."""
        if revision < self.floor:
            return None
        return self._events[bisect_right(self._events, revision, lo=self._start, key=_revision_of) :]

    def forget_through(self, revision: int) -> None:
        """Drop events up to `revision`: they are too old to be asked for."""
        while len(self) and self._events[self._start].revision <= revision:
            self._drop()

    def undo(self, revision: int) -> dict[str, Item | None] | None:
        """What differed at `revision`: for each key changed since, its object then (None: there was none).

        None if the history does not reach back that far.
        """
        later = self.since(revision)
        if later is None:
            return None
        # The oldest change of a key tells what was before it, so later writes to the dict must come from older events.
        return {event.item.key: event.previous for event in reversed(later) if event.item is not None}

    def _drop(self) -> None:
        event = self._events[self._start]
        self._events[self._start] = _DROPPED
        self._start += 1
        self._bytes -= _size(event)
        self.floor = max(self.floor, event.revision)
        if self._start > _SLACK and self._start * 2 > len(self._events):
            del self._events[: self._start]
            self._start = 0


_DROPPED = Event("BOOKMARK", None, None, 0)
"""Stands where a dropped event was until the list is cut, so that the event itself is free."""


def _size(event: Event) -> int:
    return len(event.previous.raw) if event.previous is not None else 0
