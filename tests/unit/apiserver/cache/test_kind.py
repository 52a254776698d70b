"""Taking over changes of one kind."""

import logging
from collections.abc import Iterable

import pytest

from kubewire.apiserver.cache.kind import Kind, KindCache
from kubewire.apiserver.item import Event, Item
from kubewire.apiserver.metrics import ApiServerMetrics
from kubewire.component.metrics.registry import Registry
from kubewire.machinery.resources import Resource
from tests.unit.apiserver.cache.objects import NODES, PODS, stored_pod
from tests.unit.apiserver.cache.running import shown


def make(resource: Resource = PODS) -> KindCache:
    """An empty cache."""
    cache = KindCache(Kind.as_stored(resource), ApiServerMetrics(Registry()).of_kind(resource), lambda: 0)
    cache.reset({}, 1)
    return cache


def history(cache: KindCache) -> list[Event]:
    """All events so far."""
    events = cache.history.since(1)
    assert events is not None
    return list(events)


def test_life_of_an_object() -> None:
    """Creation, change and deletion become events with the state before and after."""
    cache = make()
    cache.apply("a/x", stored_pod("a/x", app="one"), 5)
    cache.apply("a/x", stored_pod("a/x", app="two"), 6)
    cache.apply("a/x", None, 9)
    created, changed, deleted = history(cache)
    assert shown([created, changed, deleted]) == [("ADDED", "a/x", 5), ("MODIFIED", "a/x", 6), ("DELETED", "a/x", 9)]
    assert changed.previous is created.item
    assert deleted.previous is changed.item
    assert created.item is not None
    assert created.item.metadata.resourceVersion == "5"
    assert deleted.item is not None
    assert deleted.item.metadata.resourceVersion == "9"
    assert dict(deleted.item.labels) == {"app": "two"}
    assert cache.items.get("a/x") is None


def test_followers_hear_of_everything() -> None:
    """Of changes with what was before, and of all there is when the cache starts over."""
    heard: list[object] = []

    class Follower:
        def change(self, item: Item | None, previous: Item | None) -> None:
            heard.append((item and item.revision, previous and previous.revision))

        def replace(self, items: Iterable[Item]) -> None:
            heard.append([item.name for item in items])

    cache = make()
    cache.followers.append(Follower())
    cache.apply("a/x", stored_pod("a/x"), 5)
    cache.apply("a/x", stored_pod("a/x"), 6)
    cache.apply("a/x", None, 7)
    cache.apply("a/x", None, 8)
    cache.apply("a/y", stored_pod("a/y"), 9)
    known = cache.items.get("a/y")
    assert known is not None
    cache.reset({"a/y": known}, 10)
    assert heard == [(5, None), (6, 5), (None, 6), (9, None), ["y"]]


def test_unknown_deletion() -> None:
    """Deleting what was never there is no event."""
    cache = make()
    cache.apply("a/x", None, 9)
    assert history(cache) == []


def test_undecodable(caplog: pytest.LogCaptureFixture) -> None:
    """A value that is no object counts as absent, is counted each time, and logged once per key without its content."""
    cache = make()
    cache.apply("a/x", stored_pod("a/x"), 5)
    with caplog.at_level(logging.WARNING):
        cache.apply("a/x", b"secret garbage", 6)
        cache.apply("a/x", b"k8s\0more garbage", 7)
        cache.apply("a/x", stored_pod("a/x")[:-5], 8)
    assert shown(history(cache)) == [("ADDED", "a/x", 5), ("DELETED", "a/x", 6)]
    assert cache.metrics.undecodable.value == 3
    assert len(caplog.records) == 1
    assert "garbage" not in caplog.text
    cache.apply("a/x", stored_pod("a/x"), 9)
    assert shown(history(cache))[-1] == ("ADDED", "a/x", 9)


def test_undecodable_inside() -> None:
    """An intact envelope around damaged bytes is found out as well."""
    cache = make()
    value = stored_pod("a/x").replace(b"\x0a\x01x", b"\x0a\x7fx")
    cache.apply("a/x", value, 5)
    assert (history(cache), cache.metrics.undecodable.value) == ([], 1)


@pytest.mark.parametrize("key", ["x", "a/b/c", "/x", "a/", ""])
def test_keys_of_another_form(key: str) -> None:
    """Keys that cannot be an object of a namespaced kind are tolerated."""
    cache = make()
    cache.apply(key, stored_pod("a/x"), 5)
    assert history(cache) == []


@pytest.mark.parametrize("key", ["a/x", ""])
def test_keys_of_another_form_cluster_scoped(key: str) -> None:
    """Likewise of a kind without namespaces."""
    cache = make(NODES)
    cache.apply(key, stored_pod("a/x").replace(b"Pod", b"Nod"), 5)
    assert history(cache) == []


def test_names_are_shared() -> None:
    """Versions of an object share its names: they would be most of what is kept for small objects."""
    cache = make()
    cache.apply("some-namespace/x", stored_pod("some-namespace/x"), 5)
    one = cache.items.get("some-namespace/x")
    cache.apply("some-namespace/x", stored_pod("some-namespace/x"), 6)
    cache.apply("some-namespace/y", stored_pod("some-namespace/y"), 7)
    two, other = cache.items.get("some-namespace/x"), cache.items.get("some-namespace/y")
    assert one is not None
    assert two is not None
    assert other is not None
    assert two.name is one.name
    assert two.namespace is one.namespace is other.namespace
