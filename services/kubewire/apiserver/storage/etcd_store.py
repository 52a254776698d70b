"""The Store that runs: etcd.

The one subtle thing is a lost answer: a write may have been done although its call failed. Then what is stored
decides (`verdict.py`); only if that proves neither outcome does the caller learn that the outcome is unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from kubewire.apiserver.etcd import errors as etcd
from kubewire.apiserver.etcd.client import EtcdClient
from kubewire.apiserver.etcd.watch import EtcdWatch, WatchSpec
from kubewire.apiserver.storage.errors import (
    Compacted,
    Mismatch,
    OutcomeUnknown,
    RevisionInFuture,
    StorageError,
    StoreTimeout,
    StoreUnavailable,
    WatchLost,
    WriteRefused,
)
from kubewire.apiserver.storage.leases import LeasePool
from kubewire.apiserver.storage.requests import changes_of, entry_of, guarded_delete, guarded_put, read_on_failure
from kubewire.apiserver.storage.store import DEFAULT_TIMEOUT_SECONDS, Change, Entry, EntryPage, prefix_end
from kubewire.apiserver.storage.verdict import Verdict, judge
from kubewire.etcd import rpc_pb2 as pb

_PROOF_SHARE = 0.3
"""Part of a write's time kept for finding out what became of it when its answer is lost."""

_RESEND_PAUSE_SECONDS = 0.05

_PROBE_KEY = b"\0"
"""A key nobody writes: reading it costs least and its answer carries the revision as any other's does."""


