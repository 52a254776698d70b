"""Cells of services, their endpoints, and the networking group."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.encoding.table.ages import UNKNOWN
from kubewire.apiserver.encoding.table.text import (
    NONE,
    UNSET,
    Cells,
    age_of,
    host_port,
    joined,
    label_text,
    selector_text,
    shortened,
)

if TYPE_CHECKING:
    from kubewire.api.core.v1.endpoints_pb2 import Endpoints, EndpointSubset
    from kubewire.api.core.v1.service_pb2 import Service, ServicePort
    from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointPort, EndpointSlice
    from kubewire.api.networking.v1.ingress_class_pb2 import IngressClass
    from kubewire.api.networking.v1.ingress_pb2 import Ingress
    from kubewire.api.networking.v1.ip_address_pb2 import IPAddress
    from kubewire.api.networking.v1.network_policy_pb2 import NetworkPolicy
    from kubewire.api.networking.v1.service_cidr_pb2 import ServiceCIDR

_INGRESS_CLASS: Final = "kubernetes.io/ingress.class"


def service(obj: Service) -> Cells:
    """Cells of a service."""
    spec = obj.spec
    return [
        obj.metadata.name,
        spec.type,
        spec.clusterIPs[0] if spec.clusterIPs else spec.clusterIP or NONE,
        _external_address(obj),
        joined(map(_service_port, spec.ports)),
        age_of(obj.metadata),
        label_text(spec.selector),
    ]


def _external_address(obj: Service) -> str:
    spec = obj.spec
    if spec.type == "ExternalName":
        return spec.externalName
    if spec.type in ("ClusterIP", "NodePort"):
        return joined(spec.externalIPs)
    if spec.type == "LoadBalancer":
        balancers = [ingress.ip or ingress.hostname for ingress in obj.status.loadBalancer.ingress]
        return joined([*(name for name in balancers if name), *spec.externalIPs], "<pending>")
    return UNKNOWN


def _service_port(port: ServicePort) -> str:
    return f"{port.port}:{port.nodePort}/{port.protocol}" if port.nodePort else f"{port.port}/{port.protocol}"


def endpoints(obj: Endpoints) -> Cells:
    """Cells of endpoints."""
    addresses = [address for subset in obj.subsets for address in _subset_addresses(subset)]
    return [obj.metadata.name, shortened(addresses, NONE), age_of(obj.metadata)]


def _subset_addresses(subset: EndpointSubset) -> Iterable[str]:
    if not subset.ports:
        return (address.ip for address in subset.addresses)
    return (host_port(address.ip, port.port) for port in subset.ports for address in subset.addresses)


def endpoint_slice(obj: EndpointSlice) -> Cells:
    """Cells of an endpoint slice."""
    return [
        obj.metadata.name,
        obj.addressType,
        shortened([_slice_port(port) for port in obj.ports], UNSET),
        shortened([address for endpoint in obj.endpoints for address in endpoint.addresses], UNSET),
        age_of(obj.metadata),
    ]


def _slice_port(port: EndpointPort) -> str:
    if port.HasField("port"):
        return str(port.port)
    return port.name or "*"


def ingress(obj: Ingress) -> Cells:
    """Cells of an ingress."""
    addresses = [item.ip or item.hostname for item in obj.status.loadBalancer.ingress]
    return [
        obj.metadata.name,
        obj.spec.ingressClassName or obj.metadata.annotations.get(_INGRESS_CLASS, NONE),
        shortened([rule.host for rule in obj.spec.rules if rule.host], "*"),
        ",".join(address for address in addresses if address),
        "80, 443" if obj.spec.tls else "80",
        age_of(obj.metadata),
    ]


def ingress_class(obj: IngressClass) -> Cells:
    """Cells of an ingress class."""
    parameters = NONE
    if obj.spec.HasField("parameters"):
        reference = obj.spec.parameters
        group = f".{reference.aPIGroup}" if reference.aPIGroup else ""
        parameters = f"{reference.kind}{group}/{reference.name}"
    return [obj.metadata.name, obj.spec.controller, parameters, age_of(obj.metadata)]


def network_policy(obj: NetworkPolicy) -> Cells:
    """Cells of a network policy."""
    return [obj.metadata.name, selector_text(obj.spec.podSelector), age_of(obj.metadata)]


def service_cidr(obj: ServiceCIDR) -> Cells:
    """Cells of a range of service addresses."""
    return [obj.metadata.name, ",".join(obj.spec.cidrs), age_of(obj.metadata)]


def ip_address(obj: IPAddress) -> Cells:
    """Cells of an address, and what it belongs to."""
    parent = obj.spec.parentRef
    owner = f"{parent.resource}.{parent.group}" if parent.group else parent.resource
    where = "/".join(part for part in (owner, parent.namespace, parent.name) if part)
    return [obj.metadata.name, where]
