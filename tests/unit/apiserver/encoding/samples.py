"""Items for tests of encodings."""

from google.protobuf import text_format

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.apiserver.item import Item
from kubewire.machinery.resources import Resource, builtin
from kubewire.machinery.wire import field


def resource(group: str, version: str, plural: str) -> Resource:
    """A resource of the table."""
    found = builtin().by_plural(group, version, plural)
    assert found is not None
    return found


PODS = resource("", "v1", "pods")
CONFIG_MAPS = resource("", "v1", "configmaps")


def versioned(raw: bytes, revision: int) -> bytes:
    """Stored bytes with the resourceVersion appended, as the cache holds them."""
    return raw + field(1, field(6, str(revision).encode()))


def config_map(name: str, revision: int = 5, **data: str) -> Item:
    """A config map, created at second 60."""
    message = ConfigMap(data=data)
    message.metadata.name, message.metadata.namespace, message.metadata.uid = name, "ns", f"uid-{name}"
    message.metadata.creationTimestamp.seconds = 60
    return Item(CONFIG_MAPS, "ns", name, revision, versioned(message.SerializeToString(), revision))


def pod(name: str, text: str, revision: int = 7) -> Item:
    """A pod from protobuf's text form."""
    message = text_format.Merge(text, Pod())
    message.metadata.name, message.metadata.namespace = name, "ns"
    return Item(PODS, "ns", name, revision, versioned(message.SerializeToString(), revision))
