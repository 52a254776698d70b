"""The shape of a created object: all of it that decides which fields the create owns, and nothing else.

Ownership depends on which fields are there, on keys of maps and of list items, and on values only where the kind's
empty object has one. Objects made one after the other mostly have the same shape, so what they own is remembered
by it: taking a shape is one cheap pass, comparing and encoding are not.
"""

from __future__ import annotations

from typing import TypeAlias

from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.managed_fields.merge_types import DeducedType, LeafType, ListType, MapType, MergeType

Shape: TypeAlias = tuple[object, ...]

_END = 0
"""Ends what stands in a structure; no field or key is a number."""

_NOTHING: JsonObject = {}


def shape_of(kind: MergeType, zero: JsonObject, new: JsonObject) -> Shape:
    """The shape of a new object of a kind with this empty object.

    Raises:
        MergeError: an item of a keyed list has no key, or a set holds no plain values.
    """
    out: list[object] = []
    _add(kind, new, zero, out)
    return tuple(out)


def _add(kind: MergeType, value: JsonValue, zero: JsonValue, out: list[object]) -> None:
    if isinstance(kind, MapType):
        _add_map(kind, value, zero, out)
    elif isinstance(kind, ListType):
        _add_list(kind, value, out)
    elif isinstance(kind, DeducedType):
        _add_deduced(value, out)


def _add_map(kind: MapType, value: JsonValue, zero: JsonValue, out: list[object]) -> None:
    if not isinstance(value, dict):
        out.append(None)
        return
    empty = zero if isinstance(zero, dict) else _NOTHING
    for name, below in value.items():
        out.append(name)
        if name in empty:
            out.append(below == empty[name])
        entry = kind.entry(name)[1]
        if type(entry) is not LeafType:
            _add(entry, below, empty.get(name), out)
    out.append(_END)


def _add_list(kind: ListType, value: JsonValue, out: list[object]) -> None:
    if not isinstance(value, list):
        out.append(None)
        return
    out.append(len(value))
    for item in value:
        out.append(kind.element(item))
        if type(kind.items) is not LeafType:
            _add(kind.items, item, None, out)


def _add_deduced(value: JsonValue, out: list[object]) -> None:
    if not isinstance(value, dict):
        out.append(value is None)
        return
    for name, below in value.items():
        out.append(name)
        _add_deduced(below, out)
    out.append(_END)
