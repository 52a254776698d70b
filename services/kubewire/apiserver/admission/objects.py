"""What other kinds are given or refused on admission."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from kubewire.apiserver.admission.contracts import Request
from kubewire.apiserver.strategy.metadata import metadata_of
from kubewire.machinery.errors import forbidden

if TYPE_CHECKING:
    from kubewire.api.certificates.v1.certificate_signing_request_pb2 import CertificateSigningRequest
    from kubewire.api.core.v1.node_pb2 import Node

_NOT_READY = "node.kubernetes.io/not-ready"
_CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"
_ADMINISTRATORS = "system:masters"
_IMMORTAL_NAMESPACES = frozenset({"default", "kube-public", "kube-system"})


def protect_with(finalizer: str) -> Callable[[Message, Request], None]:
    """Makes a plug-in that keeps deleted objects until nothing uses them."""

    def protect(obj: Message, _request: Request) -> None:
        finalizers = metadata_of(obj).finalizers
        if finalizer not in finalizers:
            finalizers.append(finalizer)

    return protect


def taint_new_node(node: Node, _request: Request) -> None:
    """Keep pods away until the node has said that it is ready."""
    if not any(taint.key == _NOT_READY and taint.effect == "NoSchedule" for taint in node.spec.taints):
        node.spec.taints.add(key=_NOT_READY, effect="NoSchedule")


def refuse_administrators(csr: CertificateSigningRequest, request: Request) -> None:
    """Nobody becomes an administrator by a certificate of the API's own client signer."""
    if csr.spec.signerName != _CLIENT_SIGNER:
        return
    from cryptography import x509  # noqa: PLC0415 - takes long to load, and few servers are asked for certificates
    from cryptography.x509.oid import NameOID  # noqa: PLC0415 - likewise

    try:
        subject = x509.load_pem_x509_csr(csr.spec.request).subject
    except ValueError as error:
        why = f"unable to parse CSR: {error}"
        raise forbidden(request.resource.group_resource, request.name, why) from error
    organizations = [item.value for item in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    if _ADMINISTRATORS in organizations:
        why = f"use of {_CLIENT_SIGNER} signer with {_ADMINISTRATORS} group is not allowed"
        raise forbidden(request.resource.group_resource, request.name, why)


def keep_system_namespaces(_namespace: Message, request: Request) -> None:
    """Namespaces the cluster itself lives in are not deleted."""
    if request.name in _IMMORTAL_NAMESPACES:
        why = "this namespace may not be deleted"
        raise forbidden(request.resource.group_resource, request.name, why)
