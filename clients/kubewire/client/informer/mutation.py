"""Finds who changes an object of a cache. Protobuf messages cannot be frozen, so tests watch them instead.

`with detecting_mutations():` has every informer made inside watched; leaving it raises `CacheMutated` if an object was
changed. It costs an encoding of every object, and is meant for tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from kubewire.client.objects import ApiObject, ObjectKey, kind_of


class CacheMutated(AssertionError):
    """An object of a cache was changed by someone who should have copied it."""


class _Watched(NamedTuple):
    obj: ApiObject
    encoded: bytes


class MutationDetector:
    """Remembers what cached objects looked like when they were cached."""

    def __init__(self) -> None:
        self._watched: dict[tuple[int, ObjectKey], _Watched] = {}
        self._mutated: dict[str, None] = {}

    def cached(self, cache: object, key: ObjectKey, obj: ApiObject) -> None:
        """An object entered a cache; the one before it is looked at for the last time."""
        self.dropped(cache, key)
        self._watched[id(cache), key] = _Watched(obj, _encoded(obj))

    def dropped(self, cache: object, key: ObjectKey) -> None:
        """An object leaves a cache."""
        watched = self._watched.pop((id(cache), key), None)
        if watched is not None:
            self._compare(key, watched)

    def check(self) -> None:
        """Look at all objects that were ever cached.

        Raises:
            CacheMutated: some were changed; all are named.
        """
        for (_, key), watched in self._watched.items():
            self._compare(key, watched)
        if self._mutated:
            names = ", ".join(self._mutated)
            raise CacheMutated(f"changed in a cache, copy before changing (informer.cache.copy_of): {names}")

    def _compare(self, key: ObjectKey, watched: _Watched) -> None:
        if _encoded(watched.obj) != watched.encoded:
            self._mutated[f"{kind_of(watched.obj)} {key}"] = None


def _encoded(obj: ApiObject) -> bytes:
    return obj.SerializeToString(deterministic=True)


_active: list[MutationDetector] = []


def active_detector() -> MutationDetector | None:
    """The detector of the innermost `detecting_mutations`, or None."""
    return _active[-1] if _active else None


@contextmanager
def detecting_mutations() -> Iterator[MutationDetector]:
    """Watch every informer that is made inside, in whatever task.

    Raises:
        CacheMutated: on leaving, if an object of a cache was changed.
    """
    detector = MutationDetector()
    _active.append(detector)
    try:
        yield detector
    finally:
        _active.remove(detector)
    detector.check()
