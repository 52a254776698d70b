"""Types of the API as OpenAPI schemas: the v3 form, the v2 form, and which types a set of types needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kubewire.machinery.json_value import JsonArray, JsonObject, JsonValue
from kubewire.machinery.schema import definitions
from kubewire.machinery.schema.definitions import Definition, Node


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between the versions of OpenAPI.

    Attributes:
        reference: where definitions stand in the document.
        has_defaults: defaults and the unions of types (`oneOf`) can be said.
    """

    reference: str
    has_defaults: bool

    def schema_of(self, definition: Definition) -> JsonObject:
        """One named type."""
        if isinstance(definition.v2, dict) and not self.has_defaults:
            return dict(definition.v2) | ({"format": definition.format} if definition.format else {})
        schema: JsonObject = {}
        if definition.one_of:
            schema["oneOf"] = [{"type": name} for name in definition.one_of]
        if definition.type:
            schema["type"] = definition.type
        if definition.format:
            schema["format"] = definition.format
        if definition.required:
            schema["required"] = list(definition.required)
        if definition.fields:
            schema["properties"] = {name: self._node(node) for name, node in definition.fields.items()}
        return schema | _extensions(definition)

    def reference_to(self, name: str) -> JsonObject:
        """A place where a named type stands."""
        return {"$ref": self.reference + name}

    def _node(self, node: Node) -> JsonObject:
        if node.ref:
            return self._reference(node) | _node_extensions(node)
        schema: JsonObject = {"type": node.type} if node.type else {}
        if node.format:
            schema["format"] = node.format
        if node.items is not None:
            schema["items"] = self._node(node.items)
        if node.values is not None:
            schema["additionalProperties"] = self._node(node.values)
        if node.enum:
            schema["enum"] = list(node.enum)
        if node.has_default and self.has_defaults:
            schema["default"] = node.default
        return schema | _node_extensions(node)

    def _reference(self, node: Node) -> JsonObject:
        """In v3 a reference cannot have neighbours, so a default goes beside `allOf`."""
        reference = self.reference_to(node.ref)
        if node.has_default and self.has_defaults:
            return {"allOf": [reference], "default": node.default}
        return reference


V2: Final = Dialect("#/definitions/", has_defaults=False)
V3: Final = Dialect("#/components/schemas/", has_defaults=True)


def _extensions(definition: Definition) -> JsonObject:
    found: JsonObject = {}
    if definition.kinds:
        kinds: JsonArray = [
            {"group": kind.group, "kind": kind.kind, "version": kind.version} for kind in definition.kinds
        ]
        found["x-kubernetes-group-version-kind"] = kinds
    if definition.map_type:
        found["x-kubernetes-map-type"] = definition.map_type
    if definition.unions is not None:
        found["x-kubernetes-unions"] = definition.unions
    return found


def _node_extensions(node: Node) -> JsonObject:
    values: dict[str, JsonValue] = {
        "x-kubernetes-list-type": node.list_type,
        "x-kubernetes-list-map-keys": list(node.list_map_keys),
        "x-kubernetes-map-type": node.map_type,
        "x-kubernetes-patch-strategy": ",".join(node.patch_strategies),
        "x-kubernetes-patch-merge-key": node.patch_merge_key,
    }
    return {key: value for key, value in values.items() if value}


def closure(names: Iterable[str]) -> list[str]:
    """These definitions and all they refer to, sorted; names that have no definition are left out."""
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in seen or not definitions.has(name):
            continue
        seen.add(name)
        for node in definitions.lookup(name).fields.values():
            waiting.extend(_references(node))
    return sorted(seen)


def _references(node: Node) -> Iterable[str]:
    if node.ref:
        yield node.ref
    for inner in (node.items, node.values):
        if inner is not None:
            yield from _references(inner)
