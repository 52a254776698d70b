"""Ownership of messages is that of their JSON forms, remembered or not."""

import json
from pathlib import Path
from typing import cast

import pytest
from google.protobuf.message import Message

from kubewire.api.core.v1.event_pb2 import Event
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.meta.v1.object_meta_pb2 import ManagedFieldsEntry, ObjectMeta
from kubewire.machinery.codec.encode import to_dict
from kubewire.machinery.managed_fields import entry as entries
from kubewire.machinery.managed_fields.entry import Entry
from kubewire.machinery.managed_fields.field_set import FieldSet
from kubewire.machinery.managed_fields.merge_types import MapType, of_definition
from kubewire.machinery.managed_fields.of_messages import Ownership
from kubewire.machinery.managed_fields.update import Kind, Write, update
from kubewire.machinery.messages import message_class
from kubewire.machinery.schema.definitions import Node

SPARSE = sorted(Path("tests/data/sparse").glob("*.pb"))
POD = Kind(of_definition("io.k8s.api.core.v1.Pod"), "v1")


def stored(path: Path) -> tuple[Message, Kind]:
    """An object as a Kubernetes server stored it, and its kind."""
    unknown = message_class("k8s.io.apimachinery.pkg.runtime.Unknown").FromString(path.read_bytes()[4:])
    version, kind = unknown.typeMeta.apiVersion, unknown.typeMeta.kind  # type: ignore[attr-defined]  # runtime.Unknown
    group = version.partition("/")[0].partition(".")[0] if "/" in version else "core"
    name = f"api.{group}.{version.rpartition('/')[2]}.{kind}"
    message = message_class(f"k8s.io.{name}").FromString(unknown.raw)  # type: ignore[attr-defined]  # runtime.Unknown
    return message, Kind(of_definition(f"io.k8s.{name}"), version)


def metadata(message: Message) -> ObjectMeta:
    """The metadata of an object."""
    return cast("ObjectMeta", message.metadata)  # type: ignore[attr-defined]  # every object has metadata


def entries_of(message: Message) -> list[Entry]:
    """The entries of an object."""
    return entries.from_metadata(metadata(message))


@pytest.mark.parametrize("path", SPARSE, ids=lambda path: path.stem)
def test_creates_are_remembered_by_content_and_shape(path: Path) -> None:
    """The first create, one of the same content and one of the same shape own what their JSON forms own."""
    message, kind = stored(path)
    metadata(message).ClearField("managedFields")
    metadata(message).ClearField("uid")
    wanted = update(kind, to_dict(type(message)()), to_dict(message), [], Write("m", 7))
    ownership = Ownership(kind, type(message))
    for name in ("one", "two"):
        metadata(message).name = name
        metadata(message).ClearField("managedFields")
        ownership.record_create(message, Write("m", 7))
        assert entries_of(message) == wanted
    for key in metadata(message).labels:
        metadata(message).labels[key] = "other"
    ownership.record_create(message, Write("m", 7))
    assert all(one.field_set == two.field_set for one, two in zip(entries_of(message), wanted, strict=True))


@pytest.mark.parametrize("path", SPARSE, ids=lambda path: path.stem)
def test_updates_agree_with_json(path: Path) -> None:
    """An update of a message owns what an update of its JSON form owns."""
    live, kind = stored(path)
    new = type(live).FromString(live.SerializeToString())
    metadata(new).labels["added"] = "x"
    metadata(new).generation = 99
    metadata(new).ClearField("annotations")
    if new.DESCRIPTOR.fields_by_name.get("status"):
        new.ClearField("status")
    managed = entries_of(live)
    wanted = update(kind, to_dict(live), to_dict(new), managed, Write("m", 7)) if managed else []
    Ownership(kind, type(live)).record_update(live, new, Write("m", 7))
    assert entries_of(new) == wanted


def test_values_that_differ_make_no_other_shape() -> None:
    """Two events that differ in nothing but their texts own the same fields."""
    ownership = Ownership(Kind(of_definition("io.k8s.api.core.v1.Event"), "v1"), Event)
    found = []
    for text in ("one", "two"):
        event = Event(message=text, reason=text, count=1)
        event.involvedObject.name = text
        ownership.record_create(event, Write("m", 1))
        found.append(entries_of(event))
    assert found[0] == found[1]
    assert found[0][0].fields == b'{"f:count":{},"f:involvedObject":{},"f:message":{},"f:reason":{}}'


