"""Operations of a store, counted and timed by resource."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kubewire.apiserver.metrics import StoreMetrics
from kubewire.apiserver.storage.errors import Mismatch, StoreUnavailable
from kubewire.apiserver.storage.measured import MeasuredStore
from kubewire.apiserver.storage.memory import MemoryStore
from kubewire.component.metrics.registry import Registry
from kubewire.machinery import resources


class Away(MemoryStore):
    """A store that cannot be reached."""

    async def create(self, *_: object, **__: object) -> int:
        raise StoreUnavailable("away")


def counted(registry: Registry, name: str) -> dict[tuple[str, str, str], float]:
    """Values of a counter by group, operation and resource."""
    return {
        (sample.labels["group"], sample.labels["operation"], sample.labels["resource"]): sample.value
        for family in text_string_to_metric_families(registry.render().decode())
        for sample in family.samples
        if sample.name == name
    }


async def test_operations_are_counted_by_resource() -> None:
    """Keys of one, two or three parts before the object, and keys that are no objects."""
    registry = Registry()
    store = MeasuredStore(MemoryStore(), StoreMetrics(registry), resources.builtin().all)
    revision = await store.create(b"/registry/pods/default/a", b"x")
    await store.replace(b"/registry/pods/default/a", b"y", revision)
    await store.create(b"/registry/services/specs/default/a", b"x")
    await store.create(b"/registry/apiextensions.k8s.io/customresourcedefinitions/a", b"x")
    await store.create(b"/registry/events/default/a", b"x")
    await store.create(b"/registry/kubewire.io/progress", b"x")
    await store.get(b"/registry/deployments/default/a")
    await store.page(b"/registry/", b"/registry0")
    assert counted(registry, "etcd_requests_total") == {
        ("", "create", "pods"): 1,
        ("", "update", "pods"): 1,
        ("", "create", "services"): 1,
        ("apiextensions.k8s.io", "create", "customresourcedefinitions"): 1,
        ("", "create", "events"): 1,
        ("", "create", "other"): 1,
        ("apps", "get", "deployments"): 1,
        ("", "list", "other"): 1,
    }
    assert set(counted(registry, "etcd_request_errors_total").values()) == {0}
    assert counted(registry, "etcd_request_duration_seconds_count")["", "create", "pods"] == 1


async def test_a_guard_that_fails_is_an_answer_and_no_error() -> None:
    """Conflicts are the callers' business; only a store that did not work counts as failed."""
    registry = Registry()
    store = MeasuredStore(MemoryStore(), StoreMetrics(registry), resources.builtin().all)
    await store.create(b"/registry/pods/default/a", b"x")
    with pytest.raises(Mismatch):
        await store.create(b"/registry/pods/default/a", b"x")
    assert counted(registry, "etcd_request_errors_total") == {("", "create", "pods"): 0}
    assert counted(registry, "etcd_requests_total") == {("", "create", "pods"): 2}


async def test_a_store_that_is_away_counts_as_failed() -> None:
    """The error passes on, counted."""
    registry = Registry()
    store = MeasuredStore(Away(), StoreMetrics(registry), resources.builtin().all)
    with pytest.raises(StoreUnavailable):
        await store.create(b"/registry/pods/default/a", b"x")
    assert counted(registry, "etcd_request_errors_total") == {("", "create", "pods"): 1}


async def test_everything_else_passes_through() -> None:
    """Watches, revisions and compaction are the store's own."""
    store = MeasuredStore(MemoryStore(), StoreMetrics(Registry()), resources.builtin().all)
    revision = await store.create(b"/registry/pods/default/a", b"x")
    await store.delete(b"/registry/pods/default/a", revision)
    last = await store.revision()
    async for changes in store.watch(b"/registry/", revision):
        assert [change.value for change in changes] == [None]
        break
    await store.compact(last)
