"""The objects of one simulated resource, what happened to them, and pages of what was. Bytes only, no rules."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from kubewire.client.objects import ObjectKey

HISTORY_AT_MOST: Final = 10_000
SNAPSHOTS_AT_MOST: Final = 16


class Change(NamedTuple):
    """One write. `before` None: the object was created; `after` None: it was deleted."""

    revision: int
    before: bytes | None
    after: bytes | None


class Snapshot(NamedTuple):
    """All objects at a revision, in the order of their keys."""

    revision: int
    objects: list[bytes]


class Shelf:
    """One resource.

    Attributes:
        objects: what there is now.
        forgotten: changes up to this revision are not known any more.
    """

    def __init__(self) -> None:
        self.objects: dict[ObjectKey, bytes] = {}
        self.forgotten = 0
        self._history: deque[Change] = deque()
        self._snapshots: dict[int, Snapshot] = {}

    def put(self, key: ObjectKey, raw: bytes | None, revision: int) -> None:
        """Write an object, or delete it (None)."""
        self._history.append(Change(revision, self.objects.get(key), raw))
        if raw is None:
            self.objects.pop(key, None)
        else:
            self.objects[key] = raw
        if len(self._history) > HISTORY_AT_MOST:
            self.forgotten = self._history.popleft().revision

    def changes_after(self, revision: int) -> Iterator[Change]:
        """Changes in order; the caller checks `forgotten`."""
        return (change for change in self._history if change.revision > revision)

    def forget(self, revision: int) -> None:
        """Lose all history up to `revision`, and all snapshots."""
        self.forgotten = max(self.forgotten, revision)
        self._history = deque(change for change in self._history if change.revision > revision)
        self._snapshots.clear()

    def snapshot(self, revision: int) -> Snapshot:
        """What there is now, kept for later pages."""
        taken = Snapshot(revision, [self.objects[key] for key in sorted(self.objects)])
        self._snapshots[revision] = taken
        if len(self._snapshots) > SNAPSHOTS_AT_MOST:
            del self._snapshots[min(self._snapshots)]
        return taken

    def kept_snapshot(self, revision: int) -> Snapshot | None:
        """What there was, if it is still known."""
        return self._snapshots.get(revision)
