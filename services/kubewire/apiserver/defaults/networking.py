"""Network policies and classes of ingress controllers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubewire.api.networking.v1.ingress_class_pb2 import IngressClass
    from kubewire.api.networking.v1.network_policy_pb2 import NetworkPolicy, NetworkPolicyPort


def default_network_policy(policy: NetworkPolicy) -> None:
    """A policy rules ingress, and egress only if it has such rules; ports are TCP."""
    spec = policy.spec
    if not spec.policyTypes:
        spec.policyTypes.append("Ingress")
        if spec.egress:
            spec.policyTypes.append("Egress")
    for ingress in spec.ingress:
        for port in ingress.ports:
            _default_port(port)
    for egress in spec.egress:
        for port in egress.ports:
            _default_port(port)


def _default_port(port: NetworkPolicyPort) -> None:
    if not port.HasField("protocol"):
        port.protocol = "TCP"


def default_ingress_class(ingress_class: IngressClass) -> None:
    """Parameters are cluster-scoped unless they say otherwise."""
    spec = ingress_class.spec
    if spec.HasField("parameters") and not spec.parameters.HasField("scope"):
        spec.parameters.scope = "Cluster"