class EtcdStore:
    """Implements `Store`. The client stays the caller's to close."""

    def __init__(self, client: EtcdClient) -> None:
        self._client = client
        self._leases = LeasePool(self._grant)
        self._probe = pb.RangeRequest(key=_PROBE_KEY, count_only=True)

    async def create(
        self, key: bytes, value: bytes, *, ttl_seconds: int = 0, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ) -> int:
        """See `Store.create`."""
        return await self._put(key, value, 0, ttl_seconds, timeout_seconds)

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
        return await self._put(key, value, expected_revision, ttl_seconds, timeout_seconds)

    async def delete(
        self, key: bytes, expected_revision: int, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ) -> int:
        """See `Store.delete`."""
        request = guarded_delete(key, expected_revision)
        return await self._write(key, None, expected_revision, request, timeout_seconds)

    async def get(
        self, key: bytes, *, revision: int = 0, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ) -> Entry | None:
        """See `Store.get`."""
        with _IN_OUR_WORDS:
            answer = await self._client.range(pb.RangeRequest(key=key, revision=revision), timeout_seconds)
        return entry_of(answer.kvs[0]) if answer.kvs else None

    async def page(
        self, start: bytes, end: bytes, *, limit: int = 0, revision: int = 0, keys_only: bool = False
    ) -> EntryPage:
        """See `Store.page`."""
        request = pb.RangeRequest(key=start, range_end=end, limit=limit, revision=revision, keys_only=keys_only)
        with _IN_OUR_WORDS:
            answer = await self._client.range(request)
        entries = [entry_of(kv) for kv in answer.kvs]
        return EntryPage(entries, revision or answer.header.revision, answer.count - len(entries))

    async def revision(self, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> int:
        """See `Store.revision`."""
        with _IN_OUR_WORDS:
            answer = await self._client.range(self._probe, timeout_seconds)
        return answer.header.revision

    async def watch(
        self, prefix: bytes, after_revision: int, *, with_previous: bool = False
    ) -> AsyncGenerator[list[Change], None]:
        """See `Store.watch`."""
        spec = WatchSpec(prefix, prefix_end(prefix), previous=with_previous)
        with _IN_OUR_WORDS:
            async with self._watch_after(spec, after_revision) as watch:
                async for answer in watch:
                    changes = changes_of(answer.events, after_revision)
                    if changes:
                        yield changes

    @asynccontextmanager
    async def _watch_after(self, spec: WatchSpec, after_revision: int) -> AsyncIterator[EtcdWatch]:
        """A watch that misses nothing after a revision, but may repeat what is not later.

        When history was compacted to the very next revision, etcd serves a watch from there although it has lost the
        deletions of it. So unless the next revision is yet to come, the watch starts at `after_revision` itself,
        which is then refused.
        """
        async with self._client.watch(replace(spec, start_revision=after_revision + 1)) as watch:
            if watch.created_revision <= after_revision:
                yield watch
                return
        async with self._client.watch(replace(spec, start_revision=after_revision)) as watch:
            yield watch

    async def compact(self, revision: int) -> None:
        """See `Store.compact`."""
        try:
            with _IN_OUR_WORDS:
                await self._client.compact(revision)
        except Compacted:
            return

    async def _grant(self, seconds: int) -> int:
        with _IN_OUR_WORDS:
            try:
                return (await self._client.lease_grant(seconds)).ID
            except etcd.OutcomeUnknown as error:
                # A lease nobody uses ends by itself, so a lost grant has done nothing that matters.
                raise StoreUnavailable(str(error)) from None

    async def _put(self, key: bytes, value: bytes, expected: int, ttl_seconds: int, timeout_seconds: float) -> int:
        if not ttl_seconds:
            return await self._write(key, value, expected, guarded_put(key, value, expected), timeout_seconds)
        lease = await self._leases.lease_for(ttl_seconds)
        try:
            request = guarded_put(key, value, expected, lease)
            return await self._write(key, value, expected, request, timeout_seconds)
        except etcd.LeaseNotFound:
            self._leases.forget(lease)
        return await self._put_on_new_lease(key, value, expected, ttl_seconds, timeout_seconds)

    async def _put_on_new_lease(
        self, key: bytes, value: bytes, expected: int, ttl_seconds: int, timeout_seconds: float
    ) -> int:
        """Once more, since the lease ended early: it was revoked, or our clock and etcd's went apart."""
        request = guarded_put(key, value, expected, await self._leases.lease_for(ttl_seconds))
        try:
            return await self._write(key, value, expected, request, timeout_seconds)
        except etcd.LeaseNotFound as error:
            raise StoreUnavailable(f"etcd does not keep its leases: {error}") from None

    async def _write(
        self, key: bytes, value: bytes | None, expected: int, request: pb.TxnRequest, timeout_seconds: float
    ) -> int:
        try:
            answer = await self._client.txn(request, timeout_seconds * (1 - _PROOF_SHARE))
        except etcd.LeaseNotFound:
            raise
        except etcd.OutcomeUnknown as error:
            lost = _LostWrite(self._client, key, value, expected)
            return await lost.settle(request, str(error), timeout_seconds * _PROOF_SHARE)
        except etcd.EtcdError as error:
            raise meaning_of(error) from None
        if answer.succeeded:
            return answer.header.revision
        raise Mismatch(key, read_on_failure(answer), answer.header.revision)


class _LostWrite:
    """A guarded write whose answer was lost."""

    def __init__(self, client: EtcdClient, key: bytes, value: bytes | None, expected: int) -> None:
        self._client = client
        self._key = key
        self._value = value
        self._expected = expected

    async def settle(self, request: pb.TxnRequest, why: str, seconds: float) -> int:
        """The write's revision if it is proved done; Mismatch if proved not done; else OutcomeUnknown."""
        try:
            async with asyncio.timeout(seconds):
                return await (self._settle_create() if self._expected == 0 else self._send_again(request))
        except (TimeoutError, etcd.EtcdError) as error:
            raise OutcomeUnknown(f"{why}; and what was stored could not be found out: {error!r}") from None

    async def _settle_create(self) -> int:
        """A create is not sent again: if the lost one came late, after the key was deleted, it would succeed too."""
        now = await self._read()
        if now is not None:
            born = now if now.revision == now.create_revision else await self._read(now.create_revision)
            if born is not None and born.value == self._value:
                return born.revision
        raise OutcomeUnknown(f"the answer to creating {self._key!r} was lost and the key does not hold its value")

    async def _send_again(self, request: pb.TxnRequest) -> int:
        """The same guard cannot hold twice, so of all attempts at most one is done."""
        while True:
            try:
                answer = await self._client.txn(request)
            except etcd.OutcomeUnknown:
                await asyncio.sleep(_RESEND_PAUSE_SECONDS)
            else:
                return answer.header.revision if answer.succeeded else await self._judge(answer)

    async def _judge(self, answer: pb.TxnResponse) -> int:
        first = await self._first_change()
        verdict = judge(self._value, first)
        if verdict is Verdict.DONE:
            return first.revision
        if verdict is Verdict.NOT_DONE:
            raise Mismatch(self._key, read_on_failure(answer), answer.header.revision)
        raise OutcomeUnknown(f"the answer to deleting {self._key!r} was lost; it was deleted, but maybe by another")

    async def _first_change(self) -> Change:
        """The first write of the key after the guard's revision; there is one, since the guard failed."""
        async with self._client.watch(WatchSpec(self._key, start_revision=self._expected)) as watch:
            async for answer in watch:
                changes = changes_of(answer.events, self._expected)
                if changes:
                    return changes[0]
        raise etcd.WatchLost("the watch ended without a change")

    async def _read(self, revision: int = 0) -> Entry | None:
        answer = await self._client.range(pb.RangeRequest(key=self._key, revision=revision))
        return entry_of(answer.kvs[0]) if answer.kvs else None


_MEANINGS: tuple[tuple[type[etcd.EtcdError], type[StorageError]], ...] = (
    (etcd.RevisionInFuture, RevisionInFuture),
    (etcd.OutcomeUnknown, OutcomeUnknown),
    (etcd.Refused, WriteRefused),
    (etcd.WatchEnded, WatchLost),
    (etcd.NoAnswer, StoreTimeout),
)
"""First match counts; what is not listed is StoreUnavailable."""


def meaning_of(error: etcd.EtcdError) -> StorageError:
    """etcd's failure in the words of the seam."""
    if isinstance(error, etcd.RevisionCompacted):
        return Compacted(str(error), error.compact_revision)
    for theirs, ours in _MEANINGS:
        if isinstance(error, theirs):
            return ours(str(error))
    return StoreUnavailable(str(error))


class _Meanings:
    """Around a call of the client: its failure in the words of the seam. Has no state, so that one is enough."""

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, etcd.EtcdError):
            raise meaning_of(error) from None


_IN_OUR_WORDS: Final = _Meanings()
