"""The objects of one informer, found by key, namespace, selector or index.

What is read here is shared by everyone in the process: **read-only**. Copy an object before changing it (`copy_of`);
tests run with a detector for those who do not.
"""

from __future__ import annotations

from collections.abc import Iterable, KeysView
from typing import Generic, cast

from google.protobuf.message import Message

from kubewire.client.informer.index import Index, IndexFunction
from kubewire.client.objects import ObjectKey, T
from kubewire.machinery.selectors.labels import Selector


class UnknownIndex(LookupError):
    """The cache has no index of this name: the caller's mistake. `Informer.add_index` makes one."""


class Cache(Generic[T]):
    """Objects by key. `len(cache)`, `key in cache`; `put` and `remove` are its informer's alone."""

    def __init__(self) -> None:
        self._objects: dict[ObjectKey, T] = {}
        self._by_namespace: dict[str, dict[ObjectKey, T]] = {}
        self._indexes: dict[str, Index[T]] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def __contains__(self, key: object) -> bool:
        return key in self._objects

    def get(self, key: ObjectKey) -> T | None:
        """The object, or None."""
        return self._objects.get(key)

    def keys(self) -> KeysView[ObjectKey]:
        """All keys; a view that changes with the cache."""
        return self._objects.keys()

    def list(self, namespace: str = "") -> list[T]:
        """All objects, or those of a namespace. A list of the caller's own, of objects that are not."""
        objects = self._by_namespace.get(namespace, {}) if namespace else self._objects
        return list(objects.values())

    def select(self, selector: Selector, namespace: str = "") -> Iterable[T]:
        """Objects whose labels match."""
        matches = selector.matches
        return [obj for obj in self.list(namespace) if matches(obj.metadata.labels)]

    def by_index(self, index: str, value: str) -> Iterable[T]:
        """Objects with a value of an index.

        Raises:
            UnknownIndex: there is none of this name.
        """
        objects = self._objects
        return [objects[key] for key in self._index(index).keys(value)]

    def index_values(self, index: str) -> Iterable[str]:
        """All values of an index.

        Raises:
            UnknownIndex: there is none of this name.
        """
        return list(self._index(index).values)

    def add_index(self, name: str, function: IndexFunction[T]) -> None:
        """Have objects found by what `function` gives; the same index may be added again.

        Raises:
            ValueError: the name stands for another function.
        """
        existing = self._indexes.get(name)
        if existing is not None:
            if existing.function is not function:
                raise ValueError(f"index {name!r} stands for another function already")
            return
        index = self._indexes[name] = Index(function)
        for key, obj in self._objects.items():
            index.put(key, obj)

    def put(self, key: ObjectKey, obj: T) -> T | None:
        """Set an object; returns the one before."""
        before = self._objects.get(key)
        self._objects[key] = obj
        self._by_namespace.setdefault(key.namespace, {})[key] = obj
        for index in self._indexes.values():
            index.put(key, obj)
        return before

    def remove(self, key: ObjectKey) -> T | None:
        """Take an object out; returns it."""
        before = self._objects.pop(key, None)
        if before is not None:
            neighbours = self._by_namespace[key.namespace]
            del neighbours[key]
            if not neighbours:
                del self._by_namespace[key.namespace]
            for index in self._indexes.values():
                index.remove(key)
        return before

    def _index(self, name: str) -> Index[T]:
        index = self._indexes.get(name)
        if index is None:
            known = ", ".join(sorted(self._indexes)) or "none"
            raise UnknownIndex(f"no index {name!r}, there are: {known}")
        return index


def copy_of(obj: T) -> T:
    """A copy of a cached message, the caller's to change."""
    copied = type(obj)()
    cast("Message", copied).CopyFrom(cast("Message", obj))
    return copied
