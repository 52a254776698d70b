"""Schemas for strategic merge patches, made from the API's definitions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from kubewire.machinery.schema import definitions
from kubewire.machinery.schema.definitions import Node


@dataclass(frozen=True, slots=True)
class FieldOfDefinition:
    """How one field merges."""

    node: Node

    @property
    def merges(self) -> bool:
        """Whether lists are merged item by item."""
        return "merge" in self.node.patch_strategies

    @property
    def replaces(self) -> bool:
        """Whether maps are replaced as a whole."""
        return "replace" in self.node.patch_strategies

    @property
    def merge_key(self) -> str:
        """The field that identifies a list's item."""
        return self.node.patch_merge_key

    @property
    def below(self) -> SchemaOfNode:
        """The type of the field, or of its list's items."""
        return SchemaOfNode(self.node.items if self.node.items is not None else self.node)


@dataclass(frozen=True, slots=True)
class SchemaOfNode:
    """The type that stands in one place: a definition's fields, or a map's values under any name."""

    node: Node

    @property
    def name(self) -> str:
        """The definition's name, or the JSON type."""
        return self.node.ref.rpartition(".")[2] or self.node.type

    def field(self, name: str) -> FieldOfDefinition:
        """How a field merges; KeyError if the type has none of this name."""
        if self.node.ref:
            declared = definitions.lookup(self.node.ref)
            return FieldOfDefinition(declared.fields[name] if declared.fields else Node())
        if self.node.type == "object" or not self.node.type:
            return FieldOfDefinition(self.node.values or Node())
        raise KeyError(name)


@cache
def schema_of(definition: str) -> SchemaOfNode:
    """The schema of a definition, e.g. `io.k8s.api.core.v1.Pod`."""
    return SchemaOfNode(Node(ref=definition))
