"""Server-side apply of a typed object: its set fields as the manifest that the core applies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from kubewire.machinery import errors
from kubewire.machinery.codec.encode import encode_raw
from kubewire.machinery.codec.errors import EncodeError, MalformedProtobuf

if TYPE_CHECKING:
    from kubewire.apiserver.contracts import Call
    from kubewire.machinery.json_value import JsonValue


def manifest_of(call: Call, raw: bytes) -> bytes:
    """JSON of an object of the call's kind.

    Nulls and an empty status are left out: Go's types write them for values nobody set, and a manifest that names a
    field takes it over.

    Raises:
        StatusError: 400, the bytes are no such object.
    """
    resource = call.resource
    exchanged = resource.subresources.get(call.subresource)
    kind, message = (exchanged.kind, exchanged.message) if exchanged else (resource.gvk, resource.message)
    try:
        manifest = orjson.loads(encode_raw(raw, message, kind))
    except (EncodeError, MalformedProtobuf) as error:
        raise errors.bad_request(f"the object provided is malformed: {error}") from None
    if not call.subresource and not _without_nulls(manifest.get("status")):
        manifest.pop("status", None)
    return orjson.dumps(_without_nulls(manifest))


def _without_nulls(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_without_nulls(member) for member in value]
    return value
