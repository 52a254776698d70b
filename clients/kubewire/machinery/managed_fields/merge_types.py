"""How each type merges, which decides what is one field: a leaf, a structure, or a list with identified items.

Merge types are made from the schema when they are first met. Their methods answer the three questions ownership
asks of a value: what a change added, modified and removed (`compare`), everything a new value adds (`whole`),
and what an applied configuration mentions (`mentioned`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final, Protocol, TypeAlias

from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.managed_fields import elements
from kubewire.machinery.managed_fields.elements import SELF
from kubewire.machinery.managed_fields.field_set import LEAF, Trie
from kubewire.machinery.schema import definitions
from kubewire.machinery.schema.definitions import Node

Change: TypeAlias = "tuple[Trie | None, Trie | None, Trie | None]"
"""What was added, modified and removed below a node; None for nothing."""

NOTHING: Final[Change] = (None, None, None)
MODIFIED: Final[Change] = (None, LEAF, None)


class MergeError(ValueError):
    """A value cannot be tracked: an item of a keyed list has no key, or a set holds no plain values."""


class MergeType(Protocol):
    """What every merge type can tell of values of its type."""

    def compare(self, live: JsonValue, new: JsonValue) -> Change:
        """The change from one present value to another, different one."""

    def whole(self, value: JsonValue) -> Trie:
        """The node of a value that is new, with everything below it."""

    def mentioned(self, value: JsonValue) -> Trie | None:
        """The node of a value in an applied configuration; None when nothing of it counts."""


class LeafType:
    """A value that is owned and replaced as one: a scalar, or an atomic list or map of type `inner`."""

    __slots__ = ("inner", "kind")

    def __init__(self, kind: str, inner: MergeType | None = None) -> None:
        self.kind = kind
        self.inner = inner

    def compare(self, live: JsonValue, new: JsonValue) -> Change:  # noqa: ARG002 - a MergeType
        """Different values are modified."""
        return MODIFIED

    def whole(self, value: JsonValue) -> Trie:  # noqa: ARG002 - a MergeType
        """A leaf, whatever it holds."""
        return LEAF

    def mentioned(self, value: JsonValue) -> Trie | None:  # noqa: ARG002 - a MergeType
        """A leaf, whatever it holds."""
        return LEAF


class _Fields(dict[str, tuple[str, MergeType]]):
    """Element and type of each field, made when first asked for; KeyError for fields that are not declared."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        super().__init__()
        self.nodes = nodes

    def __missing__(self, name: str) -> tuple[str, MergeType]:
        made = (elements.field(name), of_node(self.nodes[name]))
        self[name] = made
        return made


class MapType:
    """A structure with declared fields, or a map whose values are owned one by one, or both."""

    __slots__ = ("fields", "values")

    def __init__(self, nodes: Mapping[str, Node], values: Callable[[], MergeType] | None) -> None:
        self.fields = _Fields(nodes)
        self.values = values

    def is_declared(self, name: str) -> bool:
        """Whether this is a field of the structure, and not a key of the map."""
        return name in self.fields.nodes

    def entry(self, name: str) -> tuple[str, MergeType]:
        """Element and type of a field or key; what the schema does not know is typed by its value."""
        if name in self.fields.nodes:
            return self.fields[name]
        return (elements.field(name), self.values() if self.values is not None else DEDUCED)

    def compare(self, live: JsonValue, new: JsonValue) -> Change:
        """Fields one by one; two empty values that differ (null, `{}`) are modified as one."""
        old_fields = live if isinstance(live, dict) else {}
        new_fields = new if isinstance(new, dict) else {}
        if not old_fields and not new_fields:
            return MODIFIED
        parts = _Parts()
        for name, value in new_fields.items():
            if name not in old_fields:
                element, kind = self.entry(name)
                parts.added[element] = kind.whole(value)
            elif value != old_fields[name]:
                element, kind = self.entry(name)
                parts.put(element, kind.compare(old_fields[name], value))
        for name, value in old_fields.items():
            if name not in new_fields:
                element, kind = self.entry(name)
                parts.removed[element] = kind.whole(value)
        return parts.change()

    def whole(self, value: JsonValue) -> Trie:
        """The node itself and all its fields."""
        if not isinstance(value, dict) or not value:
            return LEAF
        node: Trie = {SELF: LEAF}
        for name, below in value.items():
            element, kind = self.entry(name)
            node[element] = kind.whole(below)
        return node

    def mentioned(self, value: JsonValue) -> Trie | None:
        """Declared fields count by what is in them, keys of a map by being there."""
        if not isinstance(value, dict):
            return None
        node: Trie = {}
        for name, below in value.items():
            element, kind = self.entry(name)
            counts = below is None or below == {} or not self.is_declared(name)
            found = with_self(kind.mentioned(below)) if counts else kind.mentioned(below)
            if found is not None:
                node[element] = found
        return node or None


