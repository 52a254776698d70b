"""Which slices a Service should have, and how to get there with few writes. Pure.

Endpoints stay in the slice they are in. New ones go into slices that change anyway, then into one that has room for all
the rest, then into slices of their own: one write tells every node in the cluster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.api.discovery.v1.endpoint_slice_pb2 import Endpoint, EndpointSlice
from kubewire.controller_manager.endpoint_slice.endpoints import (
    Ports,
    endpoint,
    families,
    has_endpoints,
    is_headless,
    is_reachable,
    port_messages,
    ports,
    ports_of,
)
from kubewire.controller_manager.endpoint_slice.trigger_times import ANNOTATION

SERVICE_NAME: Final = "kubernetes.io/service-name"
MANAGED_BY: Final = "endpointslice.kubernetes.io/managed-by"
MANAGER: Final = "endpointslice-controller.k8s.io"
HEADLESS_LABEL: Final = "service.kubernetes.io/headless"
ENDPOINTS_AT_MOST: Final = 100
"""In one slice, as upstream has it: a change of one endpoint sends a hundred around and not thousands."""

_RESERVED: Final = frozenset((SERVICE_NAME, MANAGED_BY, HEADLESS_LABEL))


@dataclass(frozen=True, slots=True)
class Observed:
    """What there is.

    Attributes:
        pods: those of the Service's namespace that its selector matches.
        zones: of nodes, by name.
        slices: those of this Service that this controller manages.
        triggered: when what is written now happened, as `trigger_times.ANNOTATION` has it; empty: nobody knows.
    """

    service: Service
    pods: Sequence[Pod]
    zones: Mapping[str, str]
    slices: Sequence[EndpointSlice]
    triggered: str = ""


@dataclass(slots=True)
class Plan:
    """Slices to create (their names are the edge's to choose), to overwrite, and to delete."""

    create: list[EndpointSlice] = field(default_factory=list)
    update: list[EndpointSlice] = field(default_factory=list)
    delete: list[EndpointSlice] = field(default_factory=list)


Identity = tuple[str, str]


def plan(observed: Observed) -> Plan:
    """Bring the slices to what the pods are. A Service without a selector is left to whoever writes its slices."""
    made = Plan()
    if not has_endpoints(observed.service) or observed.service.metadata.HasField("deletionTimestamp"):
        return made
    wanted_families = families(observed.service)
    for family in wanted_families:
        _plan_family(observed, family, made)
    made.delete += [one for one in observed.slices if one.addressType not in wanted_families]
    for one in (*made.create, *made.update):
        _stamp(one, observed.triggered)
    return made


def labels_of(service: Service) -> dict[str, str]:
    """The labels of a Service's slices: its own and ours."""
    labels = {key: value for key, value in service.metadata.labels.items() if key not in _RESERVED}
    labels[SERVICE_NAME] = service.metadata.name
    labels[MANAGED_BY] = MANAGER
    if is_headless(service):
        labels[HEADLESS_LABEL] = ""
    return labels


def _plan_family(observed: Observed, family: str, made: Plan) -> None:
    by_ports = _wanted(observed, family)
    existing: dict[Ports, list[EndpointSlice]] = {}
    for one in sorted(observed.slices, key=lambda found: found.metadata.name):
        if one.addressType == family and not one.metadata.HasField("deletionTimestamp"):
            existing.setdefault(ports_of(one.ports), []).append(one)
    for found, endpoints in by_ports.items():
        _Group(observed.service, family, found).plan(existing.pop(found, []), endpoints, made)
    for stale in existing.values():
        made.delete += stale


def _wanted(observed: Observed, family: str) -> dict[Ports, dict[Identity, Endpoint]]:
    """Endpoints by ports; a Service that has none gets an empty slice, which tells that it is known."""
    wanted: dict[Ports, dict[Identity, Endpoint]] = {}
    for pod in observed.pods:
        if is_reachable(pod, family):
            found = ports(observed.service, pod)
            if found or is_headless(observed.service):
                made = endpoint(observed.service, pod, family, observed.zones)
                wanted.setdefault(found, {})[_identity(made)] = made
    return wanted or {(): {}}


def _identity(one: Endpoint) -> Identity:
    return one.targetRef.uid, one.addresses[0] if one.addresses else ""


class _Group:
    """Slices of one Service, family and set of ports."""

    def __init__(self, service: Service, family: str, found: Ports) -> None:
        self._service = service
        self._family = family
        self._ports = port_messages(found)

    def plan(self, existing: Sequence[EndpointSlice], wanted: Mapping[Identity, Endpoint], made: Plan) -> None:
        """Add to `made` what brings `existing` to `wanted`."""
        missing = dict(wanted)
        kept = [[missing.pop(key) for one in each.endpoints if (key := _identity(one)) in missing] for each in existing]
        changed = [self._differs(each, endpoints) for each, endpoints in zip(existing, kept, strict=True)]
        rest = list(missing.values())
        for endpoints, is_changed in zip(kept, changed, strict=True):
            if is_changed:
                _move(rest, endpoints)
        self._fit(rest, kept)
        is_empty = not wanted
        for each, endpoints in zip(existing, kept, strict=True):
            if not endpoints and not is_empty:
                made.delete.append(each)
            else:
                # Of several empty ones the first stays.
                is_empty = False if not endpoints else is_empty
                if self._differs(each, endpoints):
                    made.update.append(self._filled(_copy(each), endpoints))
        while rest or (not wanted and not existing):
            endpoints = []
            _move(rest, endpoints)
            made.create.append(self._filled(self._empty(), endpoints))
            if not wanted:
                return

    @staticmethod
    def _fit(rest: list[Endpoint], kept: Sequence[list[Endpoint]]) -> None:
        """Put what is left over into the fullest slice that has room for all of it."""
        roomy = [endpoints for endpoints in kept if endpoints and len(endpoints) + len(rest) <= ENDPOINTS_AT_MOST]
        if rest and roomy and len(rest) < ENDPOINTS_AT_MOST:
            _move(rest, max(roomy, key=len))

    def _differs(self, one: EndpointSlice, endpoints: Sequence[Endpoint]) -> bool:
        return list(one.endpoints) != list(endpoints) or dict(one.metadata.labels) != labels_of(self._service)

    def _empty(self) -> EndpointSlice:
        made = EndpointSlice(addressType=self._family, ports=self._ports)
        service = self._service.metadata
        made.metadata.namespace = service.namespace
        made.metadata.generateName = f"{service.name}-"
        made.metadata.ownerReferences.add(
            apiVersion="v1",
            kind="Service",
            name=service.name,
            uid=service.uid,
            controller=True,
            blockOwnerDeletion=True,
        )
        return made

    def _filled(self, one: EndpointSlice, endpoints: Sequence[Endpoint]) -> EndpointSlice:
        del one.endpoints[:]
        one.endpoints.extend(endpoints)
        one.metadata.labels.clear()
        one.metadata.labels.update(labels_of(self._service))
        return one


def _stamp(one: EndpointSlice, triggered: str) -> None:
    """Tell since when proxies may count; an old time would tell them of a change that is no more."""
    annotations = one.metadata.annotations
    if triggered:
        annotations[ANNOTATION] = triggered
    elif ANNOTATION in annotations:
        del annotations[ANNOTATION]


def _move(rest: list[Endpoint], into: list[Endpoint]) -> None:
    """Take from the front of `rest` what fits."""
    room = max(0, ENDPOINTS_AT_MOST - len(into))
    into += rest[:room]
    del rest[:room]


def _copy(one: EndpointSlice) -> EndpointSlice:
    copied = EndpointSlice()
    copied.CopyFrom(one)
    return copied
