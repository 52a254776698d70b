"""How many derived forms of objects are kept: a bound in bytes, beyond which the oldest are forgotten.

Forms live on the items themselves, where look-ups cost nothing; this only knows which items have some. An object's
entry is replaced when a newer version of it gets a form, so that old versions do not linger. Uses are not followed:
that would cost every request more than it saves the few whose form has to be made again.
"""

from __future__ import annotations

from typing import Final

from kubewire.apiserver.item import Item
from kubewire.machinery.resources import Resource

DEFAULT_LIMIT_BYTES: Final = 128 * 1024 * 1024
"""JSON of some fifty thousand pods; clusters that are only asked for protobuf use none of it."""

_ENTRY_BYTES: Final = 400
"""What an entry costs besides the form itself."""

_Name = tuple[Resource, str, str]


class FormMemory:
    """Keeps derived forms of items up to `limit_bytes` in all."""

    def __init__(self, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._entries: dict[_Name, tuple[Item, int]] = {}  # in the order of their making
        self.size_bytes = 0

    def keep(self, item: Item, form: str, data: bytes) -> bytes:
        """Keep `data` as a form of `item`, and return it."""
        name = (item.resource, item.namespace, item.name)
        size = len(data) + _ENTRY_BYTES
        entry = self._entries.pop(name, None)
        if entry is not None:
            before, kept = entry
            if before is item:
                size += kept
            else:
                before.forms = None
            self.size_bytes -= kept
        item.remember(form, data)
        self._entries[name] = item, size
        self.size_bytes += size
        while self.size_bytes > self._limit:
            self._forget_oldest()
        return data

    def _forget_oldest(self) -> None:
        item, size = self._entries.pop(next(iter(self._entries)))
        item.forms = None
        self.size_bytes -= size
