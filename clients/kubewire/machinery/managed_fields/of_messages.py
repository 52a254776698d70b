"""Ownership of objects that are messages: read from their metadata, changed, and stored there again.

Creates of the same content (pods of one template), of the same shape, or with the same fields (events) own the same
fields, which are remembered. Updates are compared only in the parts that differ, so a status update does not look at
the spec.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from kubewire.machinery.codec.encode import to_dict
from kubewire.machinery.json_value import JsonObject
from kubewire.machinery.managed_fields import entry as entries_of
from kubewire.machinery.managed_fields.apply import Applied, Request, apply
from kubewire.machinery.managed_fields.entry import UPDATE, Entry, EntryError
from kubewire.machinery.managed_fields.merge_types import MergeError
from kubewire.machinery.managed_fields.presence import Presence, presence_of
from kubewire.machinery.managed_fields.shape import Shape, shape_of
from kubewire.machinery.managed_fields.update import (
    STRIPPED,
    Kind,
    Write,
    compare,
    record,
    take_from_others,
)

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta

K = TypeVar("K")

_REMEMBERED = 512
_MAX_CONTENT_BYTES = 65_536
"""Larger objects are not looked up by their content: they are rarely alike, and hashing them takes its time."""

_NEVER_OWNED = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")


class _Memory(Generic[K]):
    """Fields owned by creates, by what decides them; forgets the oldest."""

    def __init__(self) -> None:
        self._fields: dict[K, bytes] = {}

    def get(self, key: K) -> bytes | None:
        return self._fields.get(key)

    def put(self, key: K, fields: bytes) -> None:
        if len(self._fields) >= _REMEMBERED:
            del self._fields[next(iter(self._fields))]
        self._fields[key] = fields


class Ownership:
    """Keeps the managedFields of one kind's messages, for writes through one endpoint."""

    def __init__(self, kind: Kind, message: type[Message]) -> None:
        self._kind = kind
        self._message = message
        self._zero: JsonObject | None = None
        self._by_content: _Memory[tuple[object, ...]] = _Memory()
        self._by_shape: _Memory[Shape] = _Memory()
        self._by_presence: _Memory[tuple[Presence, tuple[object, ...]]] = _Memory()

    def record_create(self, new: Message, write: Write) -> None:
        """Set the entries of a new object, as it is after decoding and defaulting and before admission.

        Entries the client sent are kept, as Kubernetes does; an object of which nothing is owned has none.
        """
        metadata = _metadata(new)
        sent = [] if _is_reset(metadata) else _readable(lambda: entries_of.from_metadata(metadata))
        if sent:
            self._record(self._message(), new, sent, write)
            return
        metadata.ClearField("managedFields")
        fields = self._fields_of_create(new)
        if fields:
            manager, version = write.manager or "unknown", self._kind.api_version
            mine = Entry(manager, UPDATE, version, write.time, fields, self._kind.subresource)
            entries_of.store([mine], metadata)

    def record_update(self, live: Message, new: Message, write: Write) -> None:
        """Set the entries of an object that takes the place of `live`; before admission, as for creates.

        A client that sends entries sets them, except through a subresource; one that sends none leaves them.
        Objects that cannot be compared keep the entries they have.
        """
        old_metadata, metadata = _metadata(live), _metadata(new)
        managed: list[Entry] = []
        if self._kind.subresource or not _is_reset(metadata):
            if not self._kind.subresource:
                managed = _readable(lambda: entries_of.from_metadata(metadata))
            managed = managed or _readable(lambda: entries_of.from_metadata(old_metadata))
        if not managed:
            metadata.ClearField("managedFields")
            return
        self._record(live, new, managed, write)

    def apply(self, live: Message | None, config: JsonObject, write: Write, *, is_forced: bool = False) -> Applied:
        """What an apply makes of the stored object, or of nothing, in JSON, and its entries.

        Raises:
            StatusError: as `managed_fields.apply.apply` does.
        """
        names: JsonObject = {"apiVersion": config.get("apiVersion"), "kind": config.get("kind")}
        zero: JsonObject = {**names, **to_dict(self._message())}
        if live is None:
            return apply(self._kind, zero, [], zero, Request(config, write, is_forced))
        managed = _readable(lambda: entries_of.from_metadata(_metadata(live)))
        untracked = type(live).FromString(live.SerializeToString())
        _metadata(untracked).ClearField("managedFields")
        stored: JsonObject = {**names, **to_dict(untracked)}
        return apply(self._kind, stored, managed, zero, Request(config, write, is_forced))

    def _record(self, live: Message, new: Message, managed: list[Entry], write: Write) -> None:
        try:
            changes = compare(self._kind.type, *_differing_parts(live, new)).without(self._kind.reset)
            kept = take_from_others(self._kind, managed, changes, lambda: (to_dict(live), to_dict(new)))
            managed = record(self._kind, kept, changes.written, write)
        except MergeError:
            managed = _readable(lambda: entries_of.from_metadata(_metadata(live)))
        entries_of.store(managed, _metadata(new))

    def _fields_of_create(self, new: Message) -> bytes:
        """The FieldsV1 of a create; empty when it owns nothing."""
        presence = presence_of(new)
        if presence is not None:
            return self._fields_by_presence(new, presence)
        content = _content(new)
        fields = None if content is None else self._by_content.get(content)
        if fields is None:
            fields = self._fields_by_shape(to_dict(new))
            if content is not None:
                self._by_content.put(content, fields)
        return fields

    def _fields_by_presence(self, new: Message, presence: Presence) -> bytes:
        key = (presence, _owned_in(_metadata(new)))
        fields = self._by_presence.get(key)
        if fields is None:
            fields = self._fields_by_shape(to_dict(new))
            self._by_presence.put(key, fields)
        return fields

    def _fields_by_shape(self, new: JsonObject) -> bytes:
        if self._zero is None:
            self._zero = to_dict(self._message())
        try:
            shape = shape_of(self._kind.type, self._zero, new)
            fields = self._by_shape.get(shape)
            if fields is None:
                fields = self._fields_by_comparison(self._zero, new)
                self._by_shape.put(shape, fields)
        except MergeError:
            return b""
        return fields

    def _fields_by_comparison(self, zero: JsonObject, new: JsonObject) -> bytes:
        changes = compare(self._kind.type, zero, new).without(self._kind.reset)
        mine = changes.written.difference(STRIPPED)
        return b"" if mine.is_empty else mine.fields_v1


