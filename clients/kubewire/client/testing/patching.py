"""Patches of simulated objects: the object in JSON form, patched, and read again."""

from __future__ import annotations

from typing import Any

from kubewire.client.resources.options import PatchType
from kubewire.machinery import errors
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.codec.document import dump
from kubewire.machinery.codec.encode import to_dict
from kubewire.machinery.codec.errors import DecodeError
from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.patch import json_patch, merge_patch, strategic
from kubewire.machinery.patch.definition_schema import schema_of
from kubewire.machinery.schema.definitions import name_of_message

Object = Any
"""A message of any kind."""


def patched(obj: Object, patch_type: int, patch: bytes) -> Object:
    """The object after a patch.

    Raises:
        StatusError: the patch is malformed, does not fit the object, or is of a kind that is not simulated.
    """
    document = _patched(to_dict(obj), obj.DESCRIPTOR.full_name, patch_type, patch)
    try:
        return decode(dump(document), type(obj))
    except DecodeError as error:
        raise errors.bad_request(f"the patched object cannot be read: {error}") from None


def _patched(document: JsonObject, message: str, patch_type: int, patch: bytes) -> JsonValue:
    match patch_type:
        case PatchType.JSON:
            return json_patch.apply(document, json_patch.decode(patch))
        case PatchType.MERGE:
            return merge_patch.apply(document, merge_patch.decode(patch))
        case PatchType.STRATEGIC:
            return strategic.apply(document, strategic.decode(patch), schema_of(name_of_message(message)))
    raise errors.unsupported_media_type([kind.name for kind in PatchType if kind is not PatchType.APPLY])
