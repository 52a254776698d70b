"""The truth as states: what existed at each revision, and what a watcher of a selection had to be shown."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Final, NamedTuple

from tests.robustness.history import NOWHERE, Seen, Truth, Version

_revision_of: Final = attrgetter("revision")


class Interval(NamedTuple):
    """Revisions from `begin` on, before `end`."""

    begin: int
    end: int


class States:
    """Every key's versions by revision."""

    def __init__(self, truth: Iterable[Truth]) -> None:
        self.changes: Final = sorted(truth, key=_revision_of)
        self.by_tag: Final = dict[str, Truth]()
        self.applied_twice: Final = list[Truth]()
        self.by_key_revision: Final = dict[tuple[str, int], Truth]()
        self._of_key: dict[str, list[Truth]] = defaultdict(list)
        for change in self.changes:
            self._of_key[change.key].append(change)
            self.by_key_revision[change.key, change.revision] = change
            if change.tag is not None:
                if change.tag in self.by_tag:
                    self.applied_twice.append(change)
                self.by_tag.setdefault(change.tag, change)

    def at(self, key: str, revision: int) -> Truth | None:
        """The write that made what the key was at a revision; None: it did not exist."""
        changes = self._of_key.get(key, [])
        index = bisect_right(changes, revision, key=_revision_of)
        return changes[index - 1] if index and changes[index - 1].tag is not None else None

    def snapshot(self, prefix: str, revision: int, label: str | None = None) -> Mapping[str, Version]:
        """Everything below a prefix at a revision; with a label, what carried it."""
        found = (self.at(key, revision) for key in self._of_key if key.startswith(prefix))
        return {
            change.key: Version(change.tag or "", change.revision)
            for change in found
            if change is not None and _is_selected(change, label)
        }

    def deletions(self, key: str) -> list[Truth]:
        """All deletions of a key, in order."""
        return [change for change in self._of_key.get(key, []) if change.tag is None]

    def keys(self) -> Iterable[str]:
        """All that ever existed."""
        return self._of_key

    def validity(self, key: str, version: Version | None) -> list[Interval]:
        """When the key was `version` (None: when it did not exist)."""
        if version is None:
            return [interval for change, interval in self._history(key) if change is None]
        return [
            interval
            for change, interval in self._history(key)
            if change is not None and (change.tag, change.revision) == (version.tag, version.revision)
        ]

    def existence(self, key: str, *, other_than: int = 0) -> list[Interval]:
        """When the key existed; with a revision: as anything but what was written there."""
        return [
            interval for change, interval in self._history(key) if change is not None and change.revision != other_than
        ]

    def between(self, prefix: str, after: int, through: int) -> list[Truth]:
        """Changes below a prefix with after < revision <= through."""
        first = bisect_right(self.changes, after, key=_revision_of)
        last = bisect_right(self.changes, through, key=_revision_of)
        return [change for change in self.changes[first:last] if change.key.startswith(prefix)]

    def view(self, change: Truth, label: str | None) -> Seen | None:
        """What a watcher of a label (None: of all) is shown of a change; None: nothing.

        What leaves the selection is DELETED, what comes into it ADDED; a deletion shows the last state that was in it.
        """
        before = self.at(change.key, change.revision - 1)
        was_in = before is not None and _is_selected(before, label)
        is_in = change.tag is not None and _is_selected(change, label)
        if is_in:
            return Seen("MODIFIED" if was_in else "ADDED", change.revision, change.key, change.tag or "")
        if was_in and before is not None:
            return Seen("DELETED", change.revision, change.key, before.tag or "")
        return None

    def _history(self, key: str) -> list[tuple[Truth | None, Interval]]:
        """What the key was (None: nothing) and when, from the first revision on."""
        spans: list[tuple[Truth | None, Interval]] = []
        held, begin = None, 0
        for change in self._of_key.get(key, []):
            spans.append((held, Interval(begin, change.revision)))
            held, begin = (None if change.tag is None else change), change.revision
        return [*spans, (held, Interval(begin, NOWHERE))]


def _is_selected(change: Truth, label: str | None) -> bool:
    return label is None or change.label == label
