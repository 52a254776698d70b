"""Reading patches from bytes, within bounds."""

from __future__ import annotations

import orjson

from kubewire.machinery import errors
from kubewire.machinery.json_value import JsonValue

MAX_DEPTH = 200
"""Deeper patches are refused: no type of the API is nested half as deep, and merging recurses."""


def read_json(data: bytes) -> JsonValue:
    """A patch's JSON.

    Raises:
        StatusError: 400, if the bytes are no JSON or nested too deeply.
    """
    try:
        value: JsonValue = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise errors.bad_request(f"error decoding patch: {error}") from None
    if _is_deeper(value, MAX_DEPTH):
        raise errors.bad_request(f"error decoding patch: nested deeper than {MAX_DEPTH} levels")
    return value


def _is_deeper(value: JsonValue, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        layer = [below for holder in layer for below in _children(holder)]
        if not layer:
            return False
    return True


def _children(value: JsonValue) -> list[JsonValue]:
    if isinstance(value, dict):
        return [below for below in value.values() if isinstance(below, dict | list)]
    if isinstance(value, list):
        return [below for below in value if isinstance(below, dict | list)]
    return []


def copied(value: JsonValue) -> JsonValue:
    """A deep copy of a JSON value."""
    if isinstance(value, dict):
        return {key: copied(below) if isinstance(below, dict | list) else below for key, below in value.items()}
    if isinstance(value, list):
        return [copied(below) if isinstance(below, dict | list) else below for below in value]
    return value
