"""The seam under the API server: keys, guarded writes, pages at a revision, and changes in order.

One revision counts every write; it is what clients see as resourceVersion. Writes are guarded by the revision a key
was last written at, one key at a time: several keys in one transaction would share a revision, and a watch could
not be resumed between them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import NamedTuple, Protocol

DEFAULT_TIMEOUT_SECONDS = 10.0
"""Deadline of one operation unless the caller gives one; retries and the proof of a lost answer included."""


class Entry(NamedTuple):
    """One key as it was at some revision."""

    key: bytes
    value: bytes
    revision: int
    """The revision it was last written at."""
    create_revision: int


class EntryPage(NamedTuple):
    """Part of a range, in key order, all at one revision."""

    entries: list[Entry]
    revision: int
    """The revision asked for, or the store's own when none was asked for."""
    remaining: int
    """How many keys of the range follow the last entry."""


class Change(NamedTuple):
    """One write of one key. `value` None: it was deleted."""

    key: bytes
    value: bytes | None
    revision: int
    previous: Entry | None
    """The entry before; only if the watch asked for it and it is not compacted away."""
    create_revision: int
    """The revision the key was created at; 0 for a deletion."""


class Store(Protocol):
    """Every method may raise StoreUnavailable, reads StoreTimeout, and writes OutcomeUnknown and WriteRefused."""

    async def create(
        self, key: bytes, value: bytes, *, ttl_seconds: int = 0, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ) -> int:
        """Write a key that does not exist; returns the write's revision.

        With `ttl_seconds` the key is deleted about that long after its last write.

        Raises:
            Mismatch: the key exists.
        """
        ...

    async def replace(
        self,
        key: bytes,
        value: bytes,
        expected_revision: int,
        *,
        ttl_seconds: int = 0,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> int:
        """Write a key that was last written at `expected_revision`; returns the write's revision.

        Raises:
            Mismatch: it was written since, or does not exist.
        """
        ...

    async def delete(
        self, key: bytes, expected_revision: int, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ) -> int:
        """Delete a key that was last written at `expected_revision`; returns the deletion's revision.

        Raises:
            Mismatch: it was written since, or does not exist.
        """
        ...

    async def get(
        self, key: bytes, *, revision: int = 0, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ) -> Entry | None:
        """The entry now (linearizable), or at `revision`; None when there is none.

        Raises:
            Compacted, RevisionInFuture: of `revision`.
        """
        ...

    async def page(
        self,
        start: bytes,
        end: bytes,
        *,
        limit: int = 0,
        revision: int = 0,
        keys_only: bool = False,
    ) -> EntryPage:
        """Entries with start <= key < end, at most `limit` of them (0: all), now or at `revision`.

        Raises:
            Compacted, RevisionInFuture: of `revision`.
        """
        ...

    async def revision(self, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> int:
        """A revision not older than any write that was confirmed before this call."""
        ...

    def watch(
        self, prefix: bytes, after_revision: int, *, with_previous: bool = False
    ) -> AsyncGenerator[list[Change], None]:
        """Every change of keys under `prefix` after `after_revision` (at least 1), in order, without end.

        A list holds whole revisions: the changes of one revision are never split over two lists. Close the
        iterator to end the watch.

        Raises:
            Compacted: changes after `after_revision` are compacted away, at the start or when the watch fell behind.
            WatchLost: watch again after the last revision received.
        """
        ...

    async def compact(self, revision: int) -> None:
        """Forget what was overwritten or deleted before `revision`; doing it twice is harmless.

        Raises:
            RevisionInFuture: `revision` has not been reached.
        """
        ...


def prefix_end(prefix: bytes) -> bytes:
    """The first key after all keys that start with `prefix`; a zero byte (no end) when there is none."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes((stripped[-1] + 1,)) if stripped else b"\0"
