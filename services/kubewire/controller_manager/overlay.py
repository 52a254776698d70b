"""What we wrote, until the cache shows it: so that nothing is decided on what we ourselves have changed already.

Versions are compared for being the same, never for being greater: as long as the cache has the very version that a
write replaced, or lacks the object that a write made, the written object stands in for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Generic, NamedTuple

from kubewire.client.objects import ObjectKey, T, key_of

TRUSTED_SECONDS: Final = 10.0
"""A written object that the cache has not shown for so long may be gone already; then the cache is believed."""


class _Written(NamedTuple, Generic[T]):
    obj: T | None
    replaced: frozenset[str]
    at: float


class Overlay(Generic[T]):
    """Writes of one kind. Pure; times are the caller's."""

    def __init__(self) -> None:
        self._written: dict[ObjectKey, _Written[T]] = {}

    def wrote(self, obj: T, before: T | None, now: float) -> None:
        """`obj` is what the server has now in place of `before`, or for the first time."""
        self._put(key_of(obj), obj, before, now)

    def deleted(self, before: T, now: float) -> None:
        """`before` is gone."""
        self._put(key_of(before), None, before, now)

    def holds(self, key: ObjectKey) -> bool:
        """Whether a write of ours to an object may not be in the cache yet."""
        return key in self._written

    def over(self, cached: Iterable[T], mine: Iterable[ObjectKey], now: float) -> list[T]:
        """The cached objects with our writes on top; `mine` are the keys of all that may belong to them."""
        found = {key_of(obj): obj for obj in cached}
        for key in mine:
            written = self._written.get(key)
            if written is None:
                continue
            known = found.get(key)
            version = known.metadata.resourceVersion if known is not None else ""
            if version not in written.replaced or now - written.at > TRUSTED_SECONDS:
                del self._written[key]
            elif written.obj is None:
                found.pop(key, None)
            else:
                found[key] = written.obj
        return list(found.values())

    def _put(self, key: ObjectKey, obj: T | None, before: T | None, now: float) -> None:
        """A write on top of one that is not seen yet replaces that one's version as well."""
        replaced = {before.metadata.resourceVersion if before is not None else ""}
        earlier = self._written.get(key)
        if earlier is not None:
            replaced |= earlier.replaced
            if earlier.obj is not None:
                replaced.add(earlier.obj.metadata.resourceVersion)
        self._written[key] = _Written(obj, frozenset(replaced), now)
