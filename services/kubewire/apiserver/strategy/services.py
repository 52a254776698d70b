"""Services: what was allocated to one stays with it as long as its type has a use for it.

An author may leave out of an update whatever the server chose (cluster IP, node ports); a field that only the
old type had a use for goes away unless the author changed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubewire.apiserver.strategy.base import KindStrategy

if TYPE_CHECKING:
    from kubewire.api.core.v1.service_pb2 import Service, ServiceSpec
    from kubewire.apiserver.strategy.contracts import WriteContext

_CLUSTER_TYPES = frozenset({"ClusterIP", "NodePort", "LoadBalancer"})
_EXTERNAL_TYPES = frozenset({"NodePort", "LoadBalancer"})


@dataclass(frozen=True, kw_only=True)
class ServiceStrategy(KindStrategy["Service"]):
    """Services have a status but no generation, and may be created by an update."""

    has_status: bool = True
    allow_create_on_update: bool = True

    def initialize(self, obj: Service, _ctx: WriteContext) -> None:
        """One address is a list of one."""
        if obj.spec.clusterIP and not obj.spec.clusterIPs:
            obj.spec.clusterIPs.append(obj.spec.clusterIP)

    def reconcile(self, new: Service, old: Service, _ctx: WriteContext) -> None:
        """Keep what is allocated, drop what has lost its use."""
        _match_addresses(new.spec, old.spec)
        _keep_addresses(new.spec, old.spec)
        _keep_node_ports(new.spec, old.spec)
        _drop_unused(new.spec, old.spec)


def needs_cluster_ip(spec: ServiceSpec) -> bool:
    """Whether the type has a virtual address (or says it wants none)."""
    return spec.type in _CLUSTER_TYPES


def needs_node_ports(spec: ServiceSpec) -> bool:
    """Whether every node listens on ports of its own for the Service."""
    if spec.type == "LoadBalancer":
        return spec.allocateLoadBalancerNodePorts or not spec.HasField("allocateLoadBalancerNodePorts")
    return spec.type == "NodePort"


def needs_health_check_port(spec: ServiceSpec) -> bool:
    """Whether load balancers ask nodes if they have endpoints."""
    return spec.type == "LoadBalancer" and spec.externalTrafficPolicy == "Local"


def _has_external_traffic(spec: ServiceSpec) -> bool:
    return spec.type in _EXTERNAL_TYPES or (spec.type == "ClusterIP" and len(spec.externalIPs) > 0)


def _match_addresses(new: ServiceSpec, old: ServiceSpec) -> None:
    """`clusterIP` is the first of `clusterIPs`; a change of the former alone changes the latter."""
    if new.clusterIP == old.clusterIP or list(new.clusterIPs) != list(old.clusterIPs):
        if new.clusterIP and not new.clusterIPs and not old.clusterIPs:
            new.clusterIPs.append(new.clusterIP)
        return
    if not new.clusterIP:
        new.ClearField("clusterIPs")
    elif new.clusterIPs:
        new.clusterIPs[0] = new.clusterIP
    else:
        new.clusterIPs.append(new.clusterIP)


def _keep_addresses(new: ServiceSpec, old: ServiceSpec) -> None:
    if not (needs_cluster_ip(new) and needs_cluster_ip(old)):
        return
    if not new.clusterIP and old.clusterIP:
        new.clusterIP = old.clusterIP
    if not new.clusterIPs and new.clusterIP == old.clusterIP:
        new.clusterIPs.extend(old.clusterIPs)


def _keep_node_ports(new: ServiceSpec, old: ServiceSpec) -> None:
    if needs_node_ports(new) and needs_node_ports(old):
        known = {(port.protocol, port.port): port.nodePort for port in old.ports}
        taken = {port.nodePort for port in new.ports}
        for port in new.ports:
            kept = known.get((port.protocol, port.port), 0)
            if not port.nodePort and kept and kept not in taken:
                port.nodePort = kept
                taken.add(kept)
    if needs_health_check_port(new) and needs_health_check_port(old) and not new.healthCheckNodePort:
        new.healthCheckNodePort = old.healthCheckNodePort


def _drop_unused(new: ServiceSpec, old: ServiceSpec) -> None:
    _drop_addresses(new, old)
    _drop_node_ports(new, old)
    if old.type == "LoadBalancer" and new.type != "LoadBalancer":
        if new.allocateLoadBalancerNodePorts == old.allocateLoadBalancerNodePorts:
            new.ClearField("allocateLoadBalancerNodePorts")
        if new.loadBalancerClass == old.loadBalancerClass:
            new.ClearField("loadBalancerClass")
    loses_external = _has_external_traffic(old) and not _has_external_traffic(new)
    if loses_external and new.externalTrafficPolicy == old.externalTrafficPolicy:
        new.ClearField("externalTrafficPolicy")


def _drop_addresses(new: ServiceSpec, old: ServiceSpec) -> None:
    if not needs_cluster_ip(old) or needs_cluster_ip(new):
        return
    if new.clusterIP == old.clusterIP and list(new.clusterIPs) == list(old.clusterIPs):
        new.ClearField("clusterIP")
        new.ClearField("clusterIPs")
    if list(new.ipFamilies) == list(old.ipFamilies):
        new.ClearField("ipFamilies")
    if new.ipFamilyPolicy == old.ipFamilyPolicy:
        new.ClearField("ipFamilyPolicy")


def _drop_node_ports(new: ServiceSpec, old: ServiceSpec) -> None:
    if needs_node_ports(old) and not needs_node_ports(new):
        known = {port.nodePort for port in old.ports}
        if {port.nodePort for port in new.ports} <= known:
            for port in new.ports:
                port.ClearField("nodePort")
    loses_check = needs_health_check_port(old) and not needs_health_check_port(new)
    if loses_check and new.healthCheckNodePort == old.healthCheckNodePort:
        new.ClearField("healthCheckNodePort")
