"""From pods to endpoints and ports. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.service_pb2 import Service, ServicePort
from kubewire.api.discovery.v1.endpoint_slice_pb2 import Endpoint, EndpointPort
from kubewire.client.objects import ObjectKey, key_of
from kubewire.controller_manager.pods.facts import has_ended, is_deleted, is_ready
from kubewire.machinery.selectors.labels import from_labels

IPV4: Final = "IPv4"
IPV6: Final = "IPv6"
HEADLESS: Final = "None"
_NAMED: Final = 1

Ports = tuple[tuple[str, str, int, str], ...]
"""Name, protocol, number and application protocol of each: what the endpoints of one slice have in common."""


def has_endpoints(service: Service) -> bool:
    """Whether its endpoints are found by a selector; those of others are somebody else's."""
    return bool(service.spec.selector) and service.spec.type != "ExternalName"


def families(service: Service) -> Iterable[str]:
    """The address types it needs slices of."""
    return tuple(service.spec.ipFamilies) or (IPV4,)


def is_headless(service: Service) -> bool:
    """Whether it has no address of its own."""
    return service.spec.clusterIP == HEADLESS


def address(pod: Pod, family: str) -> str:
    """A pod's address of a family; empty if it has none."""
    addresses = [found.ip for found in pod.status.podIPs] or [pod.status.podIP]
    return next((found for found in addresses if found and (":" in found) is (family == IPV6)), "")


def is_reachable(pod: Pod, family: str) -> bool:
    """Whether it is, or may still be, at an address: pods that go are told until they have ended."""
    return not has_ended(pod) and bool(address(pod, family))


def endpoint(service: Service, pod: Pod, family: str, zones: Mapping[str, str]) -> Endpoint:
    """A pod as an endpoint; `zones` are those of nodes by name."""
    made = Endpoint(addresses=[address(pod, family)])
    serving, terminating = is_ready(pod), is_deleted(pod)
    made.conditions.ready = service.spec.publishNotReadyAddresses or (serving and not terminating)
    made.conditions.serving = serving
    made.conditions.terminating = terminating
    metadata, node = pod.metadata, pod.spec.nodeName
    made.targetRef.kind, made.targetRef.namespace = "Pod", metadata.namespace
    made.targetRef.name, made.targetRef.uid = metadata.name, metadata.uid
    if node:
        made.nodeName = node
        if zone := zones.get(node):
            made.zone = zone
    if pod.spec.hostname and pod.spec.subdomain == service.metadata.name:
        made.hostname = pod.spec.hostname
    return made


def selecting(services: Iterable[Service], pod: Pod) -> list[ObjectKey]:
    """The Services of a namespace that a pod of it answers for."""
    labels = pod.metadata.labels
    return [
        key_of(service)
        for service in services
        if has_endpoints(service) and from_labels(service.spec.selector).matches(labels)
    ]


def changes_endpoints(before: Pod, now: Pod) -> bool:
    """Whether an update of a pod can matter to endpoints: most, such as those of counters, do not."""
    return _facts(before) != _facts(now)


def _facts(pod: Pod) -> tuple[object, ...]:
    status, spec = pod.status, pod.spec
    addresses = [found.ip for found in status.podIPs]
    where = (spec.nodeName, spec.hostname, spec.subdomain, status.podIP, addresses)
    return (*where, status.phase, is_ready(pod), is_deleted(pod), dict(pod.metadata.labels))


def ports(service: Service, pod: Pod) -> Ports:
    """The ports at which a pod answers for a Service; a named one that the pod has not is left out."""
    found = ((port, _number(port, pod)) for port in service.spec.ports)
    return tuple(
        (port.name, port.protocol or "TCP", number, port.appProtocol) for port, number in found if number is not None
    )


def port_messages(found: Ports) -> list[EndpointPort]:
    """As slices have them."""
    return [_message(*one) for one in found]


def ports_of(messages: Iterable[EndpointPort]) -> Ports:
    """The other way round."""
    return tuple((one.name, one.protocol or "TCP", one.port, one.appProtocol) for one in messages)


def _message(name: str, protocol: str, number: int, app_protocol: str) -> EndpointPort:
    made = EndpointPort(name=name, protocol=protocol, port=number)
    if app_protocol:
        made.appProtocol = app_protocol
    return made


def _number(port: ServicePort, pod: Pod) -> int | None:
    target = port.targetPort
    if target.type != _NAMED:
        return target.intVal or port.port
    protocol = port.protocol or "TCP"
    for name, its_protocol, number in _container_ports(pod):
        if name == target.strVal and its_protocol == protocol:
            return number
    return None


def _container_ports(pod: Pod) -> Iterator[tuple[str, str, int]]:
    """Of containers, and of init containers that go on running."""
    sidecars = (one for one in pod.spec.initContainers if one.restartPolicy == "Always")
    for container in (*pod.spec.containers, *sidecars):
        for port in container.ports:
            yield port.name, port.protocol or "TCP", port.containerPort
