"""From a method and a request's bytes to what is asked of the core, and in which form the answer goes out.

Typed services and the ObjectService differ only here: in where the resource is named, in what an object is wrapped
in, and in the form of answers.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError

from kubewire.api.meta.v1.group_kind_pb2 import GroupVersionResource
from kubewire.api.runtime.runtime_pb2 import Unknown
from kubewire.apiserver.contracts import Body, Call, Encoding
from kubewire.apiserver.rpc import forms
from kubewire.apiserver.rpc import request as requests
from kubewire.apiserver.rpc.methods import STREAMED, Method, Verb
from kubewire.machinery import errors
from kubewire.machinery.errors import Reason, StatusError

if TYPE_CHECKING:
    from kubewire.apiserver.rpc.context import RpcContext
    from kubewire.apiserver.rpc.forms import Form
    from kubewire.machinery.resources import Resource, ResourceTable
    from kubewire.rpc.v1.raw_pb2 import RawRequest

PROTOBUF: Final = "application/vnd.kubernetes.protobuf"
_WITHOUT_NAME: Final = frozenset(
    {Verb.LIST, Verb.WATCH, Verb.CREATE, Verb.CREATE_BATCH, Verb.DELETE_BATCH, Verb.LIST_WRITES}
)
_ACROSS_NAMESPACES: Final = frozenset({Verb.LIST, Verb.WATCH, Verb.CREATE_BATCH, Verb.LIST_WRITES})
_WITH_OBJECT: Final = frozenset({Verb.CREATE, Verb.UPDATE, Verb.APPLY})
_RESOURCE_VERB: Final = {
    Verb.CREATE_BATCH: "create",
    Verb.DELETE_BATCH: "delete",
    Verb.APPLY: "patch",
    Verb.LIST_WRITES: "list",
}


@dataclass(slots=True)
class Asked:
    """One request, read as far as the face has to.

    Attributes:
        call: with the namespace and name of the request or, where it has none, of its object.
        form: in which objects are answered.
        object: the object's message, empty where the request has none.
        is_generic: it came to the ObjectService.
    """

    verb: Verb
    call: Call
    request: RawRequest
    form: Form
    object: bytes = b""
    is_generic: bool = False
    answers_status: bool = False

    @property
    def view(self) -> int:
        """`ObjectView` of the answer."""
        return self.request.view

    @property
    def options(self) -> bytes:
        """The verb's options message."""
        return requests.joined(self.request.options)

    @property
    def body(self) -> Body:
        """The object, as the core takes it."""
        return Body(self.object, Encoding.PROTOBUF)


def read(method: Method, context: RpcContext, data: bytes, resources: ResourceTable) -> Asked:
    """Read a request to a method of a typed service or of the ObjectService that is about one resource.

    Raises:
        StatusError: 400 for a request that is malformed or misses a name, 404 and 405 for what is not served.
    """
    request = requests.parse(data)
    if method.resource is None:
        asked = _generic(method, context, request, resources)
    else:
        asked = _typed(method, method.resource, context, request)
    _complete(asked)
    return asked


def _typed(method: Method, resource: Resource, context: RpcContext, request: RawRequest) -> Asked:
    return Asked(
        method.verb,
        _call(context, resource, request, method.subresource),
        request,
        forms.typed(request.view),
        object=requests.object_of(request) if method.verb in _WITH_OBJECT else b"",
        answers_status=method.answers_status,
    )


def _generic(method: Method, context: RpcContext, request: RawRequest, resources: ResourceTable) -> Asked:
    wrapped = _unknown(requests.object_of(request)) if method.verb in _WITH_OBJECT else Unknown()
    resource = _named_resource(request, resources) or _resource_of_kind(wrapped, resources)
    subresource = request.subresource
    _check_served(resource, subresource, _RESOURCE_VERB.get(method.verb, method.verb.value))
    answers_status = subresource in ("binding", "eviction")
    return Asked(
        method.verb,
        _call(context, resource, request, subresource),
        request,
        forms.status() if answers_status else forms.generic(resource, subresource, request.view),
        object=wrapped.raw,
        is_generic=True,
        answers_status=answers_status,
    )