class ListType:
    """A list whose items are owned one by one: by keys, or (without keys) by value.

    One that does not identify its items only tells what an atomic list holds.
    """

    __slots__ = ("defaults", "identifies", "items", "keys")

    def __init__(
        self, keys: tuple[str, ...], items: MergeType, defaults: JsonObject, *, identifies: bool = True
    ) -> None:
        self.keys = keys
        self.identifies = identifies
        self.items = items
        self.defaults = defaults

    def element(self, item: JsonValue) -> str:
        """What identifies an item.

        Raises:
            MergeError: nothing does.
        """
        if self.keys:
            return self._keyed(item)
        if item is None or isinstance(item, dict | list):
            raise MergeError(f"an item of a set must be a plain value, found {type(item).__name__}")
        return elements.set_item(item)

    def _keyed(self, item: JsonValue) -> str:
        if not isinstance(item, dict):
            raise MergeError("associative list with keys may not have non-map elements")
        if len(self.keys) == 1:
            key = self.keys[0]
            value = item.get(key, self.defaults.get(key))
            if isinstance(value, str | int):
                return elements.keyed_item(key, value)
        found = {
            key: item[key] if key in item else self.defaults[key]
            for key in self.keys
            if key in item or key in self.defaults
        }
        if not found:
            raise MergeError(f"associative list with keys has an element that omits all key fields {list(self.keys)}")
        return elements.keyed_item_of(found)

    def grouped(self, value: JsonValue) -> dict[str, list[JsonValue]]:
        """Items by their elements, in order; more than one for an element that occurs again."""
        groups: dict[str, list[JsonValue]] = {}
        for item in value if isinstance(value, list) else ():
            groups.setdefault(self.element(item), []).append(item)
        return groups

    def compare(self, live: JsonValue, new: JsonValue) -> Change:
        """Items by their elements; items that occur more than once count as one leaf together."""
        if not live and not new:
            return MODIFIED
        old_groups, new_groups = self.grouped(live), self.grouped(new)
        parts = _Parts()
        for element, items in new_groups.items():
            before = old_groups.get(element)
            if before is None:
                parts.added[element] = self._whole_group(items)
            elif items != before:
                parts.put(element, self._compare_groups(before, items))
        for element, items in old_groups.items():
            if element not in new_groups:
                parts.removed[element] = self._whole_group(items)
        return parts.change()

    def _compare_groups(self, before: list[JsonValue], after: list[JsonValue]) -> Change:
        if len(before) == 1 and len(after) == 1:
            return self.items.compare(before[0], after[0])
        if len(before) > 1 and len(after) > 1:
            return MODIFIED
        if len(before) > 1:
            return (self.items.whole(after[0]), None, LEAF)
        return (LEAF, None, self.items.whole(before[0]))

    def _whole_group(self, items: list[JsonValue]) -> Trie:
        return self.items.whole(items[0]) if len(items) == 1 else LEAF

    def whole(self, value: JsonValue) -> Trie:
        """The node itself and all its items."""
        groups = self.grouped(value)
        if not groups:
            return LEAF
        node: Trie = {SELF: LEAF}
        for element, items in groups.items():
            node[element] = self._whole_group(items)
        return node

    def mentioned(self, value: JsonValue) -> Trie | None:
        """Every item counts, and what is in it."""
        groups = self.grouped(value)
        node = {
            element: with_self(self.items.mentioned(items[0])) if len(items) == 1 else LEAF
            for element, items in groups.items()
        }
        return node or None


