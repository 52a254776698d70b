"""Variables that name Services, as containers knew them before there was DNS.

The Service `kubernetes` is always named, so that pods find the API server; the others of the pod's namespace unless
`enableServiceLinks` is false. A Service without an address of its own is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.service_pb2 import Service, ServicePort
from kubewire.kubelet.contracts import Services

MASTER_NAMESPACE: Final = "default"
MASTER_NAME: Final = "kubernetes"

_HEADLESS: Final = "None"


def service_variables(pod: Pod, services: Services) -> Mapping[str, str]:
    """The variables of all Services that the pod is told of."""
    variables: dict[str, str] = {}
    for service in _told(pod, services):
        variables.update(_of(service))
    return variables


def _told(pod: Pod, services: Services) -> Sequence[Service]:
    """By name: one called `kubernetes` in the pod's own namespace takes the API server's place."""
    named = {service.metadata.name: service for service in _master(services)}
    if not pod.spec.HasField("enableServiceLinks") or pod.spec.enableServiceLinks:
        named.update(
            (service.metadata.name, service)
            for service in services.in_namespace(pod.metadata.namespace)
            if _has_address(service)
        )
    return [named[name] for name in sorted(named)]


def _master(services: Services) -> Iterator[Service]:
    for service in services.in_namespace(MASTER_NAMESPACE):
        if service.metadata.name == MASTER_NAME and _has_address(service):
            yield service


def _has_address(service: Service) -> bool:
    return service.spec.clusterIP not in {"", _HEADLESS}


def _of(service: Service) -> Iterator[tuple[str, str]]:
    prefix, address = _variable_name(service.metadata.name), service.spec.clusterIP
    yield f"{prefix}_SERVICE_HOST", address
    ports = service.spec.ports
    if ports:
        yield f"{prefix}_SERVICE_PORT", str(ports[0].port)
        yield f"{prefix}_PORT", _link(address, ports[0])
    for port in ports:
        if port.name:
            yield f"{prefix}_SERVICE_PORT_{_variable_name(port.name)}", str(port.port)
        yield from _of_port(prefix, address, port)


def _of_port(prefix: str, address: str, port: ServicePort) -> Iterator[tuple[str, str]]:
    protocol = port.protocol or "TCP"
    name = f"{prefix}_PORT_{port.port}_{protocol.upper()}"
    yield name, _link(address, port)
    yield f"{name}_PROTO", protocol.lower()
    yield f"{name}_PORT", str(port.port)
    yield f"{name}_ADDR", address


def _link(address: str, port: ServicePort) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"{(port.protocol or 'TCP').lower()}://{host}:{port.port}"


def _variable_name(name: str) -> str:
    return name.replace("-", "_").upper()
