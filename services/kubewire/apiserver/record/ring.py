"""The ring of recent writes. Adding is a handful of operations, since every write pays for it; asking may walk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

DEFAULT_CAPACITY: Final = 8192
"""Writes remembered, about 4 MB when full: some minutes of a busy small cluster, hours of an idle one."""


class WriteRecord(NamedTuple):
    """One committed write. Times are Unix seconds on this server's clock.

    Attributes:
        resource: `pods`, `deployments.apps`.
        verb: create, update, patch, apply or delete.
        revision: of the write; for a delete, the deletion's.
        manager: the field manager, as managedFields has it.
        cause: what the client says made it act (`kind/namespace/name@version`), empty if it does not say.
        received_seconds: the request arrived.
        validated_seconds: it was accepted, and sent to the store.
        committed_seconds: the store confirmed it.
    """

    resource: str
    namespace: str
    name: str
    uid: str
    verb: str
    subresource: str
    revision: int
    user: str
    manager: str
    cause: str
    received_seconds: float
    validated_seconds: float
    committed_seconds: float


ObjectKey = tuple[str, str, str]
"""Resource, namespace, name."""


class WriteRing:
    """The latest writes, found by object.

    Invariants: slot `sequence % capacity` holds the record of that sequence number, together with the sequence
    number of the same object's record before it; `_latest` names an object's newest record and only objects
    whose newest record is still held.
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._capacity = capacity
        self._slots: list[tuple[WriteRecord, int]] = []
        self._next = 0
        self._latest: dict[ObjectKey, int] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, record: WriteRecord) -> None:
        """Remember a write, forgetting the oldest one when the ring is full."""
        sequence = self._next
        self._next = sequence + 1
        key = record[:3]
        before = self._latest.get(key, -1)
        if len(self._slots) < self._capacity:
            self._slots.append((record, before))
        else:
            self._forget(sequence - self._capacity)
            self._slots[sequence % self._capacity] = (record, before)
        self._latest[key] = sequence

    def of(self, resource: str, namespace: str, name: str) -> Iterator[WriteRecord]:
        """Writes of one object, newest first."""
        sequence = self._latest.get((resource, namespace, name), -1)
        while sequence >= 0 and sequence >= self._next - self._capacity:
            record, sequence = self._slots[sequence % self._capacity]
            yield record

    def recent(self) -> Iterator[WriteRecord]:
        """All writes held, newest first."""
        for sequence in range(self._next - 1, self._next - 1 - len(self._slots), -1):
            yield self._slots[sequence % self._capacity][0]

    def _forget(self, sequence: int) -> None:
        record, _ = self._slots[sequence % self._capacity]
        key = record[:3]
        if self._latest.get(key) == sequence:
            del self._latest[key]