class DeducedType:
    """A value without schema: maps are owned key by key, everything else as one."""

    __slots__ = ()

    def compare(self, live: JsonValue, new: JsonValue) -> Change:
        """As the types of the two values say."""
        if isinstance(live, dict) and isinstance(new, dict):
            return FREE_MAP.compare(live, new)
        if isinstance(new, dict) and new:
            return (FREE_MAP.compare(None, new)[0], LEAF, None)
        if isinstance(live, dict) and live:
            return (None, LEAF, FREE_MAP.compare(live, None)[2])
        return MODIFIED

    def whole(self, value: JsonValue) -> Trie:
        """As the type of the value says."""
        return FREE_MAP.whole(value) if isinstance(value, dict) else LEAF

    def mentioned(self, value: JsonValue) -> Trie | None:
        """As the type of the value says."""
        if value is None:
            return None
        return FREE_MAP.mentioned(value) if isinstance(value, dict) else LEAF


class _Parts:
    """Collects the changes of a node's children."""

    __slots__ = ("added", "modified", "removed")

    def __init__(self) -> None:
        self.added: Trie = {}
        self.modified: Trie = {}
        self.removed: Trie = {}

    def put(self, element: str, change: Change) -> None:
        added, modified, removed = change
        if added is not None:
            self.added[element] = added
        if modified is not None:
            self.modified[element] = modified
        if removed is not None:
            self.removed[element] = removed

    def change(self) -> Change:
        return (self.added or None, self.modified or None, self.removed or None)


def with_self(node: Trie | None) -> Trie:
    """The node as a member of its set."""
    if not node:
        return LEAF
    return node if SELF in node else {SELF: LEAF, **node}


DEDUCED = DeducedType()
FREE_MAP = MapType({}, lambda: DEDUCED)
TEXT = LeafType("string")
NUMBER = LeafType("numeric")
BOOLEAN = LeafType("boolean")
UNTYPED = LeafType("untyped")

_SCALARS: dict[str, LeafType] = {"string": TEXT, "integer": NUMBER, "number": NUMBER, "boolean": BOOLEAN}


@cache
def of_definition(name: str, map_type: str = "") -> MergeType:
    """The merge type of a definition; a field that refers to it may say `map_type` otherwise.

    Raises:
        UnknownDefinitionError: there is no such definition.
    """
    definition = definitions.lookup(name)
    if definition.type in _SCALARS:
        return _SCALARS[definition.type]
    if definition.one_of:
        return UNTYPED
    if not definition.fields:
        # Objects without declared fields hold anything (RawExtension, FieldsV1); those without type are any JSON.
        return FREE_MAP if definition.type == "object" else DEDUCED
    structure = MapType(definition.fields, None)
    return LeafType("map", structure) if (map_type or definition.map_type) == "atomic" else structure


@cache
def of_node(node: Node) -> MergeType:
    """The merge type of what stands in a field, list or map."""
    if node.ref:
        return of_definition(node.ref, node.map_type)
    if node.type == "array":
        return _of_list(node)
    if node.type == "object":
        return _of_map(node)
    return _SCALARS.get(node.type, DEDUCED)


def _of_list(node: Node) -> MergeType:
    items = of_node(node.items) if node.items is not None else DEDUCED
    if node.list_type not in {"set", "map"}:
        return LeafType("list", ListType((), items, {}, identifies=False))
    return ListType(node.list_map_keys, items, _key_defaults(node))


def _key_defaults(node: Node) -> JsonObject:
    if node.items is None or not node.items.ref:
        return {}
    fields = definitions.lookup(node.items.ref).fields
    declared = {key: fields[key] for key in node.list_map_keys if key in fields}
    return {key: field.default for key, field in declared.items() if field.has_default}


def _of_map(node: Node) -> MergeType:
    values = node.values
    if values is None:
        return FREE_MAP
    granular = MapType({}, lambda: of_node(values))
    return LeafType("map", granular) if node.map_type == "atomic" else granular
