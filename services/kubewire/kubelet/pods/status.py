"""A pod's status as the kubelet reports it, and how it is put over what the API server has. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kubewire.api.core.v1.pod_pb2 import ContainerStatus, Pod, PodStatus
from kubewire.kubelet.pods.conditions import OWNED, conditions_of
from kubewire.kubelet.pods.container_status import container_status
from kubewire.kubelet.pods.memory import Trouble
from kubewire.kubelet.pods.phase import phase_of
from kubewire.kubelet.pods.picture import Picture
from kubewire.kubelet.pods.qos import qos_of

_OVERDUE = Trouble("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")


class Place(NamedTuple):
    """What is the same for all pods of the node."""

    runtime_name: str
    host_ips: Sequence[str]


def status_of(picture: Picture, place: Place, *, is_ending: bool) -> PodStatus:
    """What is reported; the conditions carry no times yet."""
    specs = picture.specs
    statuses = {
        spec.name: container_status(picture, spec, place.runtime_name, is_ending=is_ending) for spec in specs.all
    }
    status = PodStatus(
        initContainerStatuses=[statuses[spec.name] for spec in specs.init],
        containerStatuses=[statuses[spec.name] for spec in specs.main],
        ephemeralContainerStatuses=[statuses[spec.name] for spec in specs.ephemeral],
        qosClass=picture.pod.status.qosClass or qos_of(picture.pod),
    )
    _set_phase(picture, status, statuses, is_ending=is_ending)
    _set_addresses(picture, status, place)
    sandbox = picture.seen.ready_sandbox
    has_sandbox = sandbox is not None and (bool(sandbox.ips) or picture.pod.spec.hostNetwork)
    status.conditions.extend(conditions_of(picture.pod, specs, statuses, status.phase, has_sandbox=has_sandbox))
    status.startTime.seconds = int(picture.memory.started_at)
    if picture.pod.metadata.generation:
        status.observedGeneration = picture.pod.metadata.generation
    return status


def _set_phase(
    picture: Picture, status: PodStatus, statuses: Mapping[str, ContainerStatus], *, is_ending: bool
) -> None:
    """The phase and its reason. A pod of which something still runs has not ended yet, whatever became of it."""
    reported = picture.pod.status
    if picture.is_finished:
        status.phase, status.reason, status.message = reported.phase, reported.reason, reported.message
        _drop_empty(status)
        return
    runs = bool(picture.seen.running)
    trouble = picture.memory.rejected or (_OVERDUE if picture.is_overdue else None)
    if trouble is not None:
        status.reason, status.message = trouble
        status.phase = "Failed" if not runs else (reported.phase or "Running")
        return
    phase = phase_of(picture.pod, picture.specs, statuses, is_over=is_ending and not runs)
    if runs and phase in {"Succeeded", "Failed"}:
        phase = "Running"
    status.phase = phase


def _drop_empty(status: PodStatus) -> None:
    for name in ("reason", "message"):
        if not getattr(status, name):
            status.ClearField(name)


def _set_addresses(picture: Picture, status: PodStatus, place: Place) -> None:
    """The node's addresses, and the pod's own; those it had stay on record when it has ended."""
    if place.host_ips:
        status.hostIP = place.host_ips[0]
        for ip in place.host_ips:
            status.hostIPs.add(ip=ip)
    sandbox = picture.seen.ready_sandbox
    if picture.pod.spec.hostNetwork:
        ips: Sequence[str] = place.host_ips if picture.memory.admitted else ()
    elif sandbox is not None and sandbox.ips:
        ips = sandbox.ips
    else:
        ips = [one.ip for one in picture.pod.status.podIPs]
    if ips:
        status.podIP = ips[0]
        for ip in ips:
            status.podIPs.add(ip=ip)


def merged(base: Pod, wanted: PodStatus, now: float) -> PodStatus:
    """`wanted` as it is written over what the API server has.

    What is not ours stays, and so do the times at which conditions turned that are as they were.
    """
    status = PodStatus()
    status.CopyFrom(wanted)
    before = {condition.type: condition for condition in base.status.conditions}
    for condition in status.conditions:
        known = before.get(condition.type)
        if known is not None and known.status == condition.status and known.HasField("lastTransitionTime"):
            condition.lastTransitionTime.CopyFrom(known.lastTransitionTime)
        else:
            condition.lastTransitionTime.seconds = int(now)
        if known is not None and known.HasField("lastProbeTime"):
            condition.lastProbeTime.CopyFrom(known.lastProbeTime)
    foreign = [condition for condition in base.status.conditions if condition.type not in OWNED]
    status.conditions.extend(foreign)
    if base.status.HasField("startTime"):
        status.startTime.CopyFrom(base.status.startTime)
    for name in ("nominatedNodeName", "resize"):
        if base.status.HasField(name):
            setattr(status, name, getattr(base.status, name))
    status.resourceClaimStatuses.extend(base.status.resourceClaimStatuses)
    return status
