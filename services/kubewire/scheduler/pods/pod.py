"""A pod as the scheduler keeps it: who it is, and its shape, which it shares with all pods that are alike.

Two pods of one shape fit the same nodes equally well, so what is computed for a shape is computed once. The shape
leaves out what makes every pod's spec different and does not matter here, such as the names of its volumes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.pod_spec_pb2 import PodSpec
from kubewire.client.objects import ObjectKey
from kubewire.scheduler.pods.amounts import Requests, images_of, requests_of
from kubewire.scheduler.pods.terms import (
    NodeWish,
    PodWish,
    Spread,
    Toleration,
    node_wish,
    pod_wish,
    spreads,
    tolerations,
)

_ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - what an empty host address means
_SHAPES_AT_MOST: Final = 8192


class HostPort(NamedTuple):
    """A port of the node that a container takes."""

    protocol: str
    address: str
    port: int

    def conflicts(self, other: HostPort) -> bool:
        """Whether one node cannot give both."""
        if self.protocol != other.protocol or self.port != other.port:
            return False
        return self.address == other.address or _ANY_ADDRESS in (self.address, other.address)


@dataclass(frozen=True, eq=False)
class Shape:
    """All of a pod that decides where it fits. Equal shapes are one object while they are in use."""

    namespace: str
    labels: Mapping[str, str]
    requests: Requests
    node_wish: NodeWish
    tolerations: tuple[Toleration, ...]
    pod_wish: PodWish
    spreads: tuple[Spread, ...]
    ports: tuple[HostPort, ...]
    images: tuple[str, ...]
    containers: int


class PodInfo(NamedTuple):
    """One pod. `node_name` is where it is bound, empty while it waits; times are Unix seconds."""

    key: ObjectKey
    uid: str
    shape: Shape
    node_name: str = ""
    priority: int = 0
    created: int = 0
    is_terminating: bool = False
    gates: tuple[str, ...] = ()
    scheduler_name: str = ""


def pod_info(pod: Pod) -> PodInfo:
    """From the API's message."""
    return _info(pod, shape_of(pod))


def pod_info_after(known: PodInfo | None, before: Pod, pod: Pod) -> PodInfo:
    """The same for a pod that is known: what its binding changes leaves it its shape."""
    if known is None or known.uid != pod.metadata.uid or not _is_alike(before, pod):
        return pod_info(pod)
    return _info(pod, known.shape)


def _is_alike(before: Pod, pod: Pod) -> bool:
    spec = PodSpec()
    spec.CopyFrom(before.spec)
    spec.nodeName = pod.spec.nodeName
    if not pod.spec.HasField("nodeName"):
        spec.ClearField("nodeName")
    return spec == pod.spec and before.metadata.labels == pod.metadata.labels


def _info(pod: Pod, shape: Shape) -> PodInfo:
    metadata, spec = pod.metadata, pod.spec
    return PodInfo(
        ObjectKey(metadata.namespace, metadata.name),
        metadata.uid,
        shape,
        spec.nodeName,
        spec.priority,
        metadata.creationTimestamp.seconds,
        metadata.HasField("deletionTimestamp"),
        tuple(gate.name for gate in spec.schedulingGates),
        spec.schedulerName,
    )


def shape_of(pod: Pod) -> Shape:
    """The shape of a pod; the same object for pods that are alike."""
    spec = pod.spec
    containers = (*spec.initContainers, *spec.containers)
    asked, counted = requests_of(spec)
    traits = _Traits(
        pod.metadata.namespace,
        tuple(sorted(pod.metadata.labels.items())),
        tuple(sorted(asked.items())),
        counted,
        tuple(dict.fromkeys(images_of(containers))),
        len(containers),
        _ports(spec),
        _placement(spec),
    )
    return _shape(traits)


def _placement(spec: PodSpec) -> bytes:
    """What a spec says about nodes and other pods, and nothing else."""
    part = PodSpec()
    part.nodeSelector.MergeFrom(spec.nodeSelector)
    part.tolerations.MergeFrom(spec.tolerations)
    if spec.HasField("affinity"):
        part.affinity.CopyFrom(spec.affinity)
    part.topologySpreadConstraints.MergeFrom(spec.topologySpreadConstraints)
    return part.SerializeToString(deterministic=True)


class _Traits(NamedTuple):
    """What makes a shape, as something that can be looked up."""

    namespace: str
    labels: tuple[tuple[str, str], ...]
    asked: tuple[tuple[str, int], ...]
    counted: tuple[int, int]
    images: tuple[str, ...]
    containers: int
    ports: tuple[HostPort, ...]
    placement: bytes


@lru_cache(_SHAPES_AT_MOST)
def _shape(traits: _Traits) -> Shape:
    spec, own = PodSpec.FromString(traits.placement), dict(traits.labels)
    return Shape(
        namespace=traits.namespace,
        labels=own,
        requests=Requests(dict(traits.asked), traits.counted),
        node_wish=node_wish(spec),
        tolerations=tolerations(spec),
        pod_wish=pod_wish(spec, traits.namespace, own),
        spreads=spreads(spec, own),
        ports=traits.ports,
        images=traits.images,
        containers=traits.containers,
    )


def _ports(spec: PodSpec) -> tuple[HostPort, ...]:
    sidecars = (one for one in spec.initContainers if one.restartPolicy == "Always")
    return tuple(
        HostPort(port.protocol or "TCP", port.hostIP or _ANY_ADDRESS, port.hostPort)
        for container in (*spec.containers, *sidecars)
        for port in container.ports
        if port.hostPort
    )