def _call(context: RpcContext, resource: Resource, request: RawRequest, subresource: str) -> Call:
    return Call(
        context.identity,
        resource,
        request.namespace,
        requests.name_of(request),
        subresource,
        context.user_agent,
        context.cause,
        time.time(),
        context.warnings,
    )


def _complete(asked: Asked) -> None:
    """Take namespace and name from the object where the request does not say, and refuse calls that have none."""
    call, verb = asked.call, asked.verb
    namespaced = call.resource.namespaced
    if call.namespace and not namespaced:
        raise errors.bad_request(f"namespace: {call.resource.group_resource} are cluster-scoped, want none")
    needs_name = bool(call.subresource) or verb not in _WITHOUT_NAME
    if verb is Verb.DELETE_BATCH or (verb is Verb.CREATE_BATCH and call.subresource):
        call.name, needs_name = "", False
    if verb in _WITH_OBJECT and ((needs_name and not call.name) or (namespaced and not call.namespace)):
        namespace, name = requests.identity_of(asked.object)
        call.namespace = call.namespace or (namespace if namespaced else "")
        call.name = call.name or (name if needs_name else "")
    if namespaced and not call.namespace and verb not in _ACROSS_NAMESPACES:
        where = " or in the object's metadata" if verb in _WITH_OBJECT else ""
        raise errors.bad_request(f"namespace: {call.resource.group_resource} need one in the request{where}")
    if needs_name and not call.name:
        raise errors.bad_request(f"name: {verb.value} needs the name of one of {call.resource.group_resource}")


def _named_resource(request: RawRequest, resources: ResourceTable) -> Resource | None:
    if not request.resource:
        return None
    try:
        named = GroupVersionResource.FromString(requests.joined(request.resource))
    except DecodeError as error:
        raise errors.bad_request(f"resource: no GroupVersionResource can be read: {error}") from None
    found = resources.by_plural(named.group, named.version, named.resource)
    if found is None or not found.served:
        raise _not_served(f"resource {named.resource!r} of group {named.group!r} in version {named.version!r}")
    return found


def _resource_of_kind(wrapped: Unknown, resources: ResourceTable) -> Resource:
    kind = wrapped.typeMeta
    if not kind.kind:
        raise errors.bad_request(
            "resource: want group, version and resource, or an object whose typeMeta names its kind"
        )
    group, _, version = kind.apiVersion.rpartition("/")
    found = resources.by_kind(group, version, kind.kind)
    if found is None or not found.served:
        raise _not_served(f"kind {kind.kind!r} in {kind.apiVersion!r}")
    return found


def _check_served(resource: Resource, subresource: str, verb: str) -> None:
    verbs = resource.verbs
    if subresource:
        found = resource.subresources.get(subresource)
        if found is None:
            raise _not_served(f"subresource {subresource!r} of {resource.group_resource}")
        verbs = () if subresource in STREAMED else found.verbs
    if verb not in verbs:
        raise errors.method_not_supported(resource.group_resource, verb)


def _not_served(what: str) -> StatusError:
    return StatusError(404, Reason.NOT_FOUND, f"the server could not find the requested resource: no {what}")


def unwrap(data: bytes, resource: Resource) -> bytes:
    """The message in a `runtime.Unknown` of a batch of objects of `resource`.

    Raises:
        StatusError: 400, it says that it is of another kind.
    """
    wrapped = _unknown(data)
    kind = wrapped.typeMeta
    if kind.kind and (kind.apiVersion, kind.kind) != (resource.api_version, resource.kind):
        raise errors.bad_request(
            f"objects: want {resource.kind} in {resource.api_version}, got {kind.kind} in {kind.apiVersion}"
        )
    return wrapped.raw


def _unknown(data: bytes) -> Unknown:
    try:
        wrapped = Unknown.FromString(data)
    except DecodeError as error:
        raise errors.bad_request(f"object: no runtime.Unknown can be read: {error}") from None
    if wrapped.contentType not in ("", PROTOBUF):
        raise errors.unsupported_media_type([PROTOBUF])
    return wrapped
