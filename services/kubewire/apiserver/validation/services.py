"""Services: ports, and the many fields that only some types have a use for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.validation.addresses import check_range_of_addresses, check_unspecial, parsed_address
from kubewire.apiserver.validation.checks import (
    Problems,
    check_enum,
    check_name,
    check_port,
    check_port_or_name,
    problems_of,
)
from kubewire.apiserver.validation.metadata import validate_labels
from kubewire.machinery import names
from kubewire.machinery.field_errors import (
    FieldError,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from kubewire.api.core.v1.service_pb2 import Service, ServicePort, ServiceSpec

_SPEC = ROOT.child("spec")
_PORTS = _SPEC.child("ports")
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_AFFINITIES = ("ClientIP", "None")
_TRAFFIC = ("Cluster", "Local")
_FAMILIES = ("IPv4", "IPv6")
_FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_DISTRIBUTIONS = ("PreferClose", "PreferSameNode", "PreferSameZone")
_KUBELET_PORT = 10250
_MAX_AFFINITY_SECONDS = 86400
_BALANCED_ONLY = "may only be used when `type` is 'LoadBalancer'"
_HEADLESS = "None"


def validate_service(service: Service) -> list[FieldError]:
    """A new Service, as its author and the allocators left it."""
    problems: Problems = []
    spec = service.spec
    is_headless = spec.clusterIP == _HEADLESS
    if not spec.ports and not is_headless and spec.type != "ExternalName":
        problems.append(required(_PORTS))
    _check_type(spec, problems)
    _check_ports(spec, problems)
    if spec.selector:
        problems += validate_labels(spec.selector, _SPEC.child("selector"))
    _check_affinity(spec, problems)
    _check_addresses(spec, problems)
    check_enum(spec.type, _TYPES, _SPEC.child("type"), problems)
    _check_unique_ports(spec, problems)
    _check_traffic(spec, problems)
    _check_load_balancer(spec, problems)
    return problems


def _check_type(spec: ServiceSpec, problems: Problems) -> None:
    if spec.type == "LoadBalancer":
        problems.extend(
            invalid(_PORTS.index(i), port.port, "may not expose port 10250 externally since it is used by kubelet")
            for i, port in enumerate(spec.ports)
            if port.port == _KUBELET_PORT
        )
    if spec.type in {"LoadBalancer", "NodePort"} and spec.clusterIP == _HEADLESS:
        detail = f"may not be set to 'None' for {spec.type} services"
        problems.append(invalid(_SPEC.child("clusterIPs").index(0), _HEADLESS, detail))
    if spec.type == "ExternalName":
        _check_external_name(spec, problems)


def _check_external_name(spec: ServiceSpec, problems: Problems) -> None:
    for member in ("clusterIPs", "ipFamilies"):
        if len(getattr(spec, member)) > 0:
            problems.append(forbidden(_SPEC.child(member), "may not be set for ExternalName services"))
    name = spec.externalName.removesuffix(".")
    if name:
        check_name(names.dns1123_subdomain, name, _SPEC.child("externalName"), problems)
    else:
        problems.append(required(_SPEC.child("externalName")))


def _check_ports(spec: ServiceSpec, problems: Problems) -> None:
    seen: set[str] = set()
    needs_name = len(spec.ports) > 1
    for position, port in enumerate(spec.ports):
        _check_port_name(port, _PORTS.index(position), seen, problems, needs_name=needs_name)
        _check_port(port, spec, _PORTS.index(position), problems)


def _check_port_name(port: ServicePort, path: Path, seen: set[str], problems: Problems, *, needs_name: bool) -> None:
    if not port.name:
        if needs_name:
            problems.append(required(path.child("name")))
    elif problems_of(names.dns1123_label, port.name):
        check_name(names.dns1123_label, port.name, path.child("name"), problems)
    elif port.name in seen:
        problems.append(duplicate(path.child("name"), port.name))
    seen.add(port.name)


def _check_port(port: ServicePort, spec: ServiceSpec, path: Path, problems: Problems) -> None:
    check_port(port.port, path.child("port"), problems)
    if port.protocol not in _PROTOCOLS:
        check_enum(port.protocol, _PROTOCOLS, path.child("protocol"), problems)
    check_port_or_name(port.targetPort, path.child("targetPort"), problems)
    if port.appProtocol:
        check_name(names.qualified_name, port.appProtocol, path.child("appProtocol"), problems)
    if spec.type == "ClusterIP" and port.nodePort:
        problems.append(forbidden(path.child("nodePort"), "may not be used when `type` is 'ClusterIP'"))
    elif port.nodePort:
        check_port(port.nodePort, path.child("nodePort"), problems)


def _check_unique_ports(spec: ServiceSpec, problems: Problems) -> None:
    served: set[tuple[str, int]] = set()
    node_ports: set[tuple[str, int]] = set()
    for position, port in enumerate(spec.ports):
        node_port = (port.protocol, port.nodePort)
        if port.nodePort and node_port in node_ports:
            problems.append(duplicate(_PORTS.index(position).child("nodePort"), port.nodePort))
        node_ports.add(node_port)
        key = (port.protocol, port.port)
        if key in served:
            problems.append(duplicate(_PORTS.index(position), _printed_port(port)))
        served.add(key)


def _printed_port(port: ServicePort) -> dict[str, object]:
    """Protocol and number as messages print them: the port as Go knows it, with everything else at zero."""
    rest = {"TargetPort": 0, "NodePort": 0}
    return {"Name": "", "Protocol": port.protocol, "AppProtocol": None, "Port": port.port, **rest}


def _check_affinity(spec: ServiceSpec, problems: Problems) -> None:
    check_enum(spec.sessionAffinity, _AFFINITIES, _SPEC.child("sessionAffinity"), problems)
    at = _SPEC.child("sessionAffinityConfig")
    if spec.sessionAffinity == "None" and spec.HasField("sessionAffinityConfig"):
        problems.append(forbidden(at, f"must not be set when session affinity is {spec.sessionAffinity}"))
    elif spec.sessionAffinity == "ClientIP":
        seconds = spec.sessionAffinityConfig.clientIP.timeoutSeconds
        if not 0 < seconds <= _MAX_AFFINITY_SECONDS:
            detail = f"must be greater than 0 and less than {_MAX_AFFINITY_SECONDS}"
            problems.append(invalid(at.child("clientIP", "timeoutSeconds"), seconds, detail))


def _check_addresses(spec: ServiceSpec, problems: Problems) -> None:
    _check_cluster_addresses(spec, _SPEC.child("clusterIPs"), problems)
    for position, family in enumerate(spec.ipFamilies):
        if family not in _FAMILIES:
            at = _SPEC.child("ipFamilies").index(position)
            problems.append(not_supported(at, family, _FAMILIES))
    if spec.HasField("ipFamilyPolicy") and spec.ipFamilyPolicy not in _FAMILY_POLICIES:
        problems.append(not_supported(_SPEC.child("ipFamilyPolicy"), spec.ipFamilyPolicy, _FAMILY_POLICIES))
    for position, address in enumerate(spec.externalIPs):
        check_unspecial(address, _SPEC.child("externalIPs").index(position), problems)


def _check_cluster_addresses(spec: ServiceSpec, path: Path, problems: Problems) -> None:
    addresses = list(spec.clusterIPs)
    if spec.clusterIP and not addresses:
        problems.append(required(path))
    elif addresses and addresses[0] != spec.clusterIP:
        problems.append(invalid(path, addresses, "first value must match `clusterIP`"))
    if len(addresses) > 2:
        problems.append(invalid(path, addresses, "may only hold up to 2 values"))
    for position, address in enumerate(addresses):
        if address == _HEADLESS:
            if len(addresses) > 1:
                detail = "'None' must be the first and only value"
                problems.append(invalid(path.index(position), address, detail))
        elif parsed_address(address) is None:
            check_unspecial(address, path.index(position), problems)


def _has_external_traffic(spec: ServiceSpec) -> bool:
    return spec.type in {"NodePort", "LoadBalancer"} or (spec.type == "ClusterIP" and len(spec.externalIPs) > 0)


def _check_traffic(spec: ServiceSpec, problems: Problems) -> None:
    at = _SPEC.child("externalTrafficPolicy")
    if _has_external_traffic(spec):
        check_enum(spec.externalTrafficPolicy, _TRAFFIC, at, problems)
    elif spec.externalTrafficPolicy:
        detail = "may only be set for externally-accessible services"
        problems.append(invalid(at, spec.externalTrafficPolicy, detail))
    at = _SPEC.child("internalTrafficPolicy")
    if spec.type in {"ClusterIP", "NodePort", "LoadBalancer"}:
        check_enum(spec.internalTrafficPolicy, _TRAFFIC, at, problems)
    if spec.HasField("trafficDistribution") and spec.trafficDistribution not in _DISTRIBUTIONS:
        at = _SPEC.child("trafficDistribution")
        problems.append(not_supported(at, spec.trafficDistribution, _DISTRIBUTIONS))


def _check_load_balancer(spec: ServiceSpec, problems: Problems) -> None:
    is_balanced = spec.type == "LoadBalancer"
    if is_balanced and not spec.HasField("allocateLoadBalancerNodePorts"):
        problems.append(required(_SPEC.child("allocateLoadBalancerNodePorts")))
    if not is_balanced:
        for member in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
            if any(field.name == member for field, _ in spec.ListFields()):
                problems.append(forbidden(_SPEC.child(member), _BALANCED_ONLY))
        if spec.loadBalancerSourceRanges:
            problems.append(forbidden(_SPEC.child("loadBalancerSourceRanges"), _BALANCED_ONLY))
    elif spec.loadBalancerClass:
        check_name(names.qualified_name, spec.loadBalancerClass, _SPEC.child("loadBalancerClass"), problems)
    for position, text in enumerate(spec.loadBalancerSourceRanges):
        at = _SPEC.child("loadBalancerSourceRanges").index(position)
        check_range_of_addresses(text.strip(), at, problems)
    checks_health = is_balanced and spec.externalTrafficPolicy == "Local"
    if spec.healthCheckNodePort and not checks_health:
        detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        problems.append(invalid(_SPEC.child("healthCheckNodePort"), spec.healthCheckNodePort, detail))


_SET_ONCE = "may not change once set"


def validate_service_update(new: Service, old: Service) -> list[FieldError]:
    """The first address and the class of load balancer are fixed while the type has a use for them."""
    problems: Problems = []
    if "ExternalName" not in {new.spec.type, old.spec.type}:
        before = list(old.spec.clusterIPs)
        after = list(new.spec.clusterIPs)
        if before and before[0] and before[:1] != after[:1]:
            problems.append(invalid(_SPEC.child("clusterIPs").index(0), after[0] if after else "", _SET_ONCE))
    is_balanced = new.spec.type == old.spec.type == "LoadBalancer"
    if is_balanced and new.spec.loadBalancerClass != old.spec.loadBalancerClass:
        at = _SPEC.child("loadBalancerClass")
        problems.append(invalid(at, new.spec.loadBalancerClass or None, _SET_ONCE))
    return problems + validate_service(new)


def validate_service_status(new: Service, _old: Service) -> list[FieldError]:
    """Load balancers report addresses or names."""
    problems: Problems = []
    path = ROOT.child("status", "loadBalancer", "ingress")
    for position, ingress in enumerate(new.status.loadBalancer.ingress):
        if ingress.ip and parsed_address(ingress.ip) is None:
            check_unspecial(ingress.ip, path.index(position).child("ip"), problems)
        if ingress.hostname:
            check = names.wildcard_subdomain if ingress.hostname.startswith("*") else names.dns1123_subdomain
            check_name(check, ingress.hostname, path.index(position).child("hostname"), problems)
    return problems
