"""`serviceaccounts/token`: a token for an account, for an audience and a time, that lives no longer than a pod does.

Nothing is stored: a token is its signature. What it is bound to is read from the newest state, since a kubelet asks
for the token of a pod right after it has heard of it from another server.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from kubewire.apiserver.admission.contracts import Operation, Request
from kubewire.apiserver.auth.account_claims import Claims, Named
from kubewire.apiserver.contracts import Written
from kubewire.apiserver.defaults.table import apply_kind_defaults
from kubewire.apiserver.item import Item
from kubewire.apiserver.nodes.restriction import PLUGIN as NODE_RESTRICTION
from kubewire.apiserver.nodes.restriction import restrict_token
from kubewire.apiserver.options import GetOptions
from kubewire.apiserver.registry import reads
from kubewire.apiserver.registry.decoding import decode_message
from kubewire.apiserver.registry.kinds import unknown_resource
from kubewire.apiserver.registry.metadata import random_uid, set_seconds
from kubewire.apiserver.registry.subresources.contracts import Special
from kubewire.machinery import errors, field_errors
from kubewire.machinery.errors import Reason, StatusError
from kubewire.machinery.field_path import ROOT
from kubewire.machinery.gvk import GroupResource, GroupVersionKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubewire.api.authentication.v1.token_request_pb2 import BoundObjectReference, TokenRequest
    from kubewire.api.core.v1.pod_pb2 import Pod
    from kubewire.apiserver.contracts import Body, Call
    from kubewire.apiserver.options import WriteOptions
    from kubewire.apiserver.registry.core import Core

TOKEN_REQUEST: Final = GroupVersionKind("authentication.k8s.io", "v1", "TokenRequest")
SHORTEST_SECONDS: Final = 600
_LONGEST_SECONDS: Final = 1 << 32
_EXPIRATION: Final = ROOT.child("spec", "expirationSeconds")
_PLURALS: Final = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}


class _Bound(NamedTuple):
    """What a token is bound to; nothing, by default."""

    pod: Named | None = None
    secret: Named | None = None
    node: Named | None = None


class AccountToken(Special):
    """The subresource; the account is named by the request."""

    async def create(self, core: Core, call: Call, body: Body, options: WriteOptions) -> Written:
        """Sign a token."""
        issuer = core.issuer
        if issuer is None:
            raise unknown_resource()
        request = cast("TokenRequest", decode_message(body, TOKEN_REQUEST, call, options))
        apply_kind_defaults(TOKEN_REQUEST, request)
        asked = type(request.spec)()
        asked.CopyFrom(request.spec)
        _complete(request, call, issuer.audiences)
        _validate(request)
        account = await reads.get(core, replace(call, subresource=""), GetOptions())
        bound, pod = await _bound(core, call, asked.boundObjectRef)
        if core.admission.runs(NODE_RESTRICTION):
            about = Request(call.resource, Operation.CREATE, call.namespace, call.name, identity=call.identity)
            restrict_token(about, asked, pod)
        now = int(core.clock())
        expires = now + request.spec.expirationSeconds
        named, audiences = Named(account.name, account.metadata.uid), tuple(request.spec.audiences)
        claims = Claims(call.namespace, named, audiences, now, expires, random_uid(core.random), *bound)
        request.ClearField("status")
        if not options.dry_run:
            request.status.token = issuer.issue(claims)
        request.status.expirationTimestamp.seconds = expires
        set_seconds(request.metadata, "creationTimestamp", now)
        raw = request.SerializeToString(deterministic=True)
        return Written(Item(call.resource, call.namespace, call.name, 0, raw), created=True)


def _complete(request: TokenRequest, call: Call, audiences: Sequence[str]) -> None:
    meta = request.metadata
    for field, given, wanted in (("name", meta.name, call.name), ("namespace", meta.namespace, call.namespace)):
        if given and given != wanted:
            raise errors.bad_request(f"metadata.{field}: want that of the service account, {wanted}, got {given}")
    meta.name, meta.namespace = call.name, call.namespace
    if not request.spec.audiences:
        request.spec.audiences.extend(audiences)


def _validate(request: TokenRequest) -> None:
    seconds, why = request.spec.expirationSeconds, ""
    if seconds < SHORTEST_SECONDS:
        why = "may not specify a duration less than 10 minutes"
    elif seconds > _LONGEST_SECONDS:
        why = "may not specify a duration larger than 2^32 seconds"
    if why:
        problem = field_errors.invalid(_EXPIRATION, seconds, why)
        raise errors.invalid(TOKEN_REQUEST.group_kind, request.metadata.name, [problem])


async def _bound(core: Core, call: Call, ref: BoundObjectReference) -> tuple[_Bound, Pod | None]:
    """What a reference names, as it is now, and the pod if it is one.

    Raises:
        StatusError: 404, it is not there; 409, it is another of the same name; 400, it cannot be bound to.
    """
    if not ref.kind and not ref.name:
        return _Bound(), None
    if ref.apiVersion != "v1" or ref.kind not in _PLURALS:
        group, _, version = ref.apiVersion.rpartition("/")
        named = f"{group}/{version}, Kind={ref.kind}"
        raise errors.bad_request(f"cannot bind token to object of type {named}")
    item = await _get(core, call, _PLURALS[ref.kind], ref.name)
    uid = item.metadata.uid
    pod = cast("Pod", item.message) if ref.kind == "Pod" else None
    if pod is not None:
        bound = await _bound_to_pod(core, call, pod)
    else:
        named_ = Named(item.name, uid)
        bound = _Bound(secret=named_) if ref.kind == "Secret" else _Bound(node=named_)
    if ref.uID and ref.uID != uid:
        why = (
            f"the UID in the bound object reference ({ref.uID}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise errors.conflict(GroupResource("", ref.kind), ref.name, why)
    return bound, pod


async def _bound_to_pod(core: Core, call: Call, pod: Pod) -> _Bound:
    if pod.spec.serviceAccountName != call.name:
        why = f'cannot bind token for serviceaccount "{call.name}" to pod running with different serviceaccount name.'
        raise errors.bad_request(why)
    named = Named(pod.metadata.name, pod.metadata.uid)
    if not pod.spec.nodeName:
        return _Bound(pod=named)
    try:
        node = await _get(core, call, "nodes", pod.spec.nodeName)
    except StatusError as error:
        if error.reason != Reason.NOT_FOUND:
            raise
        return _Bound(pod=named, node=Named(pod.spec.nodeName, ""))
    return _Bound(pod=named, node=Named(node.name, node.metadata.uid))


async def _get(core: Core, call: Call, plural: str, name: str) -> Item:
    resource = core.kinds.named("", "v1", plural).resource
    namespace = call.namespace if resource.namespaced else ""
    about = replace(call, resource=resource, subresource="", namespace=namespace, name=name)
    return await reads.get(core, about, GetOptions())
