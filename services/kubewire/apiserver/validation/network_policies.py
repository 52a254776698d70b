"""Network policies: who may talk to whom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kubewire.apiserver.validation.addresses import NOT_A_RANGE, parsed_range
from kubewire.apiserver.validation.checks import (
    STRING,
    Problems,
    check_port,
    check_port_or_name,
    check_selector,
)
from kubewire.machinery.field_errors import FieldError, forbidden, invalid, not_supported, required
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from kubewire.api.networking.v1.network_policy_pb2 import (
        IPBlock,
        NetworkPolicy,
        NetworkPolicyPeer,
        NetworkPolicyPort,
    )

_SPEC = ROOT.child("spec")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_TYPES = ("Egress", "Ingress")


def validate_network_policy(policy: NetworkPolicy) -> list[FieldError]:
    """A new policy."""
    problems: Problems = []
    spec = policy.spec
    check_selector(spec.podSelector, _SPEC.child("podSelector"), problems)
    for position, ingress in enumerate(spec.ingress):
        path = _SPEC.child("ingress").index(position)
        _check_ports(ingress.ports, path.child("ports"), problems)
        _check_peers(getattr(ingress, "from"), path.child("from"), problems)
    for position, egress in enumerate(spec.egress):
        path = _SPEC.child("egress").index(position)
        _check_ports(egress.ports, path.child("ports"), problems)
        _check_peers(egress.to, path.child("to"), problems)
    if len(spec.policyTypes) > len(_TYPES):
        detail = "may not specify more than two policyTypes"
        problems.append(invalid(_SPEC.child("policyTypes"), list(spec.policyTypes), detail))
    else:
        problems.extend(
            not_supported(_SPEC.child("policyTypes").index(position), text, _TYPES)
            for position, text in enumerate(spec.policyTypes)
            if text not in _TYPES
        )
    return problems


def validate_network_policy_update(new: NetworkPolicy, _old: NetworkPolicy) -> list[FieldError]:
    """As on creation."""
    return validate_network_policy(new)


def _check_ports(ports: Iterable[NetworkPolicyPort], path: Path, problems: Problems) -> None:
    for position, port in enumerate(ports):
        at = path.index(position)
        if port.HasField("protocol") and port.protocol not in _PROTOCOLS:
            problems.append(not_supported(at.child("protocol"), port.protocol, _PROTOCOLS))
        if port.HasField("port"):
            check_port_or_name(port.port, at.child("port"), problems)
        if port.HasField("endPort"):
            _check_end(port, at, problems)


def _check_end(port: NetworkPolicyPort, path: Path, problems: Problems) -> None:
    if not port.HasField("port"):
        detail = "must be specified when `endPort` is specified"
        problems.append(required(path.child("port"), detail))
    elif port.port.type == STRING:
        detail = "may not be specified when `port` is non-numeric"
        problems.append(invalid(path.child("endPort"), port.endPort, detail))
    else:
        if port.endPort < port.port.intVal:
            detail = "must be greater than or equal to `port`"
            problems.append(invalid(path.child("endPort"), port.endPort, detail))
        check_port(port.endPort, path.child("endPort"), problems)


def _check_peers(peers: Iterable[NetworkPolicyPeer], path: Path, problems: Problems) -> None:
    for position, peer in enumerate(peers):
        at = path.index(position)
        if peer.HasField("podSelector"):
            check_selector(peer.podSelector, at.child("podSelector"), problems)
        if peer.HasField("namespaceSelector"):
            check_selector(peer.namespaceSelector, at.child("namespaceSelector"), problems)
        if peer.HasField("ipBlock"):
            _check_block(peer.ipBlock, at.child("ipBlock"), problems)
        members = len(peer.ListFields())
        if members == 0:
            problems.append(required(at, "must specify a peer"))
        elif members > 1 and peer.HasField("ipBlock"):
            problems.append(forbidden(at, "may not specify both ipBlock and another peer"))


def _check_block(block: IPBlock, path: Path, problems: Problems) -> None:
    if not block.cidr:
        problems.append(required(path.child("cidr")))
        return
    whole = parsed_range(block.cidr)
    if whole is None:
        problems.append(invalid(path.child("cidr"), block.cidr, NOT_A_RANGE))
        return
    for position, text in enumerate(getattr(block, "except")):
        at = path.child("except").index(position)
        part = parsed_range(text)
        if part is None:
            problems.append(invalid(at, text, NOT_A_RANGE))
        elif part.version != whole.version or part.prefixlen <= whole.prefixlen or part.network_address not in whole:
            problems.append(invalid(at, text, "must be a strict subset of `cidr`"))
