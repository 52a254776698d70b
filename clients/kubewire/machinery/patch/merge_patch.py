"""JSON merge patch (RFC 7386): values replace values, null deletes, lists are replaced as a whole."""

from __future__ import annotations

from kubewire.machinery import errors
from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.patch.decoding import read_json


def decode(data: bytes) -> JsonObject:
    """A merge patch for an object.

    Raises:
        StatusError: 400, if the bytes are no JSON object or nested too deeply.
    """
    patch = read_json(data)
    if not isinstance(patch, dict):
        raise errors.bad_request(f"error decoding patch: expected a JSON object, found {_name(patch)}")
    return patch


def _name(value: JsonValue) -> str:
    return {list: "a list", str: "a string", bool: "a boolean", type(None): "null"}.get(type(value), "a number")


def apply(document: JsonObject, patch: JsonObject) -> JsonObject:
    """The document with the patch merged in; parts the patch does not reach are shared with the document."""
    merged = dict(document)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            below = merged.get(key)
            merged[key] = apply(below if isinstance(below, dict) else {}, value)
        else:
            merged[key] = value
    return merged
