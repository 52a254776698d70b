"""How pods are reached: Services, Endpoints and EndpointSlices."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubewire.api.core.v1.endpoints_pb2 import Endpoints
    from kubewire.api.core.v1.service_pb2 import Service, ServicePort, ServiceSpec
    from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice


def default_service(service: Service) -> None:
    """Fill the spec, and how load balancers deliver to the addresses they reported."""
    spec = service.spec
    if not spec.type:
        spec.type = "ClusterIP"
    _default_affinity(spec)
    for port in spec.ports:
        _default_port(port)
    _default_traffic(spec)
    if spec.type == "LoadBalancer":
        _default_load_balancer(service)


def _default_affinity(spec: ServiceSpec) -> None:
    if not spec.sessionAffinity:
        spec.sessionAffinity = "None"
    if spec.sessionAffinity == "None":
        spec.ClearField("sessionAffinityConfig")
    elif spec.sessionAffinity == "ClientIP":
        client = spec.sessionAffinityConfig.clientIP
        if not client.HasField("timeoutSeconds"):
            client.timeoutSeconds = 10800


def _default_port(port: ServicePort) -> None:
    if not port.protocol:
        port.protocol = "TCP"
    target = port.targetPort
    if not (target.strVal if target.type else target.intVal) and port.port:
        target.Clear()
        target.intVal = port.port


def _default_traffic(spec: ServiceSpec) -> None:
    has_external_traffic = spec.type in {"LoadBalancer", "NodePort"} or (
        spec.type == "ClusterIP" and len(spec.externalIPs) > 0
    )
    if has_external_traffic and not spec.externalTrafficPolicy:
        spec.externalTrafficPolicy = "Cluster"
    has_internal_traffic = spec.type in {"ClusterIP", "NodePort", "LoadBalancer"}
    if has_internal_traffic and not spec.HasField("internalTrafficPolicy"):
        spec.internalTrafficPolicy = "Cluster"


def _default_load_balancer(service: Service) -> None:
    if not service.spec.HasField("allocateLoadBalancerNodePorts"):
        service.spec.allocateLoadBalancerNodePorts = True
    for ingress in service.status.loadBalancer.ingress:
        if ingress.ip and not ingress.HasField("ipMode"):
            ingress.ipMode = "VIP"


def default_endpoints(endpoints: Endpoints) -> None:
    """Ports are TCP unless they say otherwise."""
    for subset in endpoints.subsets:
        for port in subset.ports:
            if not port.protocol:
                port.protocol = "TCP"


def default_endpoint_slice(endpoint_slice: EndpointSlice) -> None:
    """Ports are TCP and named `""` unless they say otherwise."""
    for port in endpoint_slice.ports:
        if not port.HasField("name"):
            port.name = ""
        if not port.HasField("protocol"):
            port.protocol = "TCP"
