"""Admission plug-in NodeRestriction: a node writes about itself and its own pods, and does not promote itself.

Authorization lets a node write Node objects and pods by their names; what is in them is looked at here. Labels by
which people keep workloads off nodes are not a node's own to set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from kubewire.apiserver.admission.contracts import Operation, Request
from kubewire.apiserver.nodes.identity import node_of
from kubewire.apiserver.nodes.references import references_of
from kubewire.apiserver.strategy.metadata import metadata_of
from kubewire.machinery.errors import forbidden
from kubewire.machinery.quoting import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from google.protobuf.message import Message

    from kubewire.api.authentication.v1.token_request_pb2 import TokenRequestSpec
    from kubewire.api.core.v1.node_pb2 import Node
    from kubewire.api.core.v1.pod_pb2 import Pod
    from kubewire.machinery.errors import StatusError

PLUGIN: Final = "NodeRestriction"
_MIRROR: Final = "kubernetes.io/config.mirror"
_RESERVED_DOMAINS: Final = ("kubernetes.io", "k8s.io")
_OWN_DOMAINS: Final = ("kubelet.kubernetes.io", "node.kubernetes.io")
_OWN_LABELS: Final = frozenset(
    {
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "node.kubernetes.io/instance-type",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    }
)
"""Labels of Kubernetes' own domains that a node describes itself by."""


def restrict_pod(pod: Pod, request: Request) -> None:
    """A node creates mirrors of its static pods, and deletes, evicts and reports on its own pods."""
    node = node_of(request.identity)
    if not node:
        return
    if request.operation is Operation.CREATE:
        _check_mirror(pod, request, node)
        return
    old = cast("Pod", request.old)
    what = "delete pods" if request.operation is Operation.DELETE else "update pod status for pods"
    if request.operation is Operation.UPDATE and request.subresource != "status":
        raise _refused(request, f"node {quote(node)} can only update pods through their status")
    if old.spec.nodeName != node:
        raise _refused(request, f"node {quote(node)} can only {what} with spec.nodeName set to itself")
    if request.operation is Operation.UPDATE and pod.metadata.labels != old.metadata.labels:
        raise _refused(request, f"node {quote(node)} cannot update labels through pod status")


def _check_mirror(pod: Pod, request: Request, node: str) -> None:
    own = f"node {quote(node)} can"
    if _MIRROR not in pod.metadata.annotations:
        raise _refused(request, f"pod does not have {quote(_MIRROR)} annotation, {own} only create mirror pods")
    if pod.spec.nodeName != node:
        raise _refused(request, f"{own} only create pods with spec.nodeName set to itself")
    owners = pod.metadata.ownerReferences
    if len(owners) != 1 or (owners[0].apiVersion, owners[0].kind, owners[0].name) != ("v1", "Node", node):
        raise _refused(request, f"{own} only create pods with a single owner reference set to itself")
    for reference in sorted(references_of(pod)):
        raise _refused(request, f"{own} not create pods that reference {reference.plural}")


def restrict_node(obj: Node, request: Request) -> None:
    """A node writes its own object, and neither its taints nor labels that others trust."""
    node = node_of(request.identity)
    if not node:
        return
    if request.name != node:
        raise _refused(request, f"node {quote(node)} is not allowed to modify node {quote(request.name)}")
    if request.operation is Operation.DELETE:
        return
    old = cast("Node | None", request.old)
    labels = reserved_labels(obj.metadata.labels, {} if old is None else old.metadata.labels)
    if labels:
        verb = "set the following labels" if old is None else "modify labels"
        raise _refused(request, f"node {quote(node)} is not allowed to {verb}: {', '.join(labels)}")
    if old is not None and not request.subresource and list(obj.spec.taints) != list(old.spec.taints):
        raise _refused(request, f"node {quote(node)} is not allowed to modify taints")
    if old is not None and list(obj.metadata.ownerReferences) != list(old.metadata.ownerReferences):
        raise _refused(request, f"node {quote(node)} is not allowed to modify ownerReferences")


def reserved_labels(new: Mapping[str, str], old: Mapping[str, str]) -> list[str]:
    """Labels that differ and are not a node's to set, in order."""
    changed = (key for key in new.keys() | old.keys() if new.get(key) != old.get(key))
    return sorted(key for key in changed if _is_reserved(key))


def _is_reserved(label: str) -> bool:
    domain, slash, _ = label.partition("/")
    if not slash or label in _OWN_LABELS or _is_within(domain, _OWN_DOMAINS):
        return False
    return _is_within(domain, _RESERVED_DOMAINS)


def _is_within(domain: str, parents: Iterable[str]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)


def restrict_own_name(obj: Message, request: Request) -> None:
    """Leases and the like carry the name of the node that writes them."""
    node = node_of(request.identity)
    if node and (request.name or metadata_of(obj).name) != node:
        raise _refused(request, f"node {quote(node)} can only access {request.resource.plural} of its own name")


def restrict_token(request: Request, spec: TokenRequestSpec, pod: Pod | None) -> None:
    """A node asks for tokens of pods that run on it, for those whom the pods' volumes name.

    `spec` is as it was sent, without default audiences; `pod` is the one the token is to be bound to.
    """
    ref = spec.boundObjectRef
    node = node_of(request.identity)
    if not node:
        return
    if pod is None or not ref.name:
        raise _refused(request, "node requested token not bound to a pod")
    if not ref.uID:
        raise _refused(request, "node requested token with a pod binding without a uid")
    if pod.spec.nodeName != node:
        raise _refused(request, "node requested token bound to a pod scheduled on a different node")
    named = {
        source.serviceAccountToken.audience
        for volume in pod.spec.volumes
        for source in volume.volumeSource.projected.sources
    }
    for audience in spec.audiences:
        if audience not in named:
            raise _refused(request, f"audience {quote(audience)} not found in pod spec volume")


def _refused(request: Request, why: str) -> StatusError:
    return forbidden(request.resource.group_resource, request.name, why)
