"""What server-side apply does with values of a merge type: check, merge, and remove fields from them.

Values are JSON; none is changed, results share what is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from kubewire.machinery.json_value import JsonValue
from kubewire.machinery.managed_fields import elements
from kubewire.machinery.managed_fields.elements import SELF
from kubewire.machinery.managed_fields.field_set import Trie
from kubewire.machinery.managed_fields.merge_types import (
    DEDUCED,
    FREE_MAP,
    DeducedType,
    LeafType,
    ListType,
    MapType,
    MergeError,
    MergeType,
    with_self,
)
from kubewire.machinery.quoting import quote

Problems: TypeAlias = Iterator[tuple[str, str]]
"""Pairs of a path, as messages print it, and what is wrong there."""

_SCALARS: Mapping[str, tuple[Callable[[JsonValue], bool], str]] = {
    "string": (lambda value: isinstance(value, str), "string"),
    "numeric": (lambda value: isinstance(value, int | float) and not isinstance(value, bool), "numeric (int or float)"),
    "boolean": (lambda value: isinstance(value, bool), "boolean"),
    "untyped": (lambda value: isinstance(value, str | int | float), "any scalar"),
}


def problems_of(kind: MergeType, value: JsonValue, path: str = "") -> Problems:
    """Fields the schema does not declare, values of another type than it says, items that cannot be told apart."""
    if value is None or isinstance(kind, DeducedType):
        return
    if isinstance(kind, LeafType):
        yield from _leaf_problems(kind, value, path)
    elif isinstance(kind, MapType):
        yield from _map_problems(kind, value, path)
    elif isinstance(kind, ListType):
        yield from _list_problems(kind, value, path)


def _leaf_problems(kind: LeafType, value: JsonValue, path: str) -> Problems:
    if kind.inner is not None:
        yield from problems_of(kind.inner, value, path)
    elif kind.kind in _SCALARS:
        is_valid, wanted = _SCALARS[kind.kind]
        if not is_valid(value):
            yield path, f"expected {wanted}, got {_describe(value)}"


def _map_problems(kind: MapType, value: JsonValue, path: str) -> Problems:
    if not isinstance(value, dict):
        yield path, f"expected map, got {_describe(value)}"
        return
    for name, below in value.items():
        if kind.fields.nodes and kind.values is None and not kind.is_declared(name):
            yield f"{path}.{name}", "field not declared in schema"
        else:
            yield from problems_of(kind.entry(name)[1], below, f"{path}.{name}")


def _list_problems(kind: ListType, value: JsonValue, path: str) -> Problems:
    if not isinstance(value, list):
        yield path, f"expected list, got {_describe(value)}"
        return
    seen: set[str] = set()
    for i, item in enumerate(value):
        if not kind.identifies:
            yield from problems_of(kind.items, item, f"{path}[{i}]")
            continue
        try:
            element = kind.element(item)
        except MergeError as error:
            yield path, f"element {i}: {error}"
            continue
        if element in seen:
            yield path, f"duplicate entries for key {elements.describe(element)}"
        seen.add(element)
        yield from problems_of(kind.items, item, path + elements.describe(element))


def _describe(value: JsonValue) -> str:
    if isinstance(value, str):
        return quote(value)
    return {dict: "a map", list: "a list", type(None): "null"}.get(type(value), str(value).lower())


def merged(kind: MergeType, live: JsonValue, applied: JsonValue) -> JsonValue:
    """Both together, `applied` where both say something; nothing is removed.

    Raises:
        MergeError: an applied list has two items of the same key.
    """
    if isinstance(kind, DeducedType):
        kind = FREE_MAP if isinstance(live, dict) and isinstance(applied, dict) else DEDUCED
    if isinstance(kind, MapType) and _is_filled(live, applied, dict):
        return _merged_map(kind, live if isinstance(live, dict) else {}, applied if isinstance(applied, dict) else {})
    if isinstance(kind, ListType) and _is_filled(live, applied, list):
        return _merged_list(kind, live if isinstance(live, list) else [], applied if isinstance(applied, list) else [])
    return applied


def _is_filled(live: JsonValue, applied: JsonValue, type_: type) -> bool:
    """Whether one of the two has something in it, the other at least nothing against it."""
    both = [value for value in (live, applied) if value is not None]
    return any(both) and all(isinstance(value, type_) for value in both)


def _merged_map(kind: MapType, live: dict[str, JsonValue], applied: dict[str, JsonValue]) -> JsonValue:
    together = dict(live)
    for name, value in applied.items():
        together[name] = merged(kind.entry(name)[1], live[name], value) if name in live else value
    return together


def _merged_list(kind: ListType, live: list[JsonValue], applied: list[JsonValue]) -> JsonValue:
    """Shared items in the applied order, others as close as they were to their neighbours."""
    wanted = {element: items[0] for element, items in kind.grouped(applied).items()}
    if len(wanted) < len(applied):
        raise MergeError("an applied list has two items with the same key")
    groups = kind.grouped(live)
    left = [(kind.element(item), item) for item in live]
    right, together = list(wanted), list[JsonValue]()
    taken: set[str] = set()
    for element, item in left:
        if element not in wanted:
            together.append(item)
        elif element not in taken and element == _next_shared(right, groups):
            # Whatever stands before the next shared item in the applied list comes before it here, too.
            while element not in taken:
                name = right.pop(0)
                taken.add(name)
                together.append(_merged_item(kind, groups.get(name, []), wanted[name]))
    together += [_merged_item(kind, groups.get(name, []), wanted[name]) for name in right]
    return together


def _next_shared(right: list[str], groups: Mapping[str, list[JsonValue]]) -> str | None:
    return next((name for name in right if name in groups), None)


def _merged_item(kind: ListType, live: list[JsonValue], applied: JsonValue) -> JsonValue:
    """Items that occur more than once are replaced, not merged."""
    return merged(kind.items, live[0], applied) if len(live) == 1 else applied


def removed(kind: MergeType, value: JsonValue, fields: Trie) -> JsonValue:
    """The value without the fields; null when nothing is left of it."""
    if isinstance(kind, DeducedType):
        kind = FREE_MAP if isinstance(value, dict) else kind
    if isinstance(kind, MapType) and isinstance(value, dict):
        kept = {
            name: left
            for name, below in value.items()
            for element, inner in (kind.entry(name),)
            if (left := _removed_part(inner, below, fields.get(element))) is not _GONE
        }
        return kept or None
    if isinstance(kind, ListType) and isinstance(value, list):
        parts = [_removed_part(kind.items, item, fields.get(kind.element(item))) for item in value]
        return [part for part in parts if part is not _GONE] or None
    return None if isinstance(value, dict | list) else value


_GONE: JsonValue = {"": "a value that was removed"}
"""Told apart from every value by its identity."""


def _removed_part(kind: MergeType, value: JsonValue, fields: Trie | None) -> JsonValue:
    if fields is None:
        return value
    if not fields or SELF in fields:
        return _GONE
    return removed(kind, value, fields)


def with_named_fields(kind: MergeType, fields: Trie) -> Trie:
    """The set with all declared fields on the way to its members as members of their own."""
    return {element: _named_node(kind, element, node) for element, node in fields.items() if element != SELF}


def _named_node(kind: MergeType, element: str, node: Trie) -> Trie:
    is_member = not node or SELF in node
    below: MergeType = DEDUCED
    if isinstance(kind, LeafType) and kind.inner is not None:
        kind = kind.inner
    if isinstance(kind, MapType) and element.startswith("f:"):
        name = element[2:]
        is_member = is_member or kind.is_declared(name)
        below = kind.entry(name)[1]
    elif isinstance(kind, ListType):
        below = kind.items
    inner = with_named_fields(below, node)
    return with_self(inner) if is_member else inner
