"""What has to be there: the system's namespaces, and the `kubernetes` Service through which pods reach this server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple

from kubewire.api.core.v1.namespace_pb2 import Namespace
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice
from kubewire.apiserver.bootstrap.addresses import service_address

if TYPE_CHECKING:
    from google.protobuf.message import Message

NAMESPACES: Final = ("default", "kube-system", "kube-public", "kube-node-lease")
PRIORITIES: Final = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}
"""Classes of what a node, or the cluster, cannot do without."""
_DEFAULT: Final = "default"
_SERVICE: Final = "kubernetes"
_PORT: Final = "https"
_SERVICE_PORT: Final = 443


def _always(_: bytes) -> bool:
    return True


class Wanted(NamedTuple):
    """An object that has to be there: the resource's group, version and plural, and the object.

    `is_current` says of the bytes of what is there whether it will do; else it is replaced.
    """

    group: str
    version: str
    plural: str
    object: Message
    is_current: Callable[[bytes], bool] = _always


class Endpoint(NamedTuple):
    """Where nodes and pods reach a server's REST port."""

    address: str
    port: int


def wanted(service_addresses: str, endpoint: Endpoint) -> Iterator[Wanted]:
    """Everything, in the order in which it can be created."""
    for name in NAMESPACES:
        namespace = Namespace()
        namespace.metadata.name = name
        yield Wanted("", "v1", "namespaces", namespace)
    yield Wanted("", "v1", "services", _service(service_addresses, endpoint))
    if not ip_address(endpoint.address).is_loopback:  # a loopback address leads each node to itself
        yield Wanted("discovery.k8s.io", "v1", "endpointslices", _endpoints(endpoint), partial(_leads_to, endpoint))


def background(service_addresses: str) -> Iterator[Wanted]:
    """What nobody waits for: the range of Services, the system's priority classes, default roles and bindings."""
    from kubewire.api.networking.v1.service_cidr_pb2 import ServiceCIDR  # noqa: PLC0415 - not before the server is up
    from kubewire.api.scheduling.v1.priority_class_pb2 import PriorityClass  # noqa: PLC0415 - likewise

    service_range = ServiceCIDR()
    service_range.metadata.name = _SERVICE
    service_range.spec.cidrs.append(service_addresses)
    yield Wanted("networking.k8s.io", "v1", "servicecidrs", service_range)
    for name, priority in PRIORITIES.items():
        priority_class = PriorityClass(value=priority)
        priority_class.metadata.name = name
        yield Wanted("scheduling.k8s.io", "v1", "priorityclasses", priority_class)
    yield from roles()


def roles() -> Iterator[Wanted]:
    """The default roles and bindings."""
    from kubewire.apiserver.bootstrap.rbac import GROUP, rbac_objects  # noqa: PLC0415 - not before the server is up

    for one in rbac_objects():
        yield Wanted(GROUP, "v1", f"{one.DESCRIPTOR.name.lower()}s", one)


def _service(service_addresses: str, endpoint: Endpoint) -> Service:
    service = Service()
    meta, spec = service.metadata, service.spec
    meta.name, meta.namespace = _SERVICE, _DEFAULT
    meta.labels.update({"component": "apiserver", "provider": "kubernetes"})
    spec.clusterIP = service_address(service_addresses)
    spec.type, spec.sessionAffinity = "ClusterIP", "None"
    port = spec.ports.add(name=_PORT, port=_SERVICE_PORT, protocol="TCP")
    port.targetPort.intVal = endpoint.port
    port.targetPort.type = 0
    return service


def _endpoints(endpoint: Endpoint) -> EndpointSlice:
    slice_ = EndpointSlice()
    meta = slice_.metadata
    meta.name, meta.namespace = _SERVICE, _DEFAULT
    meta.labels["kubernetes.io/service-name"] = _SERVICE
    slice_.addressType = "IPv6" if ip_address(endpoint.address).version == 6 else "IPv4"
    slice_.endpoints.add(addresses=[endpoint.address]).conditions.ready = True
    slice_.ports.add(name=_PORT, port=endpoint.port, protocol="TCP")
    return slice_


def _leads_to(endpoint: Endpoint, slice_: bytes) -> bool:
    """Whether the slice that is there leads to this server: it may be from a time when it had another address."""
    found = EndpointSlice.FromString(slice_)
    addresses = {address for one in found.endpoints for address in one.addresses}
    return endpoint.address in addresses and endpoint.port in {port.port for port in found.ports}
