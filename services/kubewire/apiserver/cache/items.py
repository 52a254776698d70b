"""The objects of one kind as they are now, in key order, and snapshots that are remembered while nothing changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from sortedcontainers import SortedDict

from kubewire.apiserver.item import Batch, Event, Item, Page

INITIAL_BATCH = 500
"""Objects per batch of a watch's initial state: about half a megabyte of pods."""


class Snapshot:
    """Objects at one moment, with what was derived from them for everyone who asks for the same.

    Attributes:
        items: in key order.
        forms: derived bytes of the items alone (`Page.item_forms`).
        is_used: whether it was asked for since the last `forget_unused`.
    """

    __slots__ = ("_added", "_page", "forms", "is_used", "items")

    def __init__(self, items: tuple[Item, ...]) -> None:
        self.items = items
        self.forms: dict[str, bytes] = {}
        self.is_used = True
        self._added: list[Batch] | None = None
        self._page: Page | None = None

    def page(self, revision: int) -> Page:
        """All of it as one page; the same one for all who ask at the same revision."""
        if self._page is None or self._page.revision != revision:
            self._page = Page(self.items, revision, item_forms=self.forms)
        return self._page

    def added(self) -> list[Batch]:
        """The items as additions, in batches, as a watch with initial state begins."""
        if self._added is None:
            self._added = list(added_batches(self.items))
        return self._added


def added_batches(items: Iterable[Item]) -> Iterator[Batch]:
    """Items as additions, a limited number per batch."""
    rest = iter(items)
    while part := [Event("ADDED", item, None, item.revision) for item in islice(rest, INITIAL_BATCH)]:
        yield Batch(part)


class Items:
    """Objects by key (`namespace/name`, or the name alone), in key order."""

    def __init__(self) -> None:
        self._by_key: SortedDict[str, Item] = SortedDict()
        self._snapshots: dict[str, Snapshot] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, key: str) -> Item | None:
        """One object, or None."""
        return self._by_key.get(key)

    def put(self, key: str, item: Item) -> None:
        """Add or replace an object."""
        self._by_key[key] = item
        if self._snapshots:
            self._forget(item.namespace)

    def remove(self, key: str) -> None:
        """Remove an object that is there."""
        item = self._by_key.pop(key)
        if self._snapshots:
            self._forget(item.namespace)

    def replace(self, items: dict[str, Item]) -> None:
        """Hold these objects and no others."""
        self._by_key = SortedDict(items)
        self._snapshots.clear()

    def snapshot(self, namespace: str) -> Snapshot:
        """All objects of a namespace (empty: of all)."""
        found = self._snapshots.get(namespace)
        if found is None:
            found = self._snapshots[namespace] = Snapshot(tuple(self._of(namespace)))
        found.is_used = True
        return found

    def keys_from(self, start: str, end: str) -> Iterator[str]:
        """Keys with start <= key < end, in order; an empty end is none. Must be used up before anything changes."""
        keys: Iterator[str] = self._by_key.irange(start, end or None, inclusive=(True, False))
        return keys

    def count(self, start: str, end: str) -> int:
        """How many keys there are with start <= key < end."""
        until = self._by_key.bisect_left(end) if end else len(self._by_key)
        return int(until - self._by_key.bisect_left(start))

    def forget_unused(self) -> None:
        """Free the snapshots nobody has asked for since the last call."""
        for namespace, snapshot in list(self._snapshots.items()):
            if not snapshot.is_used:
                del self._snapshots[namespace]
            snapshot.is_used = False

    def _of(self, namespace: str) -> Iterator[Item]:
        by_key = self._by_key
        if not namespace:
            return map(by_key.__getitem__, by_key)
        return map(by_key.__getitem__, self.keys_from(*namespace_range(namespace)))

    def _forget(self, namespace: str) -> None:
        self._snapshots.pop("", None)
        self._snapshots.pop(namespace, None)


def namespace_range(namespace: str) -> tuple[str, str]:
    """The keys of a namespace: from the first one on, up to but without the second; all keys for the empty one."""
    return (f"{namespace}/", f"{namespace}0") if namespace else ("", "")
