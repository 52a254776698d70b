"""What can be done at which path, for OpenAPI documents: neutral records that both versions are written from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from kubewire.apiserver.streams.table import is_stream
from kubewire.machinery.gvk import GroupVersionKind
from kubewire.machinery.resources import Resource, Subresource
from kubewire.machinery.schema import definitions
from kubewire.machinery.schema.definitions import name_of_message

_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1."
STATUS: Final = f"{_META}Status"
DELETE_OPTIONS: Final = f"{_META}DeleteOptions"
PATCH: Final = f"{_META}Patch"

OBJECT_TYPES: Final = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
STREAM_TYPES: Final = (
    *OBJECT_TYPES,
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch",
)
PATCH_TYPES: Final = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)


class Parameter(NamedTuple):
    """One parameter of the query or the path."""

    name: str
    type: str = "string"
    place: str = "query"


PRETTY: Final = Parameter("pretty")
_DRY_RUN: Final = (Parameter("dryRun"),)
_WRITE: Final = (*_DRY_RUN, Parameter("fieldManager"), Parameter("fieldValidation"))
_SELECTION: Final = (
    Parameter("continue"),
    Parameter("fieldSelector"),
    Parameter("labelSelector"),
    Parameter("limit", "integer"),
    Parameter("resourceVersion"),
    Parameter("resourceVersionMatch"),
    Parameter("sendInitialEvents", "boolean"),
    Parameter("timeoutSeconds", "integer"),
)
_LIST: Final = (Parameter("allowWatchBookmarks", "boolean"), *_SELECTION, Parameter("watch", "boolean"))
_DELETE: Final = (
    *_DRY_RUN,
    Parameter("gracePeriodSeconds", "integer"),
    Parameter("ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"),
    Parameter("orphanDependents", "boolean"),
    Parameter("propagationPolicy"),
)


class _Rule(NamedTuple):
    """How a verb looks over HTTP."""

    method: str
    action: str
    operation: str
    parameters: tuple[Parameter, ...]
    codes: tuple[int, ...]


_RULES: Final[Mapping[str, _Rule]] = {
    "get": _Rule("get", "get", "read", (), (200,)),
    "list": _Rule("get", "list", "list", _LIST, (200,)),
    "create": _Rule("post", "post", "create", _WRITE, (200, 201, 202)),
    "update": _Rule("put", "put", "replace", _WRITE, (200, 201)),
    "patch": _Rule("patch", "patch", "patch", (*_WRITE, Parameter("force", "boolean")), (200, 201)),
    "delete": _Rule("delete", "delete", "delete", _DELETE, (200, 202)),
    "deletecollection": _Rule("delete", "deletecollection", "deleteCollection", (*_DELETE, *_SELECTION), (200,)),
}
_ON_COLLECTION: Final = ("list", "create", "deletecollection")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path.

    Attributes:
        body, result: names of definitions; `body` empty for none.
        path_parameters: those that stand in the path, the same for all methods of it.
    """

    path: str
    method: str
    id: str
    tag: str
    action: str
    kind: GroupVersionKind
    parameters: tuple[Parameter, ...]
    path_parameters: tuple[Parameter, ...]
    codes: tuple[int, ...]
    result: str
    body: str = ""
    consumes: tuple[str, ...] = ()
    produces: tuple[str, ...] = field(default=OBJECT_TYPES)


def operations_of(resource: Resource) -> Iterator[Operation]:
    """Everything that can be done with a resource and its subresources."""
    for verb in resource.verbs:
        if verb in _RULES:
            yield _operation(resource, verb)
    if resource.namespaced and "list" in resource.verbs:
        yield _operation(resource, "list", is_everywhere=True)
    for sub in resource.subresources.values():
        if is_stream(resource, sub.name) or not definitions.has(name_of_message(sub.message)):
            continue  # streams and proxies: what they exchange is no object
        for verb in sub.verbs:
            if verb in _RULES:
                yield _sub_operation(resource, sub, verb)


def roots_of(resources: Iterable[Resource]) -> set[str]:
    """The definitions that operations on these resources name."""
    names = {STATUS, DELETE_OPTIONS, PATCH}
    for resource in resources:
        for operation in operations_of(resource):
            names.update((operation.result, operation.body))
        names.add(name_of_message(resource.message))
    return names - {""}


def _operation(resource: Resource, verb: str, *, is_everywhere: bool = False) -> Operation:
    rule = _RULES[verb]
    path = f"{root_of(resource)}/{resource.plural}"
    if resource.namespaced and not is_everywhere:
        path = f"{root_of(resource)}/namespaces/{{namespace}}/{resource.plural}"
    if verb not in _ON_COLLECTION:
        path += "/{name}"
    body, result = _body_and_result(resource, verb)
    scope = "Namespaced" if resource.namespaced and not is_everywhere else ""
    suffix = "ForAllNamespaces" if is_everywhere else ""
    return Operation(
        path=path,
        method=rule.method,
        id=f"{rule.operation}{_camel(resource)}{scope}{resource.kind}{suffix}",
        tag=_tag(resource),
        action=rule.action,
        kind=resource.gvk,
        parameters=rule.parameters,
        path_parameters=_path_parameters(path),
        codes=rule.codes,
        result=result,
        body=body,
        consumes=_consumes(verb, body),
        produces=STREAM_TYPES if verb == "list" else OBJECT_TYPES,
    )


def _sub_operation(resource: Resource, sub: Subresource, verb: str) -> Operation:
    rule = _RULES[verb]
    namespace = "/namespaces/{namespace}" if resource.namespaced else ""
    path = f"{root_of(resource)}{namespace}/{resource.plural}/{{name}}/{sub.name}"
    name = name_of_message(sub.message)
    body = {"create": name, "update": name, "patch": PATCH}.get(verb, "")
    scope = "Namespaced" if resource.namespaced else ""
    return Operation(
        path=path,
        method=rule.method,
        id=f"{rule.operation}{_camel(resource)}{scope}{resource.kind}{sub.name.title()}",
        tag=_tag(resource),
        action=rule.action,
        kind=sub.kind,
        parameters=rule.parameters,
        path_parameters=_path_parameters(path),
        codes=rule.codes,
        result=name,
        body=body,
        consumes=_consumes(verb, body),
    )


def _body_and_result(resource: Resource, verb: str) -> tuple[str, str]:
    name = name_of_message(resource.message)
    match verb:
        case "list":
            return "", name_of_message(resource.list_message)
        case "create" | "update":
            return name, name
        case "patch":
            return PATCH, name
        case "delete" | "deletecollection":
            return DELETE_OPTIONS, STATUS
    return "", name


def _consumes(verb: str, body: str) -> tuple[str, ...]:
    if not body:
        return ()
    return PATCH_TYPES if verb == "patch" else OBJECT_TYPES


def _path_parameters(path: str) -> tuple[Parameter, ...]:
    names = [name for name in ("name", "namespace") if f"{{{name}}}" in path]
    return (*(Parameter(name, place="path") for name in names), PRETTY)


def root_of(resource: Resource) -> str:
    """The path of a resource's group version."""
    return f"/apis/{resource.api_version}" if resource.group else f"/api/{resource.version}"


def _camel(resource: Resource) -> str:
    first = resource.group.partition(".")[0] or "core"
    return first[0].upper() + first[1:] + resource.version[0].upper() + resource.version[1:]


def _tag(resource: Resource) -> str:
    return f"{resource.group.partition('.')[0] or 'core'}_{resource.version}"
