"""From a key of the store to the kind it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kubewire.apiserver.cache.kind import KindCache

ROOT = b"/registry/"
_GROUP = len(ROOT)


class Router:
    """Finds kinds by the first one or two words of a key after `/registry/`. Several kinds may share a prefix."""

    def __init__(self, kinds: Iterable[KindCache]) -> None:
        self._kinds: dict[bytes, list[KindCache]] = {}
        for cache in kinds:
            self._kinds.setdefault(cache.kind.prefix, []).append(cache)

    def route(self, key: bytes) -> tuple[Sequence[KindCache], str]:
        """The kinds a key belongs to, and the key without their prefix; none for keys that are no objects."""
        end = key.find(b"/", _GROUP) + 1
        kinds = self._kinds.get(key[:end])
        if kinds is None:
            end = key.find(b"/", end) + 1
            kinds = self._kinds.get(key[:end])
            if kinds is None:
                return (), ""
        return kinds, key[end:].decode("utf-8", "backslashreplace")
