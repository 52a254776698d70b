"""One request for a resource, as far as it is understood before the core is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.contracts import Call, Identity
from kubewire.apiserver.encoding.media import META_GROUP, Wanted, negotiate
from kubewire.apiserver.metrics import scope_of
from kubewire.apiserver.rest.answers import NO_HEADERS, Header, warning_headers
from kubewire.apiserver.rest.paths import Target
from kubewire.apiserver.rest.query import Query, flag
from kubewire.apiserver.streams.table import CONNECTS
from kubewire.machinery import errors, field_errors
from kubewire.machinery.errors import Details, Reason, StatusError
from kubewire.machinery.field_path import ROOT
from kubewire.machinery.gvk import GroupKind

if TYPE_CHECKING:
    from kubewire.apiserver.metrics import EndpointMetrics, RequestMetrics
    from kubewire.apiserver.rest.request import Request

CAUSE_HEADER: Final = "Kubewire-Cause"
"""Names the object version that made the caller act; for the record."""

_CAUSE_CHARACTERS: Final = 512
_READ_BY_HUMANS: Final = ("curl", "Wget", "Mozilla/5.0")
_SHOWN: Final = ("Metadata", "Object", "None")
_APPLY: Final = "application/apply-patch"
_OF_OBJECT: Final = {"GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_OF_COLLECTION: Final = {"POST": "create", "DELETE": "deletecollection"}
_METRIC_VERBS: Final[Mapping[str, str]] = {
    "get": "GET",
    "list": "LIST",
    "watch": "WATCH",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETECOLLECTION",
}
MUTATING: Final = frozenset(("create", "update", "patch", "delete", "deletecollection"))


def not_allowed() -> StatusError:
    """The method cannot be used on what the path names."""
    message = "the server does not allow this method on the requested resource"
    return StatusError(405, Reason.METHOD_NOT_ALLOWED, message, Details())


def verb_of(method: str, target: Target, query: Query) -> str:
    """Kubernetes' verb for a method on a target.

    Raises:
        StatusError: 405, when the method cannot be used there.
    """
    endpoint = target.endpoint
    if target.name and not target.is_watch:
        verb = "create" if method == "POST" and endpoint.sub else _OF_OBJECT.get(method, "")
    elif method in ("GET", "HEAD"):
        verb = "watch" if target.is_watch or flag(query, "watch") else "list"
    else:
        needs_namespace = endpoint.resource.namespaced and not target.namespace
        verb = "" if needs_namespace else _OF_COLLECTION.get(method, "")
    if verb not in endpoint.verbs:
        raise not_allowed()
    return verb


def is_for_humans(query: Query, user_agent: str) -> bool:
    """Whether JSON is to be indented: asked for, or by a client that people look at the answers of."""
    return flag(query, "pretty") if "pretty" in query else user_agent.startswith(_READ_BY_HUMANS)


def rows_show(query: Query) -> str:
    """The `includeObject` of TableOptions.

    Raises:
        StatusError: 422, it is none of the three values there are.
    """
    value = query.get("includeObject") or _SHOWN[0]
    if value not in _SHOWN:
        problem = field_errors.not_supported(ROOT.child("includeObject"), value, _SHOWN)
        raise errors.invalid(GroupKind(META_GROUP, "TableOptions"), "", [problem])
    return value


class Asked:
    """A request with its verb, its Call on the core, and the metrics it counts in."""

    __slots__ = ("call", "endpoint", "query", "request", "series", "target", "verb")

    def __init__(self, request: Request, target: Target, verb: str, query: Query, identity: Identity) -> None:
        headers = request.headers
        self.request: Final = request
        self.target: Final = target
        self.endpoint: Final = target.endpoint
        self.verb: Final = verb
        self.query: Final = query
        self.call: Final = Call(
            identity,
            target.endpoint.resource,
            target.namespace,
            "" if target.is_watch else target.name,
            target.endpoint.subresource,
            headers.get("User-Agent", ""),
            headers.get(CAUSE_HEADER, "")[:_CAUSE_CHARACTERS],
            request.received,
        )

    @property
    def accept(self) -> str:
        """The Accept header."""
        return self.request.headers.get("Accept", "")

    @property
    def wanted(self) -> Wanted:
        """What the answer is to look like.

        Raises:
            StatusError: 406, nothing that can be served.
        """
        wanted = negotiate(self.accept)
        return wanted._replace(pretty=True) if is_for_humans(self.query, self.call.user_agent) else wanted

    @property
    def shows(self) -> str:
        """What rows of a table carry: Metadata, Object or None.

        Raises:
            StatusError: 422, something else was asked for.
        """
        return rows_show(self.query)

    @property
    def headers(self) -> Sequence[Header]:
        """What the core warns of."""
        warnings = self.call.warnings
        return warning_headers(warnings) if warnings else NO_HEADERS


def series_of(metrics: RequestMetrics, request: Request, target: Target, verb: str, query: Query) -> EndpointMetrics:
    """The metrics a request counts in."""
    endpoint = target.endpoint
    name = "CONNECT" if endpoint.subresource in CONNECTS else _METRIC_VERBS[verb]
    if verb == "patch" and request.headers.get("Content-Type", "").startswith(_APPLY):
        name = "APPLY"
    scope = scope_of(target.namespace, target.name, name)
    if query.get("dryRun"):
        return metrics.endpoint(name, endpoint.resource, endpoint.subresource, scope, is_dry_run=True)
    key = (name, scope)
    found = endpoint.series.get(key)
    if found is None:
        found = endpoint.series[key] = metrics.endpoint(name, endpoint.resource, endpoint.subresource, scope)
    return found
