"""What the Endpoints of a Service should be, and whether they have to be written. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, NamedTuple

from kubewire.api.core.v1.endpoints_pb2 import EndpointAddress, Endpoints, EndpointSubset
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.controller_manager.endpoint_slice.endpoints import (
    Ports,
    address,
    families,
    has_endpoints,
    is_headless,
    is_reachable,
    ports,
)
from kubewire.controller_manager.endpoint_slice.trigger_times import ANNOTATION
from kubewire.controller_manager.pods.facts import is_deleted, is_ready

MANAGED_BY: Final = "endpoints.kubernetes.io/managed-by"
MANAGER: Final = "endpoint-controller"
HEADLESS_LABEL: Final = "service.kubernetes.io/headless"
OVER_CAPACITY: Final = "endpoints.kubernetes.io/over-capacity"
TRUNCATED: Final = "truncated"
ADDRESSES_AT_MOST: Final = 1000
"""In one object, as upstream has it; those that are ready go first. Slices have them all."""


class Act(Enum):
    """What to do about the Endpoints."""

    NOTHING = auto()
    CREATE = auto()
    UPDATE = auto()
    DELETE = auto()


class Plan(NamedTuple):
    """What to do, and with which object; None where nothing is to be done."""

    act: Act
    endpoints: Endpoints | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """What there is.

    Attributes:
        service: None once it is gone.
        pods: those of its namespace that its selector matches.
        current: the Endpoints of its name.
        triggered: when what is written now happened, as `trigger_times.ANNOTATION` has it; empty: nobody knows.
    """

    service: Service | None
    pods: Sequence[Pod]
    current: Endpoints | None
    triggered: str = ""


def plan(observed: Observed) -> Plan:
    """Bring the Endpoints to what the pods are.

    Those of a Service without a selector are somebody else's; those we made go with their Service.
    """
    service, current = observed.service, observed.current
    if service is None or service.metadata.HasField("deletionTimestamp"):
        return Plan(Act.DELETE, current) if current is not None and _is_ours(current) else Plan(Act.NOTHING)
    if not has_endpoints(service):
        return Plan(Act.NOTHING)
    made = _wanted(service, observed.pods, current)
    if current is not None and _is_same(made, current):
        return Plan(Act.NOTHING)
    _stamp(made, observed.triggered)
    return Plan(Act.CREATE if current is None else Act.UPDATE, made)


def _is_ours(endpoints: Endpoints) -> bool:
    return endpoints.metadata.labels.get(MANAGED_BY) == MANAGER


def _wanted(service: Service, pods: Sequence[Pod], current: Endpoints | None) -> Endpoints:
    made = Endpoints()
    if current is not None:
        made.metadata.CopyFrom(current.metadata)
        made.metadata.labels.clear()
    made.metadata.name, made.metadata.namespace = service.metadata.name, service.metadata.namespace
    made.metadata.labels.update(_labels_of(service))
    by_ports, is_truncated = _truncated(_by_ports(service, pods))
    made.subsets.extend(_subset(found, members) for found, members in sorted(by_ports.items()))
    if is_truncated:
        made.metadata.annotations[OVER_CAPACITY] = TRUNCATED
    elif OVER_CAPACITY in made.metadata.annotations:
        del made.metadata.annotations[OVER_CAPACITY]
    return made


def _labels_of(service: Service) -> dict[str, str]:
    labels = {key: value for key, value in service.metadata.labels.items() if key != HEADLESS_LABEL}
    labels[MANAGED_BY] = MANAGER
    if is_headless(service):
        labels[HEADLESS_LABEL] = ""
    return labels


@dataclass(slots=True)
class _Members:
    """Addresses that have the same ports."""

    ready: list[EndpointAddress] = field(default_factory=list)
    others: list[EndpointAddress] = field(default_factory=list)


def _by_ports(service: Service, pods: Sequence[Pod]) -> dict[Ports, _Members]:
    """Pods that go are told only where those that are not ready count as well."""
    tells_all = service.spec.publishNotReadyAddresses
    family = next(iter(families(service)))
    found: dict[Ports, _Members] = {}
    for pod in pods:
        if not is_reachable(pod, family) or (is_deleted(pod) and not tells_all):
            continue
        its_ports = ports(service, pod)
        if not its_ports and (service.spec.ports or not is_headless(service)):
            continue
        members = found.setdefault(its_ports, _Members())
        (members.ready if tells_all or is_ready(pod) else members.others).append(_address(service, pod, family))
    return found


def _address(service: Service, pod: Pod, family: str) -> EndpointAddress:
    made = EndpointAddress(ip=address(pod, family))
    metadata, spec = pod.metadata, pod.spec
    if spec.nodeName:
        made.nodeName = spec.nodeName
    made.targetRef.kind, made.targetRef.namespace = "Pod", metadata.namespace
    made.targetRef.name, made.targetRef.uid = metadata.name, metadata.uid
    if spec.hostname and spec.subdomain == service.metadata.name:
        made.hostname = spec.hostname
    return made


def _truncated(by_ports: dict[Ports, _Members]) -> tuple[dict[Ports, _Members], bool]:
    """No more than fit, in order; ready ones of all subsets before others."""
    for members in by_ports.values():
        members.ready.sort(key=_order)
        members.others.sort(key=_order)
    total = sum(len(members.ready) + len(members.others) for members in by_ports.values())
    if total <= ADDRESSES_AT_MOST:
        return by_ports, False
    room = ADDRESSES_AT_MOST
    for name in ("ready", "others"):
        for _, members in sorted(by_ports.items()):
            addresses = getattr(members, name)
            del addresses[room:]
            room -= len(addresses)
    return {found: members for found, members in by_ports.items() if members.ready or members.others}, True


def _order(one: EndpointAddress) -> tuple[str, str]:
    return one.ip, one.targetRef.uid


def _subset(found: Ports, members: _Members) -> EndpointSubset:
    made = EndpointSubset(addresses=members.ready, notReadyAddresses=members.others)
    for name, protocol, number, app_protocol in found:
        port = made.ports.add(port=number, protocol=protocol)
        if name:
            port.name = name
        if app_protocol:
            port.appProtocol = app_protocol
    return made


def _is_same(made: Endpoints, current: Endpoints) -> bool:
    """Whether nothing but the time of the last change would be written."""
    capacities = [one.metadata.annotations.get(OVER_CAPACITY) for one in (made, current)]
    return (
        list(made.subsets) == list(current.subsets)
        and dict(made.metadata.labels) == dict(current.metadata.labels)
        and capacities[0] == capacities[1]
    )


def _stamp(made: Endpoints, triggered: str) -> None:
    annotations = made.metadata.annotations
    if triggered:
        annotations[ANNOTATION] = triggered
    elif ANNOTATION in annotations:
        del annotations[ANNOTATION]
