"""Rows as JSON text with marks where ages belong, and the replacing of the marks.

A mark is the time between two zero bytes, which JSON text never contains. A thousand rows joined are split at the
marks, the ages filled in, and joined again: that is all that sending a table costs once its rows are made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import orjson

from kubewire.apiserver.encoding.table.ages import Age, human_duration
from kubewire.apiserver.encoding.table.cells import fallback_cells
from kubewire.apiserver.encoding.table.text import Cell
from kubewire.apiserver.item import Item

if TYPE_CHECKING:
    from kubewire.apiserver.encoding.kinds import KindForms

_MARK: Final = b"\x00"


def row_of(kind: KindForms, item: Item, shown: bytes) -> bytes:
    """The row of one object, which carries `shown` (JSON) as its object."""
    cells = kind.make_cells(item.message) if kind.make_cells is not None else fallback_cells(item.metadata)
    return b'{"cells":[%b],"object":%b}' % (b",".join(_cells(cells)), shown)


def _cells(cells: Iterable[Cell]) -> Iterable[bytes]:
    for cell in cells:
        if isinstance(cell, Age):
            yield b'"\x00%d\x00"' % cell.seconds
        elif isinstance(cell, tuple):
            parts = [b"\x00%d\x00" % part.seconds if isinstance(part, Age) else _inner(str(part)) for part in cell]
            yield b'"%b"' % b"".join(parts)
        else:
            yield orjson.dumps(cell)


def _inner(text: str) -> bytes:
    return orjson.dumps(text)[1:-1]


class Ages(dict[bytes, bytes]):
    """Ages by mark at one moment; each is worked out once, however many rows share it."""

    def __init__(self, now_seconds: float) -> None:
        super().__init__()
        self._now = int(now_seconds)

    def __missing__(self, mark: bytes) -> bytes:
        # Objects embed texts of their authors; one that holds a zero byte must not break the whole table.
        is_time = mark.removeprefix(b"-").isdigit()
        text = self[mark] = human_duration(self._now - int(mark)).encode() if is_time else b""
        return text

    def fill(self, text: bytes) -> bytes:
        """The text with every mark replaced by its age."""
        parts = text.split(_MARK)
        if len(parts) == 1:
            return text
        parts[1::2] = [self[mark] for mark in parts[1::2]]
        return b"".join(parts)
