"""Path elements: the steps from an object to one of its fields, as FieldsV1 writes them.

`f:name` is a field or a map's key, `k:{"name":"c"}` the item of a keyed list, `v:"x"` the item of a set, `i:0`
the item of any other list. Elements are plain strings; equal elements are equal strings, because keys are written
with sorted names and one spelling for every value.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TypeAlias

from kubewire.machinery.json_value import JsonValue
from kubewire.machinery.quoting import quote

SELF = "."
"""Stands beside the elements of a node whose own path belongs to the set."""

SortKey: TypeAlias = tuple[object, ...]

_KINDS = {"f": 0, "k": 1, "v": 2, "i": 3}
_escaped = re.compile("[<>&\u2028\u2029]").sub
_plain_text = re.compile(r"[ !#-%'-;=?-\[\]-~]*").fullmatch


class ElementError(ValueError):
    """A text is no path element. The fault of who wrote it, a retry does not help."""


def field(name: str) -> str:
    """The element of a field or of a map's value."""
    return f"f:{name}"


@lru_cache(4096, typed=True)
def set_item(value: JsonValue) -> str:
    """The element of a set's item."""
    return f"v:{_value_json(value)}"


@lru_cache(8192, typed=True)
def keyed_item(name: str, value: JsonValue) -> str:
    """The element of a list's item that is identified by one field."""
    return f'k:{{"{name}":{_value_json(value)}}}'


def keyed_item_of(fields: dict[str, JsonValue]) -> str:
    """The element of a list's item that is identified by several fields."""
    if len(fields) == 1:
        [(name, value)] = fields.items()
        return keyed_item(name, value) if not isinstance(value, dict | list) else _keyed_json(fields)
    return _keyed_json(fields)


def _keyed_json(fields: dict[str, JsonValue]) -> str:
    return "k:{" + ",".join(f'"{name}":{_value_json(fields[name])}' for name in sorted(fields)) + "}"


def _value_json(value: JsonValue) -> str:
    if isinstance(value, str) and _plain_text(value):
        return f'"{value}"'
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return _escaped(lambda match: f"\\u{ord(match[0]):04x}", text)


def is_known(text: str) -> bool:
    """Whether this is an element of a kind that exists; others are left out, as a later version may know them.

    Raises:
        ElementError: the text has not the form of any element.
    """
    if len(text) < 2:
        raise ElementError(f"key must be 2 characters long: {text}")
    if text[1] != ":":
        raise ElementError(f"missing colon: {text}")
    return text[0] in _KINDS


@lru_cache(8192)
def canonical(text: str) -> str:
    """The one spelling of a known element that somebody else wrote.

    Raises:
        ElementError: what follows the kind is malformed.
    """
    kind, rest = text[0], text[2:]
    try:
        if kind == "f":
            return text
        if kind == "i":
            return f"i:{int(rest)}"
        value: JsonValue = json.loads(rest)
    except (ValueError, RecursionError) as error:
        raise ElementError(f"malformed path element {text}: {error}") from None
    if kind == "v":
        return f"v:{_value_json(value)}"
    if not isinstance(value, dict):
        raise ElementError(f"malformed path element {text}: a key must be an object")
    return _keyed_json(value)


@lru_cache(8192)
def sort_key(element: str) -> SortKey:
    """Orders elements: the node itself, fields by name, keys and values by their values, indexes by number."""
    if element == SELF:
        return (-1,)
    kind, rest = _KINDS[element[0]], element[2:]
    if kind == 0:
        return (kind, rest)
    value: JsonValue = json.loads(rest)
    if isinstance(value, dict) and kind == 1:
        return (kind, tuple((name, value_sort_key(value[name])) for name in sorted(value)))
    return (kind, value_sort_key(value))


def value_sort_key(value: JsonValue) -> SortKey:
    """A total order of JSON values: numbers, texts, booleans, lists, maps, null."""
    match value:
        case bool():
            return (2, value)
        case int() | float():
            return (0, value)
        case str():
            return (1, value)
        case list():
            return (3, tuple(map(value_sort_key, value)))
        case dict():
            return (4, tuple((name, value_sort_key(value[name])) for name in sorted(value)))
    return (5,)


def describe(element: str) -> str:
    """As messages print it: `.name`, `[name="c"]`, `[="x"]`, `[0]`."""
    kind, rest = element[0], element[2:]
    if kind == "f":
        return f".{rest}"
    value: JsonValue = json.loads(rest)
    if kind == "k" and isinstance(value, dict):
        return "[" + ",".join(f"{name}={_describe_value(value[name])}" for name in sorted(value)) + "]"
    return f"[={_describe_value(value)}]" if kind == "v" else f"[{value}]"


def _describe_value(value: JsonValue) -> str:
    return quote(value) if isinstance(value, str) else json.dumps(value)
