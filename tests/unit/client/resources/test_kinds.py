"""Kinds: found by message class, and read alike through typed services and by name."""

import pytest

from kubewire.api.apps.v1.deployment_pb2 import Deployment
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.meta.v1.object_meta_pb2 import PartialObjectMetadata
from kubewire.client.resources.kinds import (
    DynamicObject,
    GenericKind,
    MetadataKind,
    UnknownKind,
    resource_of,
    typed_kind,
)
from kubewire.machinery.gvk import GroupVersionResource
from kubewire.rpc.v1.raw_responses_pb2 import RawList
from tests.unit.client.objects import pod

PODS = GroupVersionResource("", "v1", "pods")


def test_resources_of_classes() -> None:
    """Each kind's class stands for its resource; other messages for none."""
    assert resource_of(Deployment).gvr == GroupVersionResource("apps", "v1", "deployments")
    with pytest.raises(UnknownKind, match="PartialObjectMetadata"):
        resource_of(PartialObjectMetadata)


def test_objects_of_a_page_are_apart() -> None:
    """Each is decoded by itself."""
    kind = typed_kind(Pod)
    data = RawList(items=[pod("a").SerializeToString(), pod("b").SerializeToString()])
    data.metadata.resourceVersion = "7"
    metadata, items = kind.decode_list(data.SerializeToString())
    assert metadata.resourceVersion == "7"
    assert [item.metadata.name for item in items] == ["a", "b"]
    assert str(kind) == "pods"


def test_objects_by_name_are_wrapped() -> None:
    """A dynamic object goes out and comes back as it is."""
    kind = GenericKind(PODS)
    sent = DynamicObject("v1", "Pod", pod("a").SerializeToString())
    found = kind.decode(kind.encode(sent))
    assert (found.api_version, found.kind, found.raw) == ("v1", "Pod", sent.raw)
    assert found.decode(Pod) == pod("a")
    assert found.metadata.name == "a"


def test_metadata_cannot_be_written() -> None:
    """An object without its body would lose it."""
    with pytest.raises(TypeError, match="patch"):
        MetadataKind(PODS).encode(PartialObjectMetadata())
