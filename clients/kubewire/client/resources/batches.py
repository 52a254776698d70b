"""Cutting batches into calls a server takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

OBJECTS_AT_MOST: Final = 1000
"""Objects in one batch call; servers refuse more."""

BYTES_AT_MOST: Final = 8 << 20
"""Bytes of objects in one batch call; servers take requests of 16 MiB."""


def chunks(items: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Consecutive parts of `items`, each within both limits; an item over the limit of bytes gets its own part."""
    start = size = 0
    for place, item in enumerate(items):
        if place > start and (place - start == OBJECTS_AT_MOST or size + len(item) > BYTES_AT_MOST):
            yield items[start:place]
            start, size = place, 0
        size += len(item)
    if items:
        yield items[start:]
