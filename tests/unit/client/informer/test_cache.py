"""Cache: objects are found by key, namespace, labels and indexes, and by nothing they no longer have."""

import pytest

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.informer.cache import Cache, UnknownIndex, copy_of
from kubewire.client.informer.index import by_controller_uid, by_label, by_owner_uid
from kubewire.client.objects import ObjectKey, key_of
from kubewire.machinery.selectors import labels
from tests.unit.client.objects import pod


def filled(*pods: Pod) -> Cache[Pod]:
    """A cache of pods."""
    cache = Cache[Pod]()
    for each in pods:
        cache.put(key_of(each), each)
    return cache


def names(pods: object) -> list[str]:
    """Names of pods."""
    return [each.metadata.name for each in pods]  # type: ignore[attr-defined]  # an iterable of pods


def test_by_key_and_namespace() -> None:
    """Objects of one name in two namespaces are two objects."""
    cache = filled(pod("a"), pod("a", namespace="other"), pod("b"))
    assert len(cache) == 3
    found = cache.get(ObjectKey("other", "a"))
    assert found is not None
    assert found.metadata.namespace == "other"
    assert cache.get(ObjectKey("other", "b")) is None
    assert names(cache.list("default")) == ["a", "b"]
    assert cache.list("nowhere") == []
    assert ObjectKey("default", "a") in cache


def test_by_labels() -> None:
    """A selector finds what matches, in a namespace or in all."""
    cache = filled(pod("a", app="web"), pod("b", app="db"), pod("c", namespace="other", app="web"))
    web = labels.parse("app=web")
    assert names(cache.select(web)) == ["a", "c"]
    assert names(cache.select(web, "other")) == ["c"]


def test_indexes_follow_objects() -> None:
    """An object is found by its present values alone, and by none when it is gone."""
    cache = filled(pod("a", app="web"), pod("b", app="web"))
    cache.add_index("app", by_label("app"))
    assert names(cache.by_index("app", "web")) == ["a", "b"]
    cache.put(ObjectKey("default", "a"), pod("a", app="db"))
    assert names(cache.by_index("app", "web")) == ["b"]
    assert names(cache.by_index("app", "db")) == ["a"]
    cache.put(ObjectKey("default", "a"), pod("a"))
    assert list(cache.index_values("app")) == ["web"]
    cache.remove(ObjectKey("default", "b"))
    assert list(cache.index_values("app")) == []
    assert cache.remove(ObjectKey("default", "b")) is None


def test_owners() -> None:
    """Owners are found by uid; controllers apart from others."""
    owned = pod("a", owner="u1")
    owned.metadata.ownerReferences.add(uid="u2")
    cache = filled(owned, pod("b", owner="u1"))
    cache.add_index("owner", by_owner_uid)
    cache.add_index("controller", by_controller_uid)
    assert names(cache.by_index("owner", "u1")) == ["a", "b"]
    assert names(cache.by_index("owner", "u2")) == ["a"]
    assert list(cache.by_index("controller", "u2")) == []


def test_index_names() -> None:
    """One name is one function; an unknown name says which there are."""
    cache = filled()
    cache.add_index("owner", by_owner_uid)
    cache.add_index("owner", by_owner_uid)
    with pytest.raises(ValueError, match="'owner' stands for another function"):
        cache.add_index("owner", by_controller_uid)
    with pytest.raises(UnknownIndex, match="no index 'node', there are: owner"):
        cache.by_index("node", "n1")


def test_copies_are_the_callers() -> None:
    """A copy may be changed."""
    cache = filled(pod("a"))
    copied = copy_of(cache.list()[0])
    copied.spec.nodeName = "n1"
    assert cache.list()[0].spec.nodeName == ""
