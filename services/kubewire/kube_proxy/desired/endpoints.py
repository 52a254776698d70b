"""Which endpoints of a Service take connections: ready ones, or those that still serve while they end. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice
from kubewire.kube_proxy.desired.addresses import is_ipv4, is_port
from kubewire.kube_proxy.desired.model import Target

IPV4: Final = "IPv4"

PortKey = tuple[str, str]
"""Name and protocol: what joins a Service's port and an endpoint's."""


class Endpoint(NamedTuple):
    """One address and port at which a Service is served, or was."""

    target: Target
    is_ready: bool
    is_serving: bool
    is_terminating: bool


def endpoints_of(slices: Iterable[EndpointSlice], node_name: str) -> Mapping[PortKey, list[Endpoint]]:
    """Endpoints by port; one that stands in several slices counts once, a ready one before others."""
    found: dict[PortKey, dict[tuple[str, int], Endpoint]] = {}
    for one in slices:
        if one.addressType == IPV4:
            for key, endpoint in _read(one, node_name):
                known = found.setdefault(key, {})
                place = endpoint.target[:2]
                if place not in known or endpoint.is_ready:
                    known[place] = endpoint
    return {key: list(known.values()) for key, known in found.items()}


def takers(endpoints: Iterable[Endpoint], *, only_local: bool = False) -> tuple[Target, ...]:
    """Those that take connections: all that are ready, or if none is, all that end but serve still (KEP-1669)."""
    among = [one for one in endpoints if one.target.is_local or not only_local]
    chosen = [one.target for one in among if one.is_ready]
    if not chosen:
        chosen = [one.target for one in among if one.is_serving and one.is_terminating]
    return tuple(sorted(chosen))


def _read(one: EndpointSlice, node_name: str) -> Iterator[tuple[PortKey, Endpoint]]:
    ports = [((port.name, port.protocol or "TCP"), port.port) for port in one.ports if is_port(port.port)]
    for endpoint in one.endpoints:
        conditions = endpoint.conditions
        is_ready = conditions.ready if conditions.HasField("ready") else True
        is_serving = conditions.serving if conditions.HasField("serving") else is_ready
        is_local = endpoint.nodeName == node_name and bool(node_name)
        for address in filter(is_ipv4, endpoint.addresses[:1]):  # the others mean the same pod, and nobody reads them
            for key, port in ports:
                yield key, Endpoint(Target(address, port, is_local), is_ready, is_serving, conditions.terminating)
