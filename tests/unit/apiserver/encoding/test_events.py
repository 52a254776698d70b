"""Watch frames in every form."""

from typing import Any, cast

import orjson

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.meta.v1.status_pb2 import Status
from kubewire.api.meta.v1.watch_event_pb2 import WatchEvent
from kubewire.api.runtime.runtime_pb2 import Unknown
from kubewire.apiserver.encoding.events import INITIAL_END, Frames
from kubewire.apiserver.encoding.media import Format, View, Wanted
from kubewire.apiserver.encoding.memory import FormMemory
from kubewire.apiserver.encoding.objects import ObjectForms
from kubewire.apiserver.item import Batch, Event
from kubewire.machinery import errors
from tests.unit.apiserver.encoding.samples import CONFIG_MAPS, config_map

JSON, PROTOBUF = Wanted(Format.JSON), Wanted(Format.PROTOBUF)
TABLE = Wanted(Format.JSON, View.TABLE, "v1")
METADATA = Wanted(Format.JSON, View.METADATA, "v1")


def frames(wanted: Wanted) -> Frames:
    """Frames of config maps."""
    return Frames(ObjectForms(FormMemory()), CONFIG_MAPS, wanted)


def changes() -> Batch:
    """An addition, a removal and a bookmark."""
    added, gone = config_map("a", 5, k="v"), config_map("b", 6)
    return Batch(
        [
            Event("ADDED", added, None, 5),
            Event("DELETED", gone, config_map("b", 3), 6),
            Event("BOOKMARK", None, None, 9),
        ]
    )


def lines(data: bytes) -> list[dict[str, Any]]:
    """Decoded JSON frames."""
    assert data.endswith(b"\n")
    return [cast("dict[str, Any]", orjson.loads(line)) for line in data.splitlines()]


def messages(data: bytes) -> list[tuple[str, Unknown]]:
    """Decoded protobuf frames: type, and the envelope of the object."""
    found = []
    while data:
        length = int.from_bytes(data[:4], "big")
        event = WatchEvent.FromString(data[4 : 4 + length])
        assert event.object.raw.startswith(b"k8s\x00")
        found.append((event.type, Unknown.FromString(event.object.raw[4:])))
        data = data[4 + length :]
    return found


def test_json_frames_are_lines() -> None:
    """One line an event; a bookmark has nothing but its version."""
    added, deleted, bookmark = lines(frames(JSON).of(changes()))
    assert (added["type"], added["object"]["kind"], added["object"]["data"]) == ("ADDED", "ConfigMap", {"k": "v"})
    assert (deleted["type"], deleted["object"]["metadata"]["resourceVersion"]) == ("DELETED", "6")
    assert bookmark == {
        "type": "BOOKMARK",
        "object": {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}},
    }


def test_protobuf_frames_carry_their_length() -> None:
    """The stored bytes in their envelope, inside a WatchEvent."""
    added, _, bookmark = messages(frames(PROTOBUF).of(changes()))
    assert (added[0], added[1].typeMeta.kind) == ("ADDED", "ConfigMap")
    assert ConfigMap.FromString(added[1].raw).data == {"k": "v"}
    assert ConfigMap.FromString(bookmark[1].raw).metadata.resourceVersion == "9"


def test_a_batch_is_encoded_once() -> None:
    """All watchers of one form share the bytes; other forms have their own."""
    batch = changes()
    first = frames(JSON).of(batch)
    assert frames(JSON).of(batch) is first
    assert frames(PROTOBUF).of(batch) is not first


def test_what_is_gone_keeps_no_form() -> None:
    """The JSON of a deleted object is made for its event alone."""
    batch = changes()
    frames(JSON).of(batch)
    added, deleted, _ = batch.events
    assert added.item is not None
    assert added.item.forms is not None
    assert deleted.item is not None
    assert deleted.item.forms is None


def test_the_end_of_the_initial_state_is_marked() -> None:
    """In JSON and in protobuf."""
    batch = Batch([Event("BOOKMARK", None, None, 9, initial_end=True)])
    (bookmark,) = lines(frames(JSON).of(batch))
    assert bookmark["object"]["metadata"]["annotations"] == {INITIAL_END: "true"}
    ((_, unknown),) = messages(frames(PROTOBUF).of(Batch(batch.events)))
    assert ConfigMap.FromString(unknown.raw).metadata.annotations == {INITIAL_END: "true"}


def test_tables_have_columns_in_their_first_event() -> None:
    """Each event is a table of one row; only the first says what the columns are."""
    made, batch = frames(TABLE), changes()
    added, deleted, bookmark = lines(made.first(batch, 200.0))
    assert [column["name"] for column in added["object"]["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert added["object"]["rows"][0]["cells"] == ["a", 1, "2m20s"]
    assert deleted["object"]["columnDefinitions"] is None
    assert bookmark["object"]["rows"][0]["object"]["metadata"] == {"resourceVersion": "9"}
    assert lines(made.ready(batch, 260.0))[0]["object"]["rows"][0]["cells"][2] == "3m20s"


def test_metadata_frames() -> None:
    """Objects are cut down to their metadata, bookmarks included."""
    added, _, bookmark = lines(frames(METADATA).of(changes()))
    assert added["object"]["kind"] == bookmark["object"]["kind"] == "PartialObjectMetadata"
    assert "data" not in added["object"]
    found = messages(frames(METADATA._replace(format=Format.PROTOBUF)).of(changes()))
    assert [unknown.typeMeta.kind for _, unknown in found] == ["PartialObjectMetadata"] * 3


def test_errors_end_streams() -> None:
    """An ERROR event carries the Status, whatever the objects look like."""
    error = errors.expired("too old resource version: 1 (5)")
    for wanted in (JSON, TABLE, METADATA):
        (event,) = lines(frames(wanted).error(error))
        assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    ((type_, unknown),) = messages(frames(PROTOBUF).error(error))
    assert (type_, unknown.typeMeta.kind, Status.FromString(unknown.raw).code) == ("ERROR", "Status", 410)
