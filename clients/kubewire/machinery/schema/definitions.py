"""Definitions of the API's types by their OpenAPI names, read on demand.

`definitions.tsv` holds one definition a line (`tools/facts/schema.py` writes it and documents its keys). Its index
is built on first use in about a millisecond; a definition is decoded when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import orjson

from kubewire.machinery.gvk import GroupVersionKind
from kubewire.machinery.json_value import JsonObject, JsonValue


class UnknownDefinitionError(LookupError):
    """No definition of this name is known: the caller's mistake, a retry does not help."""


@dataclass(frozen=True, slots=True)
class Node:
    """What stands in one place of a type: a field, an item of a list, a value of a map.

    Attributes:
        type: "string", "integer", "number", "boolean", "array", "object"; empty when `ref` says it.
        format: e.g. "int32", "int64", "double", "byte"; empty for none.
        ref: name of the definition that stands here; empty for none.
        items: what an array holds.
        values: what a map with free keys holds.
        list_type: "atomic", "set" or "map"; empty counts as atomic.
        list_map_keys: the fields that identify an item of a list of type "map".
        map_type: "atomic" or "granular"; overrides that of the referenced definition. Empty counts as granular.
        patch_strategies: for strategic merge patches: "merge", "replace", "retainKeys".
        patch_merge_key: the field that identifies an item for strategic merge patches.
        enum: the values there are; empty for any.
        has_default: whether `default` means something (it may be None).
        default: what the field counts as when absent.
    """

    type: str = ""
    format: str = ""
    ref: str = ""
    items: Node | None = None
    values: Node | None = None
    list_type: str = ""
    list_map_keys: tuple[str, ...] = ()
    map_type: str = ""
    patch_strategies: tuple[str, ...] = ()
    patch_merge_key: str = ""
    enum: tuple[str, ...] = ()
    has_default: bool = False
    default: JsonValue = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Definition:
    """One named type.

    Attributes:
        name: e.g. `io.k8s.api.core.v1.Pod`.
        type: "object" or "string"; empty for types with a JSON form of their own (quantities, any JSON).
        format: e.g. "date-time".
        fields: by JSON name, in the order of the OpenAPI documents.
        required: fields that must be there.
        map_type: "atomic" when the whole object is owned and replaced as one.
        kinds: the kinds this type is the object of.
        one_of: JSON types it may take, when there are several.
        unions: `x-kubernetes-unions`, as published.
        v2: what the OpenAPI v2 document says instead of `one_of`.
    """

    name: str
    type: str = ""
    format: str = ""
    fields: Mapping[str, Node] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    map_type: str = ""
    kinds: tuple[GroupVersionKind, ...] = ()
    one_of: tuple[str, ...] = ()
    unions: JsonValue = None
    v2: JsonValue = None


@cache
def _index() -> dict[str, bytes]:
    data = files("kubewire.machinery.schema").joinpath("definitions.tsv").read_bytes()
    lines = (line.partition(b"\t") for line in data.splitlines())
    return {name.decode(): text for name, _, text in lines}


def names() -> Iterator[str]:
    """The names of all definitions, sorted."""
    return iter(_index())


@cache
def lookup(name: str) -> Definition:
    """The definition of this name.

    Raises:
        UnknownDefinitionError: there is none.
    """
    text = _index().get(name)
    if text is None:
        raise UnknownDefinitionError(f"no definition {name}")
    return _read_definition(name, orjson.loads(text))


def has(name: str) -> bool:
    """Whether there is a definition of this name."""
    return name in _index()


def name_of_message(full_name: str) -> str:
    """The definition of a proto message, e.g. `k8s.io.api.core.v1.Pod` -> `io.k8s.api.core.v1.Pod`."""
    return "io.k8s" + full_name.removeprefix("k8s.io").replace("_", "-")


def _read_definition(name: str, packed: JsonObject) -> Definition:
    fields = _object(packed.get("x"))
    return Definition(
        name=name,
        type=_text(packed.get("t")),
        format=_text(packed.get("f")),
        fields={key: _read_node(_object(node)) for key, node in fields.items()},
        required=_texts(packed.get("q")),
        map_type=_text(packed.get("m")),
        kinds=tuple(GroupVersionKind(*kind.split("/")) for kind in _texts(packed.get("g"))),
        one_of=tuple(_text(_object(one).get("type")) for one in _list(packed.get("o"))),
        unions=packed.get("u"),
        v2=packed.get("v"),
    )


def _read_node(packed: JsonObject) -> Node:
    items, values = packed.get("i"), packed.get("a")
    return Node(
        type=_text(packed.get("t")),
        format=_text(packed.get("f")),
        ref=_text(packed.get("r")),
        items=None if items is None else _read_node(_object(items)),
        values=None if values is None else _read_node(_object(values)),
        list_type=_text(packed.get("l")),
        list_map_keys=_texts(packed.get("k")),
        map_type=_text(packed.get("m")),
        patch_strategies=tuple(filter(None, _text(packed.get("s")).split(","))),
        patch_merge_key=_text(packed.get("p")),
        enum=_texts(packed.get("e")),
        has_default="d" in packed,
        default=packed.get("d"),
    )


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _texts(value: JsonValue) -> tuple[str, ...]:
    return tuple(map(str, _list(value)))


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}
