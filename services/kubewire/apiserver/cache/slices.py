"""Cutting what is in order of revisions into parts, never within a revision.

A revision is indivisible: who has got a part of its changes when a watch breaks goes on after it, and misses the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar


class Revised(Protocol):
    """What has a revision."""

    @property
    def revision(self) -> int:
        """When it happened."""
        ...


T = TypeVar("T", bound=Revised)


def slices(changes: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Parts of about `size` changes that end on whole revisions."""
    start = 0
    while start < len(changes):
        end = min(start + size, len(changes))
        while end < len(changes) and changes[end].revision == changes[end - 1].revision:
            end += 1
        yield changes[start:end]
        start = end
