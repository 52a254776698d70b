"""Entries of `metadata.managedFields`, from and to JSON and messages, and their order.

An entry belongs to one manager doing one operation through one subresource; updates are told apart by API version
too, applies are not. Times are whole seconds, as stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import orjson

from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.managed_fields.field_set import FieldsError, FieldSet
from kubewire.machinery.quoting import quote

if TYPE_CHECKING:
    from kubewire.api.meta.v1.object_meta_pb2 import ManagedFieldsEntry, ObjectMeta

UPDATE = "Update"
APPLY = "Apply"
FIELDS_V1 = "FieldsV1"

Identity: TypeAlias = tuple[str, str, str, str]


class EntryError(ValueError):
    """An entry is malformed; the message is Kubernetes'. The fault of who wrote it, a retry does not help."""


class Entry(NamedTuple):
    """One entry: who owns which fields since when.

    `time` is in seconds since 1970, None if unknown; `fields` is the FieldsV1 text.
    """

    manager: str
    operation: str
    api_version: str
    time: int | None
    fields: bytes
    subresource: str = ""

    @property
    def field_set(self) -> FieldSet:
        """The fields as a set; remembered by their text."""
        return FieldSet.from_fields_v1(self.fields)

    @property
    def identity(self) -> Identity:
        """What makes two entries the same manager's."""
        version = "" if self.operation == APPLY else self.api_version
        return (self.manager, self.operation, version, self.subresource)


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Applies before updates, then the oldest first."""
    return sorted(entries, key=_sort_key)


def _sort_key(entry: Entry) -> tuple[str, int, str, str, str]:
    return (entry.operation, entry.time or 0, entry.manager, entry.api_version, entry.subresource)


def _checked(entry: Entry, fields_type: str, position: int) -> Entry:
    """Raises EntryError for what no server would have written."""
    if entry.operation not in {UPDATE, APPLY}:
        raise EntryError("operation must be `Apply` or `Update`")
    if not entry.api_version:
        raise EntryError("apiVersion must not be empty")
    if not fields_type:
        raise EntryError(f"missing fieldsType in managed fields entry {position}")
    if fields_type != FIELDS_V1:
        raise EntryError(f"invalid fieldsType {quote(fields_type)} in managed fields entry {position}")
    try:
        FieldSet.from_fields_v1(entry.fields)
    except FieldsError as error:
        raise EntryError(f"managed fields entry {position}: {error}") from None
    return entry


def from_json(entries: Sequence[JsonValue]) -> list[Entry]:
    """Entries in JSON form.

    Raises:
        EntryError: one is malformed.
    """
    return [_entry_from_json(entry, i) for i, entry in enumerate(entries)]


def _entry_from_json(found: JsonValue, position: int) -> Entry:
    if not isinstance(found, dict):
        raise EntryError(f"managed fields entry {position} is no object")

    def text(key: str) -> str:
        value = found.get(key)
        return value if isinstance(value, str) else ""

    entry = Entry(
        text("manager"),
        text("operation"),
        text("apiVersion"),
        _parse_time(text("time"), position),
        orjson.dumps(found.get("fieldsV1") or {}),
        text("subresource"),
    )
    return _checked(entry, text("fieldsType"), position)


def _parse_time(text: str, position: int) -> int | None:
    try:
        return int(datetime.fromisoformat(text).timestamp()) if text else None
    except ValueError:
        raise EntryError(f"managed fields entry {position}: malformed time {quote(text)}") from None


def to_json(entries: Iterable[Entry]) -> list[JsonValue]:
    """Entries in JSON form, with Kubernetes' order of keys."""
    return [_entry_to_json(entry) for entry in entries]


def _entry_to_json(entry: Entry) -> JsonObject:
    fields: JsonObject = {"manager": entry.manager, "operation": entry.operation, "apiVersion": entry.api_version}
    if entry.time is not None:
        fields["time"] = f"{datetime.fromtimestamp(entry.time, UTC):%Y-%m-%dT%H:%M:%SZ}"
    fields["fieldsType"] = FIELDS_V1
    fields["fieldsV1"] = orjson.loads(entry.fields)
    if entry.subresource:
        fields["subresource"] = entry.subresource
    return fields


def from_metadata(metadata: ObjectMeta) -> list[Entry]:
    """The entries of an object's metadata.

    Raises:
        EntryError: one is malformed.
    """
    return [_entry_from_message(entry, i) for i, entry in enumerate(metadata.managedFields)]


def _entry_from_message(found: ManagedFieldsEntry, position: int) -> Entry:
    entry = Entry(
        found.manager,
        found.operation,
        found.apiVersion,
        found.time.seconds if found.HasField("time") else None,
        found.fieldsV1.Raw or b"{}",
        found.subresource,
    )
    return _checked(entry, found.fieldsType, position)


def store(entries: Iterable[Entry], metadata: ObjectMeta) -> None:
    """Replace the metadata's entries; fields are set as a Kubernetes server sets them, empty ones included."""
    metadata.ClearField("managedFields")
    for entry in entries:
        added = metadata.managedFields.add(
            manager=entry.manager,
            operation=entry.operation,
            apiVersion=entry.api_version,
            fieldsType=FIELDS_V1,
            subresource=entry.subresource,
        )
        added.fieldsV1.Raw = entry.fields
        if entry.time is not None:
            added.time.seconds = entry.time
            added.time.nanos = 0
