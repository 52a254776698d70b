"""Pods made short: items, events and stored values for tests of the cache."""

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.apiserver.cache.versioned import resource_version_field
from kubewire.apiserver.encoding.envelope import wrap
from kubewire.apiserver.item import Event, Item
from kubewire.machinery.resources import Resource, builtin


def resource(plural: str, group: str = "", version: str = "v1") -> Resource:
    """A built-in resource."""
    found = builtin().by_plural(group, version, plural)
    assert found is not None
    return found


PODS = resource("pods")
NODES = resource("nodes")


def raw_pod(key: str, node: str = "", **labels: str) -> bytes:
    """A pod's bytes; `key` is namespace/name."""
    namespace, _, name = key.partition("/")
    pod = Pod()
    pod.metadata.namespace, pod.metadata.name = namespace, name
    pod.metadata.labels.update(labels)
    if node:
        pod.spec.nodeName = node
    return pod.SerializeToString()


def stored_pod(key: str, node: str = "", **labels: str) -> bytes:
    """A pod as the store keeps it."""
    return wrap("v1", "Pod", raw_pod(key, node, **labels))


def pod(key: str, revision: int = 1, node: str = "", **labels: str) -> Item:
    """A pod as the cache keeps it."""
    namespace, _, name = key.partition("/")
    return Item(PODS, namespace, name, revision, raw_pod(key, node, **labels) + resource_version_field(revision))


def added(item: Item) -> Event:
    """The event of its creation."""
    return Event("ADDED", item, None, item.revision)


def modified(item: Item, previous: Item) -> Event:
    """The event of a change."""
    return Event("MODIFIED", item, previous, item.revision)


def store_key(key: str) -> bytes:
    """Where a pod is stored."""
    return f"/registry/pods/{key}".encode()
