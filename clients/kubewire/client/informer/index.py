"""Indexes of a cache: which objects share a value, such as a label's or an owner's uid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Generic

from kubewire.client.objects import ApiObject, ObjectKey, T

IndexFunction = Callable[[T], Iterable[str]]
"""The values an object is found by; none: it is not in the index."""


class Index(Generic[T]):
    """One index. Its values are kept per object, so that they are computed once for each version."""

    def __init__(self, function: IndexFunction[T]) -> None:
        self.function = function
        # Dictionaries for their order: objects of a value come in the order in which they got it.
        self._keys: dict[str, dict[ObjectKey, None]] = {}
        self._values: dict[ObjectKey, tuple[str, ...]] = {}

    def put(self, key: ObjectKey, obj: T) -> None:
        """Have an object found by its present values."""
        values = tuple(self.function(obj))
        before = self._values.get(key, ())
        if values == before:
            return
        self._leave(key, before)
        if values:
            self._values[key] = values
            for value in values:
                self._keys.setdefault(value, {})[key] = None

    def remove(self, key: ObjectKey) -> None:
        """Have an object found no more."""
        self._leave(key, self._values.get(key, ()))

    def keys(self, value: str) -> Iterable[ObjectKey]:
        """The objects with a value."""
        return self._keys.get(value, ())

    @property
    def values(self) -> Mapping[str, Iterable[ObjectKey]]:
        """All values there are."""
        return self._keys

    def _leave(self, key: ObjectKey, values: tuple[str, ...]) -> None:
        for value in values:
            keys = self._keys[value]
            keys.pop(key, None)
            if not keys:
                del self._keys[value]
        if values:
            del self._values[key]


def by_label(label: str) -> IndexFunction[ApiObject]:
    """Index by the value of a label; objects without it are left out."""

    def values(obj: ApiObject) -> Iterable[str]:
        labels = obj.metadata.labels
        return (labels[label],) if label in labels else ()

    return values


def by_owner_uid(obj: ApiObject) -> Iterable[str]:
    """Index by the uids of owners, controllers and others."""
    return [owner.uid for owner in obj.metadata.ownerReferences]


def by_controller_uid(obj: ApiObject) -> Iterable[str]:
    """Index by the uid of the one owner that controls the object."""
    return [owner.uid for owner in obj.metadata.ownerReferences if owner.controller]