def _metadata(message: Message) -> ObjectMeta:
    return cast("ObjectMeta", message.metadata)  # type: ignore[attr-defined]  # every object has metadata


def _is_reset(metadata: ObjectMeta) -> bool:
    """Whether the client asks to forget all entries: by sending an empty one, alone."""
    return len(metadata.managedFields) == 1 and metadata.managedFields[0].ByteSize() == 0


def _readable(read: Callable[[], list[Entry]]) -> list[Entry]:
    """The entries, or none if one is malformed."""
    try:
        return read()
    except EntryError:
        return []


def _content(new: Message) -> tuple[object, ...] | None:
    """All that decides what a create owns, metadata by shape and the rest by its hash; None for large objects."""
    raw = new.SerializeToString()
    if len(raw) > _MAX_CONTENT_BYTES:
        return None
    metadata = _metadata(new)
    # Metadata is field 1 of every kind, and fields are written in the order of their numbers.
    begin = 0
    if raw[:1] == b"\x0a":
        size = metadata.ByteSize()
        begin = 1 + _varint_length(size) + size
    return (blake2b(memoryview(raw)[begin:], digest_size=16).digest(), *_owned_in(metadata))


def _owned_in(metadata: ObjectMeta) -> tuple[object, ...]:
    """All of its metadata that decides what a create owns."""
    return (
        bool(metadata.generateName),
        tuple(sorted(metadata.labels)),
        tuple(sorted(metadata.annotations)),
        tuple(metadata.finalizers),
        tuple(owner.SerializeToString() for owner in metadata.ownerReferences),
        metadata.HasField("deletionTimestamp"),
        metadata.HasField("deletionGracePeriodSeconds"),
    )


def _varint_length(number: int) -> int:
    return max(1, (number.bit_length() + 6) // 7)


def _differing_parts(live: Message, new: Message) -> tuple[JsonObject, JsonObject]:
    """Both objects in JSON without the fields in which they are equal, which do not change who owns what."""
    left, right = type(live)(), type(new)()
    left.CopyFrom(live)
    right.CopyFrom(new)
    for metadata in (_metadata(left), _metadata(right)):
        for name in _NEVER_OWNED:
            metadata.ClearField(name)  # type: ignore[arg-type]  # names of fields
    for field in left.DESCRIPTOR.fields:
        if _is_equal(left, right, field.name, has_presence=field.has_presence):
            left.ClearField(field.name)
            right.ClearField(field.name)
    return to_dict(left), to_dict(right)


def _is_equal(left: Message, right: Message, name: str, *, has_presence: bool) -> bool:
    if has_presence and left.HasField(name) != right.HasField(name):
        return False
    return bool(getattr(left, name) == getattr(right, name))
