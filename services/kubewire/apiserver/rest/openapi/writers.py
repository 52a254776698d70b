"""Operations as the two versions of OpenAPI write them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from kubewire.apiserver.rest.openapi.operations import Operation, Parameter, operations_of, roots_of
from kubewire.apiserver.rest.openapi.schemas import V2, V3, Dialect, closure
from kubewire.machinery.json_value import JsonArray, JsonObject
from kubewire.machinery.resources import Resource
from kubewire.machinery.schema import definitions

_RESULTS: Final = {200: "OK", 201: "Created", 202: "Accepted"}


class Writer(Protocol):
    """One version of OpenAPI."""

    @property
    def dialect(self) -> Dialect:
        """How it writes types."""

    def operation(self, operation: Operation) -> JsonObject:
        """How it writes an operation."""

    def parameter(self, parameter: Parameter) -> JsonObject:
        """How it writes a parameter."""


class V2Writer:
    """OpenAPI 2: bodies are parameters, media types stand beside them."""

    dialect = V2

    def operation(self, operation: Operation) -> JsonObject:
        """One operation."""
        parameters: JsonArray = [self.parameter(parameter) for parameter in operation.parameters]
        written = _common(operation)
        if operation.body:
            body: JsonObject = {"name": "body", "in": "body", "schema": V2.reference_to(operation.body)}
            if operation.body != _OPTIONAL_BODY:
                body["required"] = True
            parameters.append(body)
            written["consumes"] = list(operation.consumes)
        written["produces"] = list(operation.produces)
        written["parameters"] = parameters
        schema = V2.reference_to(operation.result)
        written["responses"] = {
            **{str(code): {"description": _RESULTS[code], "schema": schema} for code in operation.codes},
            "401": {"description": "Unauthorized"},
        }
        return written

    def parameter(self, parameter: Parameter) -> JsonObject:
        """One parameter."""
        return _place(parameter) | {"type": parameter.type, "uniqueItems": True}


class V3Writer:
    """OpenAPI 3: bodies and results have content by media type."""

    dialect = V3

    def operation(self, operation: Operation) -> JsonObject:
        """One operation."""
        written = _common(operation)
        written["parameters"] = [self.parameter(parameter) for parameter in operation.parameters]
        if operation.body:
            body: JsonObject = {"content": _content(operation.body, operation.consumes)}
            if operation.body != _OPTIONAL_BODY:
                body["required"] = True
            written["requestBody"] = body
        content = _content(operation.result, operation.produces)
        written["responses"] = {
            **{str(code): {"description": _RESULTS[code], "content": content} for code in operation.codes},
            "401": {"description": "Unauthorized"},
        }
        return written

    def parameter(self, parameter: Parameter) -> JsonObject:
        """One parameter."""
        return _place(parameter) | {"schema": {"type": parameter.type, "uniqueItems": True}}


_OPTIONAL_BODY: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"


def _common(operation: Operation) -> JsonObject:
    kind = operation.kind
    return {
        "tags": [operation.tag],
        "operationId": operation.id,
        "x-kubernetes-action": operation.action,
        "x-kubernetes-group-version-kind": {"group": kind.group, "kind": kind.kind, "version": kind.version},
    }


def _place(parameter: Parameter) -> JsonObject:
    written: JsonObject = {"name": parameter.name, "in": parameter.place}
    return written | {"required": True} if parameter.place == "path" else written


def _content(name: str, media_types: Iterable[str]) -> JsonObject:
    reference = V3.reference_to(name)
    return {media_type: {"schema": reference} for media_type in media_types}


def write_paths(writer: Writer, resources: Iterable[Resource]) -> JsonObject:
    """The `paths` of a document, in order."""
    items: dict[str, JsonObject] = {}
    for resource in resources:
        for operation in operations_of(resource):
            item = items.setdefault(operation.path, {})
            item[operation.method] = writer.operation(operation)
            item["parameters"] = [writer.parameter(parameter) for parameter in operation.path_parameters]
    return {path: items[path] for path in sorted(items)}


def write_schemas(writer: Writer, resources: Iterable[Resource]) -> JsonObject:
    """All types that the operations on these resources need."""
    names = closure(roots_of(resources))
    return {name: writer.dialect.schema_of(definitions.lookup(name)) for name in names}
