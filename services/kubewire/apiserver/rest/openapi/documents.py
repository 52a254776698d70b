"""The documents themselves: one of v3 for each group version with an index of them, and one of v2 for everything."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from hashlib import sha512
from itertools import groupby
from typing import Final

import orjson

from kubewire.apiserver.rest.openapi.operations import root_of
from kubewire.apiserver.rest.openapi.writers import V2Writer, V3Writer, write_paths, write_schemas
from kubewire.machinery.json_value import JsonObject
from kubewire.machinery.resources import Resource

_BEARER: Final[JsonObject] = {
    "type": "apiKey",
    "description": "Bearer Token authentication",
    "name": "authorization",
    "in": "header",
}


class OpenApi:
    """Documents for a set of resources. A document is made when it is first asked for, in some tens of milliseconds."""

    def __init__(self, resources: Iterable[Resource], version: str) -> None:
        ordered = sorted(resources, key=root_of)
        self._by_root = {root.lstrip("/"): tuple(items) for root, items in groupby(ordered, key=root_of)}
        self._info: JsonObject = {"title": "Kubernetes", "version": version}
        self._v3: dict[str, bytes] = {}

    @cached_property
    def index(self) -> bytes:
        """Addresses of the v3 documents; an address changes whenever its document does."""
        paths: JsonObject = {
            root: {"serverRelativeURL": f"/openapi/v3/{root}?hash={self.hash_of(root)}"} for root in self._by_root
        }
        return orjson.dumps({"paths": paths})

    def hash_of(self, root: str) -> str:
        """Names the content of a v3 document without making it: what it is made from, digested."""
        parts = [
            str(self._info),
            *(f"{item.gvk} {item.verbs} {sorted(item.subresources)}" for item in self._by_root[root]),
        ]
        return sha512("\n".join(parts).encode()).hexdigest()[:64].upper()

    def has(self, root: str) -> bool:
        """Whether there is a v3 document for `api/v1`, `apis/apps/v1` ..."""
        return root in self._by_root

    def v3(self, root: str) -> bytes:
        """The v3 document of a group version.

        Raises:
            KeyError: there is none (`has`).
        """
        found = self._v3.get(root)
        if found is None:
            found = self._v3[root] = orjson.dumps(self._v3_document(self._by_root[root]))
        return found

    @cached_property
    def v2(self) -> bytes:
        """The v2 document of everything."""
        resources = [item for items in self._by_root.values() for item in items]
        writer = V2Writer()
        document: JsonObject = {
            "swagger": "2.0",
            "info": self._info,
            "paths": write_paths(writer, resources),
            "definitions": write_schemas(writer, resources),
            "securityDefinitions": {"BearerToken": _BEARER},
            "security": [{"BearerToken": []}],
        }
        return orjson.dumps(document)

    def _v3_document(self, resources: tuple[Resource, ...]) -> JsonObject:
        writer = V3Writer()
        schemas = write_schemas(writer, resources)
        return {
            "openapi": "3.0.0",
            "info": self._info,
            "paths": write_paths(writer, resources),
            "components": {"schemas": schemas, "securitySchemes": {"BearerToken": _BEARER}},
            "security": [{"BearerToken": []}],
        }