def test_what_is_remembered_is_told_apart() -> None:
    """Objects that own different fields do not get each other's."""
    ownership = Ownership(POD, Pod)
    pods = []
    for i in range(6):
        pod = Pod()
        pod.spec.containers.add(name="a" if i % 2 else "b", image="x")
        pod.metadata.labels["l" if i // 2 == 1 else "m"] = "x"
        if i // 2 == 2:
            pod.metadata.finalizers.append("f")
        pods.append(pod)
    for pod in [*pods, *pods]:
        ownership.record_create(pod, Write("m", 1))
        plain = Pod.FromString(pod.SerializeToString())
        plain.metadata.ClearField("managedFields")
        assert entries_of(pod) == update(POD, to_dict(Pod()), to_dict(plain), [], Write("m", 1))
        pod.metadata.ClearField("managedFields")


def test_memory_is_bounded() -> None:
    """However many different objects are created, only so many are remembered."""
    ownership = Ownership(POD, Pod)
    for i in range(1_100):
        pod = Pod()
        pod.spec.containers.add(name=f"c{i}")
        ownership.record_create(pod, Write("m", 1))
        assert json.loads(entries_of(pod)[0].fields)["f:spec"]["f:containers"].keys() == {f'k:{{"name":"c{i}"}}'}
    assert len(ownership._by_content._fields) == len(ownership._by_shape._fields) == 512


def pod_with(*managed: Entry, **labels: str) -> Pod:
    """A pod with entries and labels."""
    pod = Pod(metadata=ObjectMeta(name="p", uid="1", labels=labels))
    entries.store(managed, pod.metadata)
    return pod


OLD = Entry("old", "Update", "v1", 1, b'{"f:metadata":{"f:labels":{".":{},"f:a":{}}}}')
SENT = Entry("sent", "Apply", "v1", 2, b'{"f:metadata":{"f:labels":{"f:a":{}}}}')
MINE = b'{"f:metadata":{"f:labels":{"f:b":{}}}}'


def test_entries_sent_with_an_update_count() -> None:
    """A client may set the entries of an object through the object itself, not through a subresource."""
    live = pod_with(OLD, a="1")
    new = pod_with(SENT, a="1", b="1")
    Ownership(POD, Pod).record_update(live, new, Write("me", 3))
    assert [one.manager for one in entries_of(new)] == ["sent", "me"]
    new = pod_with(SENT, a="1", b="1")
    Ownership(Kind(POD.type, "v1", "status"), Pod).record_update(live, new, Write("me", 3))
    assert entries_of(new) == [OLD, Entry("me", "Update", "v1", 3, MINE, "status")]


def test_entries_left_out_or_malformed_are_those_of_the_live_object() -> None:
    """A client that does not know of entries, or writes nonsense, does not delete them."""
    for managed in ([], [OLD._replace(fields=b"[]")], [OLD._replace(operation="Guess")]):
        new = pod_with(*managed, a="1", b="1")
        Ownership(POD, Pod).record_update(pod_with(OLD, a="1"), new, Write("me", 3))
        assert [one.manager for one in entries_of(new)] == ["old", "me"]


def test_an_empty_entry_resets() -> None:
    """One empty entry forgets all, and the object stays untracked."""
    new = pod_with(a="1", b="1")
    new.metadata.managedFields.append(ManagedFieldsEntry())
    Ownership(POD, Pod).record_update(pod_with(OLD, a="1"), new, Write("me", 3))
    assert entries_of(new) == []
    again = pod_with(a="2")
    Ownership(POD, Pod).record_update(new, again, Write("me", 3))
    assert entries_of(again) == []


def test_entries_sent_with_a_create_count() -> None:
    """A new object may come with entries, which lose what the create itself owns."""
    new = pod_with(SENT._replace(fields=b'{"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:x":{}}}'), a="1")
    new.metadata.ClearField("uid")
    Ownership(POD, Pod).record_create(new, Write("me", 3))
    assert {one.manager: one.fields for one in entries_of(new)} == {
        "sent": b'{"f:spec":{"f:x":{}}}',
        "me": b'{"f:metadata":{"f:labels":{".":{},"f:a":{}}}}',
    }


def test_reset_fields_of_a_create() -> None:
    """What the server puts back is not owned by the create either."""
    pod = pod_with(a="1")
    pod.status.phase = "Running"
    Ownership(Kind(POD.type, "v1", reset=FieldSet.of_paths([("status",)])), Pod).record_create(pod, Write("me", 3))
    assert entries_of(pod)[0].fields == b'{"f:metadata":{"f:labels":{".":{},"f:a":{}}}}'


def test_objects_that_cannot_be_compared_keep_their_entries() -> None:
    """An update that cannot be tracked leaves the live object's entries."""
    unkeyed = Node(type="object", values=Node(type="array", list_type="map", list_map_keys=("missing",)))
    ownership = Ownership(Kind(MapType({"spec": unkeyed}, None), "v1"), Pod)
    live, new = pod_with(OLD), pod_with(SENT)
    new.spec.containers.add(name="c")
    ownership.record_update(live, new, Write("me", 3))
    assert entries_of(new) == [OLD]
    created = pod_with()
    created.spec.containers.add(name="c")
    ownership.record_create(created, Write("me", 3))
    assert entries_of(created) == []
