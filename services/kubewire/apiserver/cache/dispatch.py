"""Finding the groups that an event concerns without asking every group.

A thousand kubelets each watch the pods of their own node; an event of a pod must reach one of them. So groups are
kept by namespace, and those whose field selector demands one value of a field are kept by that value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kubewire.apiserver.cache.watchers import GroupKey, Watcher, WatchGroup
from kubewire.apiserver.item import Event, Item

_ByValue = dict[str, list[WatchGroup]]


class Dispatcher:
    """The groups of one kind. `revision` tells what the cache has seen."""

    def __init__(self, revision: Callable[[], int]) -> None:
        self._revision = revision
        self._groups: dict[GroupKey, WatchGroup] = {}
        self._by_namespace: _ByValue = {}
        self._by_field: dict[str, _ByValue] = {}
        self._touched: set[WatchGroup] = set()
        self.slow = 0  # watchers that were ended for not keeping up

    def group(self, key: GroupKey) -> WatchGroup:
        """The group of this key, made if nobody is in it yet."""
        found = self._groups.get(key)
        if found is None:
            found = self._groups[key] = WatchGroup(key, self._revision)
            self._home(key).append(found)
        return found

    def leave(self, watcher: Watcher) -> None:
        """A watcher ended; a group nobody is left in goes with it."""
        group = watcher.group
        group.watchers.discard(watcher)
        self.slow += watcher.is_too_slow
        if not group.watchers and self._groups.pop(group.key, None) is not None:
            self._move_out(group)
            self._touched.discard(group)
            group.close()

    def watchers(self) -> Iterator[Watcher]:
        """Everybody who watches, as of this moment."""
        for group in tuple(self._groups.values()):
            yield from tuple(group.watchers)

    def offer(self, event: Event) -> bool:
        """Hand an event to the groups it may concern. False: there are none."""
        item = event.item
        if item is None or not self._groups:
            return False
        is_offered = False
        for group in self._concerned(item, event.previous):
            group.offer(event)
            self._touched.add(group)
            is_offered = True
        return is_offered

    def settle(self) -> None:
        """Have what was offered sent."""
        if self._touched:
            for group in self._touched.copy():
                group.settle()
            self._touched.clear()

    def _concerned(self, item: Item, previous: Item | None) -> Iterator[WatchGroup]:
        yield from self._by_namespace.get("", ())
        if item.namespace:
            yield from self._by_namespace.get(item.namespace, ())
        for field, by_value in self._by_field.items():
            value = _value(item, field)
            yield from _in_namespace(by_value.get(value), item.namespace)
            before = value if previous is None else _value(previous, field)
            if before != value:
                yield from _in_namespace(by_value.get(before), item.namespace)

    def _home(self, key: GroupKey) -> list[WatchGroup]:
        exact = key.selection.exact_field
        if exact is None:
            return self._by_namespace.setdefault(key.selection.namespace, [])
        field, value = exact
        return self._by_field.setdefault(field, {}).setdefault(value, [])

    def _move_out(self, group: WatchGroup) -> None:
        self._home(group.key).remove(group)
        exact = group.key.selection.exact_field
        home, name = (
            (self._by_namespace, group.key.selection.namespace)
            if exact is None
            else (self._by_field[exact[0]], exact[1])
        )
        if not home[name]:
            del home[name]
        if exact is not None and not home:
            del self._by_field[exact[0]]


def _value(item: Item, field: str) -> str:
    if field == "metadata.name":
        return item.name
    return item.namespace if field == "metadata.namespace" else item.selectable.get(field, "")


def _in_namespace(groups: list[WatchGroup] | None, namespace: str) -> Iterator[WatchGroup]:
    return (group for group in groups or () if group.key.selection.namespace in {"", namespace})
