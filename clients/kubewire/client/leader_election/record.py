"""A Lease as elections use it."""

from __future__ import annotations

from typing import NamedTuple

from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.api.meta.v1.time_pb2 import MicroTime


class Record(NamedTuple):
    """Who holds a lease, and since when. Times are the holder's wall clock and are never compared with ours."""

    holder: str
    lease_seconds: int
    acquired_at: float
    renewed_at: float
    transitions: int


def read(lease: Lease) -> Record:
    """The record of a Lease; what is not set counts as 0 or empty."""
    spec = lease.spec
    return Record(
        spec.holderIdentity,
        spec.leaseDurationSeconds,
        _seconds(spec.acquireTime),
        _seconds(spec.renewTime),
        spec.leaseTransitions,
    )


def write(lease: Lease, record: Record) -> None:
    """Set a Lease's record; what else it holds stays."""
    spec = lease.spec
    spec.holderIdentity = record.holder
    spec.leaseDurationSeconds = record.lease_seconds
    spec.leaseTransitions = record.transitions
    _set(spec.acquireTime, record.acquired_at)
    _set(spec.renewTime, record.renewed_at)


def _seconds(moment: MicroTime) -> float:
    return moment.seconds + moment.nanos / 1e9


def _set(moment: MicroTime, seconds: float) -> None:
    microseconds = round(seconds * 1_000_000)
    moment.seconds, rest = divmod(microseconds, 1_000_000)
    moment.nanos = rest * 1000
