"""Endpoints and EndpointSlices: addresses of one family, and the ports behind them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kubewire.apiserver.validation.addresses import check_unspecial, parsed_address
from kubewire.apiserver.validation.checks import (
    Problems,
    check_enum,
    check_name,
    check_port,
    check_range,
)
from kubewire.machinery import names
from kubewire.machinery.field_errors import (
    FieldError,
    duplicate,
    immutable,
    invalid,
    required,
    too_many,
)
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from kubewire.api.core.v1.endpoints_pb2 import EndpointAddress, EndpointPort, Endpoints
    from kubewire.api.discovery.v1.endpoint_slice_pb2 import Endpoint, EndpointSlice
    from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointPort as SlicePort

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_MAX_ENDPOINTS = 1000
_MAX_ADDRESSES = 100
_MAX_PORTS = 20000


def validate_endpoints(endpoints: Endpoints) -> list[FieldError]:
    """Every subset has addresses; where there are several ports, they have names."""
    problems: Problems = []
    for position, subset in enumerate(endpoints.subsets):
        path = ROOT.child("subsets").index(position)
        if not subset.addresses and not subset.notReadyAddresses:
            problems.append(required(path, "must specify `addresses` or `notReadyAddresses`"))
        _check_addresses(subset.addresses, path.child("addresses"), problems)
        _check_addresses(subset.notReadyAddresses, path.child("notReadyAddresses"), problems)
        for i, port in enumerate(subset.ports):
            _check_port(port, path.child("ports").index(i), problems, needs_name=len(subset.ports) > 1)
    return problems


def _check_addresses(addresses: Iterable[EndpointAddress], path: Path, problems: Problems) -> None:
    for position, address in enumerate(addresses):
        at = path.index(position)
        check_unspecial(address.ip, at.child("ip"), problems)
        if address.hostname:
            check_name(names.dns1123_label, address.hostname, at.child("hostname"), problems)
        if address.nodeName:
            check_name(names.dns1123_subdomain, address.nodeName, at.child("nodeName"), problems)


def _check_port(port: EndpointPort, path: Path, problems: Problems, *, needs_name: bool) -> None:
    if port.name:
        check_name(names.dns1123_label, port.name, path.child("name"), problems)
    elif needs_name:
        problems.append(required(path.child("name")))
    check_port(port.port, path.child("port"), problems)
    check_enum(port.protocol, _PROTOCOLS, path.child("protocol"), problems)
    if port.appProtocol:
        check_name(names.qualified_name, port.appProtocol, path.child("appProtocol"), problems)


def validate_endpoints_update(new: Endpoints, _old: Endpoints) -> list[FieldError]:
    """As on creation."""
    return validate_endpoints(new)


def validate_endpoint_slice(endpoint_slice: EndpointSlice) -> list[FieldError]:
    """All addresses are of the slice's type."""
    problems: Problems = []
    check_enum(endpoint_slice.addressType, _ADDRESS_TYPES, ROOT.child("addressType"), problems)
    path = ROOT.child("endpoints")
    if len(endpoint_slice.endpoints) > _MAX_ENDPOINTS:
        problems.append(too_many(path, len(endpoint_slice.endpoints), _MAX_ENDPOINTS))
        return problems
    for position, endpoint in enumerate(endpoint_slice.endpoints):
        _check_endpoint(endpoint, endpoint_slice.addressType, path.index(position), problems)
    _check_slice_ports(endpoint_slice, ROOT.child("ports"), problems)
    return problems


def _check_endpoint(endpoint: Endpoint, address_type: str, path: Path, problems: Problems) -> None:
    at = path.child("addresses")
    if not endpoint.addresses:
        problems.append(required(at, "must contain at least 1 address"))
    elif len(endpoint.addresses) > _MAX_ADDRESSES:
        problems.append(too_many(at, len(endpoint.addresses), _MAX_ADDRESSES))
    else:
        for position, address in enumerate(endpoint.addresses):
            _check_slice_address(address, address_type, at.index(position), problems)
    if endpoint.HasField("nodeName"):
        check_name(names.dns1123_subdomain, endpoint.nodeName, path.child("nodeName"), problems)
    if endpoint.HasField("hostname"):
        check_name(names.dns1123_label, endpoint.hostname, path.child("hostname"), problems)
    for position, zone in enumerate(endpoint.hints.forZones):
        if not zone.name:
            problems.append(required(path.child("hints", "forZones").index(position).child("name")))


def _check_slice_address(address: str, address_type: str, path: Path, problems: Problems) -> None:
    if address_type == "FQDN":
        check_name(names.dns1123_subdomain, address, path, problems)
        return
    parsed = parsed_address(address)
    if address_type in {"IPv4", "IPv6"} and (parsed is None or f"IPv{parsed.version}" != address_type):
        problems.append(invalid(path, address, f"must be a valid {address_type} address"))
    elif parsed is not None:
        check_unspecial(address, path, problems)


def _check_slice_ports(endpoint_slice: EndpointSlice, path: Path, problems: Problems) -> None:
    if len(endpoint_slice.ports) > _MAX_PORTS:
        problems.append(too_many(path, len(endpoint_slice.ports), _MAX_PORTS))
        return
    seen: set[str] = set()
    for position, port in enumerate(endpoint_slice.ports):
        at = path.index(position)
        if port.name in seen:
            problems.append(duplicate(at.child("name"), port.name))
        seen.add(port.name)
        _check_slice_port(port, at, problems)


def _check_slice_port(port: SlicePort, path: Path, problems: Problems) -> None:
    if port.name:
        check_name(names.dns1123_label, port.name, path.child("name"), problems)
    check_enum(port.protocol, _PROTOCOLS, path.child("protocol"), problems)
    if port.HasField("port"):
        check_range(port.port, 1, 65535, path.child("port"), problems)
    if port.HasField("appProtocol"):
        check_name(names.qualified_name, port.appProtocol, path.child("appProtocol"), problems)


def validate_endpoint_slice_update(new: EndpointSlice, old: EndpointSlice) -> list[FieldError]:
    """The type of address is fixed."""
    problems = validate_endpoint_slice(new)
    if new.addressType != old.addressType:
        problems.append(immutable(ROOT.child("addressType"), new.addressType))
    return problems
