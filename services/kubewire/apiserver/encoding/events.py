"""Watch frames: one encoding of a batch serves every watcher that gets the same batch in the same form.

JSON events are lines, protobuf events carry their length in front. A frame is cheap once the object's form exists,
so events keep nothing; batches keep their bytes while they are being sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import orjson

from kubewire.apiserver.encoding import envelope
from kubewire.apiserver.encoding.kinds import opening_of
from kubewire.apiserver.encoding.lists import ListForms, table_opening
from kubewire.apiserver.encoding.media import META_GROUP, Format, View, Wanted
from kubewire.apiserver.encoding.objects import PARTIAL, ObjectForms
from kubewire.apiserver.encoding.table.rows import Ages
from kubewire.apiserver.item import Batch, Event, Item
from kubewire.machinery.json_value import JsonObject
from kubewire.machinery.resources import Resource
from kubewire.machinery.status_proto import encode as encode_status
from kubewire.machinery.wire import field

if TYPE_CHECKING:
    from kubewire.machinery.errors import StatusError

INITIAL_END: Final = "k8s.io/initial-events-end"
"""Annotation of the bookmark that ends the initial state."""

_Frame = Callable[[Event], bytes]


class Frames:
    """Makes the frames of one kind of watch: a resource in one form.

    Attributes:
        name: of the form, under which batches keep their bytes.
    """

    def __init__(self, objects: ObjectForms, resource: Resource, wanted: Wanted, shows: str = "Metadata") -> None:
        self._objects = objects
        self._kind = objects.kinds.of(resource)
        self._wanted = wanted
        self._frame: Final[_Frame] = self._json_frame if wanted.format is Format.JSON else self._protobuf_frame
        self._object = self._chosen(shows)
        self.name: Final = f"{wanted.format.value} {wanted.view.value} {wanted.view_version} {shows}"

    def of(self, batch: Batch) -> bytes:
        """All frames of a batch, in order; marks of ages not yet replaced (`fill`)."""
        found = batch.forms.get(self.name)
        if found is None:
            events = batch.events
            found = self._frame(events[0]) if len(events) == 1 else b"".join(map(self._frame, events))
            batch.forms[self.name] = found
        return found

    def ready(self, batch: Batch, now_seconds: float) -> bytes:
        """The same, as it can be sent."""
        data = self.of(batch)
        return Ages(now_seconds).fill(data) if self._wanted.view is View.TABLE else data

    def first(self, batch: Batch, now_seconds: float) -> bytes:
        """The frames of a stream's first batch: a table's columns come with its first event."""
        if self._wanted.view is not View.TABLE:
            return self.of(batch)
        head, *rest = batch.events
        frames = [self._json_event(head.type, self._table(head, self._kind.columns)), *map(self._frame, rest)]
        return Ages(now_seconds).fill(b"".join(frames))

    def error(self, error: StatusError) -> bytes:
        """The frame that ends a stream with an error."""
        if self._wanted.format is Format.PROTOBUF:
            raw = encode_status(error).SerializeToString()
            return _length_delimited("ERROR", envelope.wrap("v1", "Status", raw))
        return self._json_event("ERROR", orjson.dumps(error.to_json()))

    # -------------------------------------------------------------------------------------------- frames

    def _json_frame(self, event: Event) -> bytes:
        return self._json_event(event.type, self._object(event))

    def _json_event(self, type_: str, shown: bytes) -> bytes:
        return b'{"type":"%b","object":%b}\n' % (type_.encode(), shown)

    def _protobuf_frame(self, event: Event) -> bytes:
        return _length_delimited(event.type, self._object(event))

    # -------------------------------------------------------------------------------------------- objects in frames

    def _chosen(self, shows: str) -> Callable[[Event], bytes]:
        """What writes the object of an event."""
        is_json = self._wanted.format is Format.JSON
        if self._wanted.view is View.TABLE:
            self._row = ListForms(self._objects).row_maker(self._wanted.view_version, shows)
            return self._table
        if self._wanted.view is View.METADATA:
            return self._partial_json if is_json else self._partial_protobuf
        return self._json if is_json else self._protobuf

    def _json(self, event: Event) -> bytes:
        item = event.item
        if item is None:
            return b'%b"metadata":%b}' % (self._kind.object_opening, orjson.dumps(_bookmark(event)))
        # What is gone is not asked for again, so its form is not worth keeping.
        tail = self._objects.fresh_tail(item) if event.type == "DELETED" else self._objects.tail(item)
        return self._kind.object_opening + tail

    def _protobuf(self, event: Event) -> bytes:
        item = event.item
        raw = item.raw if item is not None else _bookmark_raw(event)
        return envelope.wrap(self._kind.api_version, self._kind.kind, raw)

    def _partial_json(self, event: Event) -> bytes:
        version = self._wanted.view_version
        if event.item is not None:
            return self._objects.partial_json(event.item, version)
        opening = opening_of(PARTIAL, f"{META_GROUP}/{version}")
        return b'%b"metadata":%b}' % (opening, orjson.dumps(_bookmark(event)))

    def _partial_protobuf(self, event: Event) -> bytes:
        raw = self._objects.partial_raw(event.item) if event.item is not None else _bookmark_raw(event)
        return envelope.wrap(f"{META_GROUP}/{self._wanted.view_version}", PARTIAL, raw)

    def _table(self, event: Event, columns: bytes | None = None) -> bytes:
        metadata = b'{"resourceVersion":"%d"}' % event.revision
        item = event.item
        if item is None:
            item = Item(self._kind.resource, "", "", event.revision, _bookmark_raw(event))
        return b"%b%b]}" % (table_opening(self._wanted.view_version, metadata, columns), self._row(item))


def _bookmark(event: Event) -> JsonObject:
    """Metadata of a bookmark's object: its version, and whether the initial state is complete."""
    metadata: JsonObject = {"resourceVersion": str(event.revision)}
    if event.initial_end:
        metadata["annotations"] = {INITIAL_END: "true"}
    return metadata


def _bookmark_raw(event: Event) -> bytes:
    """The same as the protobuf message of an object that has only metadata."""
    metadata = field(6, str(event.revision).encode())
    if event.initial_end:
        metadata += field(12, field(1, INITIAL_END.encode()) + field(2, b"true"))
    return field(1, metadata)


def _length_delimited(type_: str, enveloped: bytes) -> bytes:
    """A `meta.v1.WatchEvent` with four bytes of length, most significant first, in front."""
    event = field(1, type_.encode()) + field(2, field(1, enveloped))
    return len(event).to_bytes(4, "big") + event
