"""From keys to kinds."""

import pytest

from kubewire.apiserver.cache.kind import Kind, KindCache
from kubewire.apiserver.cache.routing import Router
from kubewire.apiserver.metrics import ApiServerMetrics
from kubewire.component.metrics.registry import Registry
from tests.unit.apiserver.cache.objects import NODES, PODS, resource

SERVICES, ENDPOINTS = resource("services"), resource("endpoints")


def caches() -> dict[str, KindCache]:
    """A few kinds."""
    metrics = ApiServerMetrics(Registry())
    kinds = [Kind.as_stored(one) for one in (PODS, NODES, SERVICES, ENDPOINTS)]
    return {kind.resource.plural: KindCache(kind, metrics.of_kind(kind.resource), lambda: 0) for kind in kinds}


@pytest.mark.parametrize(
    ("key", "plural", "name"),
    [
        (b"/registry/pods/ns/x", "pods", "ns/x"),
        (b"/registry/minions/n1", "nodes", "n1"),
        (b"/registry/services/specs/ns/x", "services", "ns/x"),
        (b"/registry/services/endpoints/ns/x", "endpoints", "ns/x"),
        (b"/registry/pods/", "pods", ""),
    ],
)
def test_objects(key: bytes, plural: str, name: str) -> None:
    """A key belongs to the kind whose prefix it has, of one or two words."""
    kinds = caches()
    assert Router(kinds.values()).route(key) == ([kinds[plural]], name)


@pytest.mark.parametrize(
    "key",
    [
        b"/registry/ranges/serviceips",
        b"/registry/masterleases/10.0.0.1",
        b"/registry/x",
        b"/registry/pods",
        b"/other",
        b"",
    ],
)
def test_others(key: bytes) -> None:
    """Keys that are no objects belong to no kind."""
    assert Router(caches().values()).route(key) == ((), "")


def test_names_that_are_no_text() -> None:
    """A key that is not UTF-8 is no reason to fail."""
    kinds = caches()
    assert Router(kinds.values()).route(b"/registry/pods/ns/\xff") == ([kinds["pods"]], "ns/\\xff")


def test_one_prefix_for_two_kinds() -> None:
    """Two served versions can be kept from the same keys."""
    metrics = ApiServerMetrics(Registry())
    two = [KindCache(Kind.as_stored(PODS), metrics.of_kind(PODS), lambda: 0) for _ in range(2)]
    assert Router(two).route(b"/registry/pods/ns/x") == (two, "ns/x")
