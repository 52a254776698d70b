"""Choosing the objects of a page, now or as they were: pure.

What was at an older revision is what is now with the later changes undone; only the keys that changed since are
looked at, so a page costs by its size and by what happened meanwhile, not by the size of the list.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kubewire.apiserver.cache.items import Items
from kubewire.apiserver.cache.selection import Selection
from kubewire.apiserver.item import Item


class Chosen(NamedTuple):
    """Part of a list.

    `next_start` is where it goes on, empty at its end; `remaining` counts what is left, None if unknown.
    """

    items: list[Item]
    next_start: str
    remaining: int | None


class Range(NamedTuple):
    """Keys from `start` on, before `end` (empty: no end)."""

    start: str
    end: str

    def holds(self, key: str) -> bool:
        """Whether a key is inside."""
        return key >= self.start and (not self.end or key < self.end)


def choose(items: Items, undo: Mapping[str, Item | None], where: Range, selection: Selection, limit: int) -> Chosen:
    """At most `limit` (0: all) selected objects of a range, with the changes in `undo` taken back."""
    chosen: list[Item] = []
    for key, item in _walk(items, undo, where):
        if limit and len(chosen) == limit:
            return Chosen(chosen, key, None if selection.has_selectors else _count(items, undo, where, key))
        if not selection.has_selectors or selection.selects(item):
            chosen.append(item)
    return Chosen(chosen, "", None)


def _walk(items: Items, undo: Mapping[str, Item | None], where: Range) -> Iterator[tuple[str, Item]]:
    current = items.keys_from(*where)
    if not undo:
        for key in current:
            item = items.get(key)
            assert item is not None, "a key of the items has an item"
            yield key, item
        return
    unchanged = (key for key in current if key not in undo)
    before = sorted(key for key, item in undo.items() if item is not None and where.holds(key))
    for key in heapq.merge(unchanged, before):
        item = undo[key] if key in undo else items.get(key)
        if item is not None:
            yield key, item


def _count(items: Items, undo: Mapping[str, Item | None], where: Range, start: str) -> int:
    """How many objects there were from `start` on."""
    rest = Range(start, where.end)
    count = items.count(*rest)
    for key, item in undo.items():
        if rest.holds(key):
            count += (item is not None) - (items.get(key) is not None)
    return count
