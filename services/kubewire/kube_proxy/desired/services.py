"""From one Service and its EndpointSlices to rules. Pure.

Traffic policies: with `Local`, only targets of this node take part, and a frontend without any drops what comes, as
another node may have some. A Service without any target at all refuses connections wherever they come in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from kubewire.api.core.v1.service_pb2 import Service, ServicePort
from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice
from kubewire.kube_proxy.desired.addresses import PROTOCOLS, is_ipv4, is_port
from kubewire.kube_proxy.desired.endpoints import Endpoint, endpoints_of, takers
from kubewire.kube_proxy.desired.model import Frontend, Masquerade, Otherwise, Rule, Scope, Target

PROXY_NAME: Final = "service.kubernetes.io/service-proxy-name"
HEADLESS: Final = "service.kubernetes.io/headless"
SERVICE_NAME: Final = "kubernetes.io/service-name"
OURS: Final = f"!{PROXY_NAME}"
"""Services that are no other proxy's, as a label selector."""
OUR_SLICES: Final = f"!{PROXY_NAME},!{HEADLESS}"

_LOCAL: Final = "Local"
_NONE: Final = "None"
_AFFINITY_SECONDS: Final = 10800


class Settings(NamedTuple):
    """What is the same for all Services."""

    node_name: str
    masquerade_all: bool = False
    """Masquerade connections to cluster IPs wherever they come from."""


class HealthCheck(NamedTuple):
    """What a load balancer asks a node: how many targets of a Service it has."""

    port: int
    namespace: str
    name: str
    local_targets: int


class Proxied(NamedTuple):
    """All that a Service asks of a proxy."""

    rules: tuple[Rule, ...] = ()
    health_check: HealthCheck | None = None


NOTHING: Final = Proxied()


def is_proxied(service: Service) -> bool:
    """Whether it has an address, and is no other proxy's."""
    spec = service.spec
    has_address = spec.clusterIP not in {"", _NONE} and spec.type != "ExternalName"
    return has_address and PROXY_NAME not in service.metadata.labels


def proxied(service: Service, slices: Iterable[EndpointSlice], settings: Settings) -> Proxied:
    """What to do for a Service."""
    if not is_proxied(service):
        return NOTHING
    endpoints = endpoints_of(slices, settings.node_name)
    rules: list[Rule] = []
    local: set[str] = set()
    for port in service.spec.ports:
        if not is_port(port.port) or (port.protocol or "TCP") not in PROTOCOLS:
            continue
        found = endpoints.get((port.name, port.protocol or "TCP"), [])
        rules += _Port(service, port, found, settings).rules()
        local.update(target.address for target in takers(found, only_local=True) if target.is_local)
    return Proxied(tuple(rules), _health_check(service, len(local)))


class _Port:
    """One port of a Service."""

    def __init__(self, service: Service, port: ServicePort, endpoints: Sequence[Endpoint], settings: Settings) -> None:
        self._service = service
        self._port = port
        self._masquerade_all = settings.masquerade_all
        self._protocol = port.protocol or "TCP"
        name = f"{service.metadata.namespace}/{service.metadata.name}"
        self._name = f"{name}:{port.name}" if port.name else name
        self._everywhere = takers(endpoints)
        self._here = takers(endpoints, only_local=True)
        self._affinity_seconds = _affinity_seconds(service)

    def rules(self) -> Iterator[Rule]:
        """Of cluster IPs, external addresses and the node port."""
        spec = self._service.spec
        targets = self._here if spec.internalTrafficPolicy == _LOCAL else self._everywhere
        for address in filter(is_ipv4, spec.clusterIPs or [spec.clusterIP]):
            frontend = Frontend(address, self._protocol, self._port.port)
            yield self._rule(frontend, targets, self._inside)._replace(is_cluster_ip=True)
        for address in _external_addresses(self._service):
            yield from self._external(address, self._port.port)
        if is_port(self._port.nodePort):
            yield from self._external("", self._port.nodePort)

    def _external(self, address: str, port: int) -> Iterator[Rule]:
        """For those outside; those inside need not come to a node that has targets."""
        frontend = Frontend(address, self._protocol, port)
        if self._service.spec.externalTrafficPolicy != _LOCAL:
            yield self._rule(frontend, self._everywhere, Masquerade.ALWAYS)
            return
        yield self._rule(frontend, self._here, Masquerade.NEVER)
        if self._everywhere:
            yield self._rule(frontend._replace(scope=Scope.INSIDE), self._everywhere, self._inside)

    @property
    def _inside(self) -> Masquerade:
        return Masquerade.ALWAYS if self._masquerade_all else Masquerade.OUTSIDE

    def _rule(self, frontend: Frontend, targets: tuple[Target, ...], masquerade: Masquerade) -> Rule:
        if not targets:
            otherwise = Otherwise.DROP if self._everywhere else Otherwise.REJECT
            return Rule(frontend, self._name, otherwise=otherwise)
        affinity = self._affinity_seconds
        return Rule(frontend, self._name, targets, masquerade=masquerade, affinity_seconds=affinity)


def _affinity_seconds(service: Service) -> int:
    if service.spec.sessionAffinity != "ClientIP":
        return 0
    return service.spec.sessionAffinityConfig.clientIP.timeoutSeconds or _AFFINITY_SECONDS


def _health_check(service: Service, local_targets: int) -> HealthCheck | None:
    spec, metadata = service.spec, service.metadata
    if spec.type != "LoadBalancer" or spec.externalTrafficPolicy != _LOCAL or not spec.healthCheckNodePort:
        return None
    return HealthCheck(spec.healthCheckNodePort, metadata.namespace, metadata.name, local_targets)


def _external_addresses(service: Service) -> Sequence[str]:
    """Addresses that somebody else brings to the node; a load balancer that is a proxy itself brings none."""
    found = list(filter(is_ipv4, service.spec.externalIPs))
    if service.spec.type == "LoadBalancer" and not service.spec.loadBalancerSourceRanges:
        ingress = service.status.loadBalancer.ingress
        found += [one.ip for one in ingress if one.ipMode != "Proxy" and is_ipv4(one.ip)]
    return list(dict.fromkeys(found))
