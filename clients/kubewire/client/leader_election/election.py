"""The decisions of one candidate, without I/O: what to do next, given what it saw and when.

The rules are those of Kubernetes' leader election. A lease is judged by how long its record has not changed under our
own eyes, never by the times in it: clocks of candidates may differ by any amount, they must only run at about the same
speed. A leader counts its deadline from the moment it *asked* for the renewal it got, others count the lease from when
they *saw* it, which is later: so its deadline always passes before anybody takes over.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.client.leader_election import record as records
from kubewire.client.leader_election.config import JITTER_FACTOR, ElectionConfig
from kubewire.client.leader_election.record import Record

_TICK_SECONDS = 1e-6
"""What a Lease's times can tell apart."""


@dataclass(frozen=True, slots=True)
class Read:
    """Get the lease; say what came to `found`, `missing` or `failed`."""

    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Create:
    """Make the lease; say what came to `written` or `failed`."""

    lease: Lease
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Update:
    """Replace the lease; say what came to `written` or `failed`."""

    lease: Lease
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class StepDown:
    """The lead is lost: the deadline passed, or somebody else holds the lease."""

    why: str


Action: TypeAlias = Read | Create | Update | Wait | StepDown


class Election:
    """One candidate, called `identity`, for the lease `namespace/name`.

    `now` is always a clock that only goes forward, `wall` the time of day; both in seconds.

    Attributes:
        lease: as last seen or written; None before, and when there is none.
        slow_renewals: how often a leader had to read the lease before renewing it.
    """

    def __init__(
        self,
        namespace: str,
        name: str,
        identity: str,
        config: ElectionConfig,
        *,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._config = config
        self._uniform = uniform
        self.lease: Lease | None = None
        self.slow_renewals = 0
        self._record: Record | None = None
        # When the record was seen to change: what a lease is judged by.
        self._observed_at = 0.0
        # Whether `lease` must be read before it can be written.
        self._is_stale = True
        self._next_at = 0.0
        self._is_leading = False
        # When the renewal was asked for that we got last.
        self._renewed_at = 0.0
        self._asked_at = 0.0

    @property
    def is_leading(self) -> bool:
        """Whether the lease is ours, as far as we know."""
        return self._is_leading

    @property
    def holder(self) -> str:
        """Who leads, as last seen; empty when nobody does."""
        return self._record.holder if self._record else ""

    @property
    def deadline(self) -> float:
        """Until when a leader may act."""
        return self._renewed_at + self._config.renew_deadline_seconds

    def plan(self, now: float, wall: float) -> Action:
        """What to do now."""
        why_lost = self._why_lost(now) if self._is_leading else ""
        if why_lost:
            self._is_leading = False
            self._is_stale = True
            return StepDown(why_lost)
        if now < self._next_at:
            until = min(self._next_at, self.deadline) if self._is_leading else self._next_at
            return Wait(until - now)
        self._asked_at = now
        if self._is_stale:
            self.slow_renewals += self._is_leading
            return Read(self._timeout(now))
        if self._is_held_by_other(now):
            self._look_later(now)
            return Wait(self._next_at - now)
        if self.lease is None:
            return Create(self._first(wall), self._timeout(now))
        return Update(self._renewed(self.lease, wall), self._timeout(now))

    def found(self, lease: Lease, now: float) -> None:
        """The lease was read."""
        self._observe(lease, now)
        self._is_stale = False

    def missing(self) -> None:
        """There is no lease."""
        self.lease = self._record = None
        self._is_stale = False

    def written(self, lease: Lease, now: float) -> None:
        """The lease was written as planned: it is ours."""
        self._observe(lease, now)
        self._is_leading = True
        self._renewed_at = self._asked_at
        self._next_at = now + self._config.retry_seconds

    def failed(self, now: float) -> None:
        """The call failed; a write may have been done all the same, so the lease is read again."""
        self._is_stale = True
        if self._is_leading:
            self._next_at = now + self._config.retry_seconds
        else:
            self._look_later(now)

    def release(self, wall: float) -> Lease | None:
        """The lease given up, to be written; None if it is not ours."""
        if not self._is_leading or self.lease is None or self._record is None:
            return None
        released = Lease()
        released.CopyFrom(self.lease)
        records.write(released, Record("", 1, wall, wall, self._record.transitions))
        self._is_leading = False
        return released

    def _why_lost(self, now: float) -> str:
        """Why a leader leads no longer; empty while it does."""
        if now >= self.deadline:
            return f"no renewal for {self._config.renew_deadline_seconds:g} s"
        if self.holder != self._identity:
            return f"{self.holder or 'nobody'} holds the lease"
        return ""

    def _timeout(self, now: float) -> float:
        """Half of the deadline, so that a lost answer leaves time to ask again; never beyond the deadline."""
        half = self._config.renew_deadline_seconds / 2
        return min(half, self.deadline - now) if self._is_leading else half

    def _look_later(self, now: float) -> None:
        self._is_stale = True
        self._next_at = now + self._config.retry_seconds * (1 + JITTER_FACTOR * self._uniform())

    def _is_held_by_other(self, now: float) -> bool:
        record = self._record
        if record is None or not record.holder or record.holder == self._identity:
            return False
        return now < self._observed_at + record.lease_seconds

    def _observe(self, lease: Lease, now: float) -> None:
        record = records.read(lease)
        if record != self._record:
            self._record = record
            self._observed_at = now
        self.lease = lease

    def _first(self, wall: float) -> Lease:
        lease = Lease()
        lease.metadata.namespace, lease.metadata.name = self._namespace, self._name
        records.write(lease, Record(self._identity, int(self._config.lease_seconds), wall, wall, 0))
        return lease

    def _renewed(self, lease: Lease, wall: float) -> Lease:
        """The lease with us as its holder."""
        renewed = Lease()
        renewed.CopyFrom(lease)
        record = records.read(lease)
        seconds = int(self._config.lease_seconds)
        if record.holder == self._identity:
            # A renewal that changes nothing is none: others judge by change, so a wall clock that stands still or
            # goes back must not show.
            ours = record._replace(lease_seconds=seconds, renewed_at=max(wall, record.renewed_at + _TICK_SECONDS))
        else:
            ours = Record(self._identity, seconds, wall, wall, record.transitions + 1)
        records.write(renewed, ours)
        return renewed
