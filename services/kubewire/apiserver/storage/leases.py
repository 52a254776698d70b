"""Sharing leases between short-lived keys, as Kubernetes does: never one lease per Event.

A lease is granted a little longer than asked for, and for that little while every key with the same time to live
hangs on it; so a key may outlive its time by up to a minute, and all keys of a lease are deleted at one revision.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

REUSE_MAX_SECONDS = 60
"""The longest time one lease is handed out."""

REUSE_SHARE = 0.05
"""The share of the time to live that a key may outlive it."""

KEYS_PER_LEASE = 1000
"""More keys would make the one revision that deletes them too large a transaction for etcd and its watchers."""


def reuse_seconds(ttl_seconds: int) -> int:
    """How long a lease for keys of this time to live is handed out; 0: never twice."""
    return min(int(ttl_seconds * REUSE_SHARE), REUSE_MAX_SECONDS)


@dataclass(slots=True)
class _SharedLease:
    lease: int
    reusable_until: float
    keys: int


class LeasePool:
    """Hands out leases by time to live, in seconds.

    `grant` makes a lease of the given seconds and returns its number.
    """

    def __init__(self, grant: Callable[[int], Awaitable[int]], clock: Callable[[], float] = time.monotonic) -> None:
        self._grant = grant
        self._clock = clock
        self._current: dict[int, _SharedLease] = {}
        self._locks: dict[int, asyncio.Lock] = {}

    async def lease_for(self, ttl_seconds: int) -> int:
        """A lease that lives at least `ttl_seconds` from now, counted as holding one more key."""
        shared = self._usable(ttl_seconds)
        if shared is None:
            async with self._locks.setdefault(ttl_seconds, asyncio.Lock()):
                shared = self._usable(ttl_seconds) or await self._renew(ttl_seconds)
        shared.keys += 1
        return shared.lease

    def forget(self, lease: int) -> None:
        """Hand `lease` out no more: the store does not know it any longer."""
        for ttl_seconds, shared in list(self._current.items()):
            if shared.lease == lease:
                del self._current[ttl_seconds]

    def _usable(self, ttl_seconds: int) -> _SharedLease | None:
        shared = self._current.get(ttl_seconds)
        if shared is None or shared.keys >= KEYS_PER_LEASE or self._clock() >= shared.reusable_until:
            return None
        return shared

    async def _renew(self, ttl_seconds: int) -> _SharedLease:
        extra = reuse_seconds(ttl_seconds)
        asked_at = self._clock()  # before the grant: the lease lives at least as long as this clock says
        shared = _SharedLease(await self._grant(ttl_seconds + extra), asked_at + extra, 0)
        self._current[ttl_seconds] = shared
        return shared
