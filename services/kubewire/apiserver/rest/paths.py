"""Which resource, namespace, name and subresource a URL path names.

Paths are cut at the slashes and looked up in tables made at start; nothing is matched by pattern, since every
request passes here. The rules are those of upstream's request info: `namespaces` is a resource and a prefix, and
the legacy `/watch/` prefix still watches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from kubewire.machinery.gvk import GroupResource
from kubewire.machinery.resources import Resource, Subresource

if TYPE_CHECKING:
    from kubewire.apiserver.metrics import EndpointMetrics

_NAMESPACE_SUBRESOURCES: Final = ("status", "finalize")


# Subresources, and a resource, that are answered with a Status: what they change is another object.
_ANSWERED_BY_STATUS: Final = ("binding", "eviction")
_BINDINGS: Final = GroupResource("", "bindings")


class Endpoint:
    """A resource, or a subresource of it: what requests are sent to.

    Attributes:
        verbs: what may be done here, as discovery lists it.
        shown: the resource of what is exchanged here; for `scale` and its like one of that kind.
        answers_status: a create is answered with a Status instead of an object.
        series: metrics by verb and scope, kept here so that they are found without a hash of everything.
    """

    __slots__ = ("answers_status", "resource", "series", "shown", "sub", "subresource", "verbs")

    def __init__(self, resource: Resource, sub: Subresource | None = None) -> None:
        self.resource: Final = resource
        self.sub: Final = sub
        self.subresource: Final = sub.name if sub else ""
        self.verbs: Final = frozenset(sub.verbs if sub else resource.verbs)
        self.shown: Final = _shown(resource, sub)
        self.answers_status: Final = self.subresource in _ANSWERED_BY_STATUS or resource.group_resource == _BINDINGS
        self.series: Final[dict[tuple[str, str], EndpointMetrics]] = {}

    def __repr__(self) -> str:
        sub = f"/{self.subresource}" if self.subresource else ""
        return f"Endpoint({self.resource.gvr.api_version} {self.resource.plural}{sub})"


def _shown(resource: Resource, sub: Subresource | None) -> Resource:
    if sub is None or sub.kind == resource.gvk:
        return resource
    kind = sub.kind
    return replace(resource, group=kind.group, version=kind.version, kind=kind.kind, storage=None, subresources={})


class Target(NamedTuple):
    """What a path names. `name` is empty for collections; `rest` is what follows a subresource (proxies)."""

    endpoint: Endpoint
    namespace: str = ""
    name: str = ""
    rest: str = ""
    is_watch: bool = False


class _Endpoints(NamedTuple):
    """A resource's own endpoint and those of its subresources."""

    main: Endpoint
    subs: Mapping[str, Endpoint]


class Paths:
    """Finds the target of a path among the resources served."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._versions: dict[tuple[str, str], dict[str, _Endpoints]] = {}
        for resource in resources:
            subs = {name: Endpoint(resource, sub) for name, sub in resource.subresources.items()}
            version = self._versions.setdefault((resource.group, resource.version), {})
            version[resource.plural] = _Endpoints(Endpoint(resource), subs)

    def find(self, path: str) -> Target | None:
        """The target of `path` (without query); None if it names nothing that is served."""
        parts = path.split("/")
        if parts[-1] == "":
            parts.pop()
        if "%" in path:
            parts = [unquote(part) for part in parts]
        root = parts[1] if len(parts) > 1 else ""
        if root == "api" and len(parts) > 3:
            plurals, rest = self._versions.get(("", parts[2])), parts[3:]
        elif root == "apis" and len(parts) > 4:
            plurals, rest = self._versions.get((parts[2], parts[3])), parts[4:]
        else:
            return None
        if plurals is None:
            return None
        if rest[0] == "watch" and len(rest) > 1:
            found = _find(plurals, rest[1:])
            return found._replace(is_watch=True) if found and not found.endpoint.sub else None
        return _find(plurals, rest)


def _find(plurals: Mapping[str, _Endpoints], rest: list[str]) -> Target | None:
    """`rest` begins with a plural, or with `namespaces/<namespace>/`."""
    if rest[0] == "namespaces" and len(rest) > 2 and not _is_of_namespace(rest):
        endpoints = plurals.get(rest[2])
        if endpoints is None or not endpoints.main.resource.namespaced or not rest[1]:
            return None
        return _target(endpoints, rest[1], rest[3:])
    endpoints = plurals.get(rest[0])
    if endpoints is None or (endpoints.main.resource.namespaced and len(rest) > 1):
        return None
    return _target(endpoints, "", rest[1:])


def _is_of_namespace(rest: list[str]) -> bool:
    """Whether `namespaces/<name>/<third>` is a subresource of the namespace itself."""
    return len(rest) == 3 and rest[2] in _NAMESPACE_SUBRESOURCES


def _target(endpoints: _Endpoints, namespace: str, rest: list[str]) -> Target | None:
    """`rest` is empty for the collection, else name, subresource, and what is the subresource's own."""
    if not rest:
        return Target(endpoints.main, namespace)
    name = rest[0]
    if not name:
        return None
    if len(rest) == 1:
        return Target(endpoints.main, namespace, name)
    sub = endpoints.subs.get(rest[1])
    if sub is None or (len(rest) > 2 and rest[1] != "proxy"):
        return None
    return Target(sub, namespace, name, "/".join(rest[2:]))
