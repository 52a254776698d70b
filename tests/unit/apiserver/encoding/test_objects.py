"""One object in all its forms."""

from typing import Any, cast

import orjson

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.meta.v1.object_meta_pb2 import PartialObjectMetadata
from kubewire.api.runtime.runtime_pb2 import Unknown
from kubewire.apiserver.encoding.memory import FormMemory
from kubewire.apiserver.encoding.objects import TAIL, ObjectForms
from kubewire.apiserver.item import Item
from tests.unit.apiserver.encoding.samples import config_map


def forms() -> ObjectForms:
    """With plenty of memory."""
    return ObjectForms(FormMemory())


def unwrapped(data: bytes) -> Unknown:
    """What is in an envelope."""
    assert data.startswith(b"k8s\x00")
    return Unknown.FromString(data[4:])


def test_json_begins_with_kind_and_version() -> None:
    """One line, with the resourceVersion that was appended to the stored bytes."""
    data = forms().json(config_map("a", k="v"))
    assert data.startswith(b'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a",')
    assert data.endswith(b"}\n")
    document = cast("dict[str, Any]", orjson.loads(data))
    assert document["metadata"]["resourceVersion"] == "5"
    assert document["data"] == {"k": "v"}


def test_json_is_made_once() -> None:
    """The second time, what was kept is used."""
    made, item = forms(), config_map("a")
    first = made.tail(item)
    assert made.tail(item) is first
    assert item.forms == {TAIL: first}


def test_fresh_forms_are_not_kept() -> None:
    """What nobody will ask for again leaves no trace."""
    item = config_map("a")
    assert forms().fresh_tail(item).startswith(b'"metadata":')
    assert item.forms is None


def test_protobuf_is_the_stored_bytes_in_an_envelope() -> None:
    """Nothing is decoded on the way."""
    item = config_map("a", k="v")
    unknown = unwrapped(forms().protobuf(item))
    assert unknown.raw == item.raw
    assert (unknown.typeMeta.apiVersion, unknown.typeMeta.kind) == ("v1", "ConfigMap")


def test_metadata_alone() -> None:
    """As JSON and as protobuf, in the version that was asked for."""
    item = config_map("a", k="v")
    document = cast("dict[str, Any]", orjson.loads(forms().partial_json(item, "v1beta1")))
    assert (document["kind"], document["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1beta1")
    assert document["metadata"]["name"] == "a"
    assert "data" not in document
    unknown = unwrapped(forms().partial_protobuf(item, "v1"))
    assert unknown.typeMeta.kind == "PartialObjectMetadata"
    partial = PartialObjectMetadata.FromString(unknown.raw)
    assert (partial.metadata.name, partial.metadata.resourceVersion) == ("a", "5")
    assert not ConfigMap.FromString(unknown.raw).data


def test_objects_of_other_kinds_keep_their_kind() -> None:
    """Forms are found by the resource of the item."""
    made = forms()
    item = config_map("a")
    copy = Item(item.resource, "ns", "b", 1, item.raw)
    assert made.kinds.of(item.resource) is made.kinds.of(copy.resource)
    assert made.kinds.of(item.resource).list_opening == b'{"kind":"ConfigMapList","apiVersion":"v1",'
