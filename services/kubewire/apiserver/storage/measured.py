"""A Store that counts and times what another does, by operation and resource, under Kubernetes' metric names."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Iterable
from time import perf_counter
from typing import TYPE_CHECKING, Final, TypeVar

from kubewire.apiserver.storage.errors import Compacted, Mismatch, RevisionInFuture, StorageError
from kubewire.apiserver.storage.store import DEFAULT_TIMEOUT_SECONDS
from kubewire.machinery.gvk import GroupResource

if TYPE_CHECKING:
    from kubewire.apiserver.metrics import OperationMetrics, StoreMetrics
    from kubewire.apiserver.storage.store import Change, Entry, EntryPage, Store
    from kubewire.machinery.resources import Resource

Answer = TypeVar("Answer")

OTHER: Final = GroupResource("", "other")
"""Keys that are no objects: progress and compaction."""

_ANSWERS: Final = (Mismatch, Compacted, RevisionInFuture)
"""Refusals that the store decided: it worked."""


class MeasuredStore:
    """Implements `Store` over another."""

    def __init__(self, store: Store, metrics: StoreMetrics, resources: Iterable[Resource]) -> None:
        self._store = store
        self._metrics = metrics
        self._by_prefix: dict[bytes, GroupResource] = {}
        for resource in resources:
            if resource.storage is not None:
                # Several versions, and Events of both groups, lie in one place: the first names it.
                self._by_prefix.setdefault(resource.storage.prefix.encode(), resource.group_resource)

    async def create(
        self, key: bytes, value: bytes, *, ttl_seconds: int = 0, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ) -> int:
        """See `Store.create`."""
        creating = self._store.create(key, value, ttl_seconds=ttl_seconds, timeout_seconds=timeout_seconds)
        return await self._measured("create", key, creating)

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
        replacing = self._store.replace(
            key, value, expected_revision, ttl_seconds=ttl_seconds, timeout_seconds=timeout_seconds
        )
        return await self._measured("update", key, replacing)

    async def delete(
        self, key: bytes, expected_revision: int, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ) -> int:
        """See `Store.delete`."""
        deleting = self._store.delete(key, expected_revision, timeout_seconds=timeout_seconds)
        return await self._measured("delete", key, deleting)

    async def get(
        self, key: bytes, *, revision: int = 0, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    ) -> Entry | None:
        """See `Store.get`."""
        getting = self._store.get(key, revision=revision, timeout_seconds=timeout_seconds)
        return await self._measured("get", key, getting)

    async def page(
        self, start: bytes, end: bytes, *, limit: int = 0, revision: int = 0, keys_only: bool = False
    ) -> EntryPage:
        """See `Store.page`."""
        paging = self._store.page(start, end, limit=limit, revision=revision, keys_only=keys_only)
        return await self._measured("list", start, paging)

    async def revision(self, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> int:
        """See `Store.revision`; not counted, it stands behind nearly every read."""
        return await self._store.revision(timeout_seconds=timeout_seconds)

    def watch(
        self, prefix: bytes, after_revision: int, *, with_previous: bool = False
    ) -> AsyncGenerator[list[Change], None]:
        """See `Store.watch`; not counted, there is one."""
        return self._store.watch(prefix, after_revision, with_previous=with_previous)

    async def compact(self, revision: int) -> None:
        """See `Store.compact`; not counted."""
        await self._store.compact(revision)

    async def _measured(self, operation: str, key: bytes, answer: Awaitable[Answer]) -> Answer:
        started = perf_counter()
        try:
            found = await answer
        except StorageError as error:
            self._series(operation, key).done(perf_counter() - started, is_failed=not isinstance(error, _ANSWERS))
            raise
        self._series(operation, key).done(perf_counter() - started)
        return found

    def _series(self, operation: str, key: bytes) -> OperationMetrics:
        # `/registry/pods/...`, or with the group or a part of the kind: `/registry/services/specs/...`.
        parts = key.split(b"/", 4)
        resource = self._by_prefix.get(b"/".join(parts[:3])) or self._by_prefix.get(b"/".join(parts[:4])) or OTHER
        return self._metrics.operation(operation, resource)
