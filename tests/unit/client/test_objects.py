"""Keys of objects."""

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.objects import ObjectKey, key_of, kind_of


def test_keys_read_as_they_print() -> None:
    """`namespace/name`, or the name alone."""
    for key in (ObjectKey("default", "web"), ObjectKey("", "n1")):
        assert ObjectKey.parse(str(key)) == key
    assert str(ObjectKey("default", "web")) == "default/web"
    assert str(ObjectKey("", "n1")) == "n1"


def test_key_and_kind_of_an_object() -> None:
    """They come from its metadata and its class."""
    pod = Pod()
    pod.metadata.namespace, pod.metadata.name = "default", "web"
    assert key_of(pod) == ObjectKey("default", "web")
    assert kind_of(pod) == "Pod"
