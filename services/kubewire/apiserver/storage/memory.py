"""A Store in memory with etcd's semantics, for tests in virtual time.

It keeps the whole history since the last compaction as one list of changes; what held at an old revision is found
by undoing them. Leases end by the running loop's clock, so under a virtual clock they end in virtual time.
"""
# ruff: noqa: ARG002 - nothing here takes time, so the seam's timeouts have nothing to bound

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Iterator
from itertools import islice
from operator import attrgetter

from sortedcontainers import SortedDict

from kubewire.apiserver.storage.errors import Compacted, Mismatch, RevisionInFuture, StoreUnavailable, WatchLost
from kubewire.apiserver.storage.leases import LeasePool
from kubewire.apiserver.storage.store import DEFAULT_TIMEOUT_SECONDS, Change, Entry, EntryPage, prefix_end


class MemoryStore:
    """Implements `Store`. Made inside a running loop.

    Attributes:
        is_reachable: set it to False and every call fails with StoreUnavailable until it is True again.
    """

    def __init__(self) -> None:
        self.is_reachable = True
        self._revision = 1
        self._compacted = 0
        self._entries: SortedDict[bytes, Entry] = SortedDict()
        self._history: list[Change] = []
        self._leases = _Leases(self)
        self._pool = LeasePool(self._leases.grant, asyncio.get_running_loop().time)
        self._changed = asyncio.Event()
        self._generation = 0

    async def create(
        self, key: bytes, value: bytes, *, ttl_seconds: int = 0, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ) -> int:
        """See `Store.create`."""
        return await self.replace(key, value, 0, ttl_seconds=ttl_seconds, timeout_seconds=timeout_seconds)

    async def replace(
        self,
        key: bytes,
        value: bytes,
        expected_revision: int,
        *,
        ttl_seconds: int = 0,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> int:
        """See `Store.replace`."""
        self._check_reachable()
        lease = await self._pool.lease_for(ttl_seconds) if ttl_seconds else 0
        self._check_guard(key, expected_revision)
        self._leases.attach(key, lease)
        return self._commit([(key, value)])

    async def delete(
        self, key: bytes, expected_revision: int, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ) -> int:
        """See `Store.delete`."""
        self._check_reachable()
        self._check_guard(key, expected_revision)
        if key not in self._entries:  # etcd's guard on revision 0 holds for an absent key, and deletes nothing
            return self._revision
        return self._commit([(key, None)])

    async def get(
        self, key: bytes, *, revision: int = 0, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ) -> Entry | None:
        """See `Store.get`."""
        return self._state(revision).get(key)

    async def page(
        self, start: bytes, end: bytes, *, limit: int = 0, revision: int = 0, keys_only: bool = False
    ) -> EntryPage:
        """See `Store.page`."""
        state = self._state(revision)
        inside = list(state.irange(start, None if end == b"\0" else end, inclusive=(True, False)))
        chosen = [state[key] for key in (inside[:limit] if limit else inside)]
        if keys_only:
            chosen = [entry._replace(value=b"") for entry in chosen]
        return EntryPage(chosen, revision or self._revision, len(inside) - len(chosen))

    async def revision(self, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> int:
        """See `Store.revision`."""
        self._check_reachable()
        return self._revision

    async def watch(
        self, prefix: bytes, after_revision: int, *, with_previous: bool = False
    ) -> AsyncGenerator[list[Change], None]:
        """See `Store.watch`."""
        self._check_reachable()
        end = prefix_end(prefix)
        generation, seen = self._generation, after_revision
        while True:
            self._check_watch(generation, seen)
            changes = [
                change if with_previous else change._replace(previous=None)
                for change in self._history_after(seen)
                if change.key >= prefix and (end == b"\0" or change.key < end)
            ]
            seen = max(seen, self._revision)
            if changes:
                yield changes
            else:
                await self._changed.wait()

    async def compact(self, revision: int) -> None:
        """See `Store.compact`."""
        self._check_reachable()
        if revision > self._revision:
            raise RevisionInFuture(f"cannot compact to {revision}: the store is at {self._revision}")
        self._compacted = max(self._compacted, revision)
        self._history = list(self._history_after(self._compacted))

    def put_foreign(self, key: bytes, value: bytes) -> int:
        """Write as a client would that knows no guards; returns the revision."""
        return self._commit([(key, value)])

    def break_watches(self) -> None:
        """End every running watch with WatchLost, as a lost connection does."""
        self._generation += 1
        self._wake()

    def expire(self, keys: list[bytes]) -> None:
        """Delete keys at one revision, as the end of a lease does."""
        present = [key for key in keys if key in self._entries]
        if present:
            self._commit([(key, None) for key in present])

    def _commit(self, writes: list[tuple[bytes, bytes | None]]) -> int:
        self._revision += 1
        for key, value in writes:
            previous = self._apply(key, value)
            born = 0 if value is None else self._entries[key].create_revision
            self._history.append(Change(key, value, self._revision, previous, born))
        self._wake()
        return self._revision

    def _apply(self, key: bytes, value: bytes | None) -> Entry | None:
        previous = self._entries.get(key)
        if value is None:
            self._leases.attach(key, 0)
            del self._entries[key]
        else:
            born = previous.create_revision if previous else self._revision
            self._entries[key] = Entry(key, value, self._revision, born)
        return previous

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _history_after(self, revision: int) -> Iterator[Change]:
        first = bisect_right(self._history, revision, key=_revision_of)
        return islice(self._history, first, None)

    def _state(self, revision: int) -> SortedDict[bytes, Entry]:
        self._check_reachable()
        if revision in (0, self._revision):
            return self._entries
        if revision > self._revision:
            raise RevisionInFuture(f"revision {revision} is after the store's {self._revision}")
        if revision < self._compacted:
            raise Compacted(f"revision {revision} was compacted", self._compacted)
        state = self._entries.copy()
        for change in reversed(list(self._history_after(revision))):
            if change.previous is None:
                state.pop(change.key, None)
            else:
                state[change.key] = change.previous
        return state

    def _check_reachable(self) -> None:
        if not self.is_reachable:
            raise StoreUnavailable("the store is switched off")

    def _check_guard(self, key: bytes, expected_revision: int) -> None:
        current = self._entries.get(key)
        if (current.revision if current else 0) != expected_revision:
            raise Mismatch(key, current, self._revision)

    def _check_watch(self, generation: int, seen: int) -> None:
        if generation != self._generation or not self.is_reachable:
            raise WatchLost("the watch was ended")
        if seen < self._compacted:
            raise Compacted(f"changes after revision {seen} were compacted", self._compacted)


_revision_of = attrgetter("revision")


class _Leases:
    """Which keys hang on which lease, and the timers that end them."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._last = 0
        self._keys: dict[int, set[bytes]] = {}
        self._lease_of: dict[bytes, int] = {}

    async def grant(self, seconds: int) -> int:
        """A new lease that ends after `seconds`."""
        self._last += 1
        self._keys[self._last] = set()
        asyncio.get_running_loop().call_later(seconds, self._end, self._last)
        return self._last

    def attach(self, key: bytes, lease: int) -> None:
        """Hang `key` on `lease`, and on no other; 0: on none."""
        self._keys.get(self._lease_of.pop(key, 0), set()).discard(key)
        if lease:
            self._keys[lease].add(key)
            self._lease_of[key] = lease

    def _end(self, lease: int) -> None:
        self._store.expire(sorted(self._keys.pop(lease)))
