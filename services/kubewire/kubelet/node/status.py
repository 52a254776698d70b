"""A node's status from what was read of the machine and the runtime. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kubewire.api.core.v1.node_pb2 import Node, NodeCondition, NodeStatus
from kubewire.component.metrics.build import KUBERNETES
from kubewire.kubelet.config import KubeletConfig
from kubewire.kubelet.node.machine import Machine, Room
from kubewire.kubelet.runtime.contracts import Condition, Image, Version
from kubewire.machinery.quantity import milli_value_of, value_of

KUBELET_VERSION: Final = f"v{KUBERNETES}-kubewire"
_IMAGES_AT_MOST: Final = 50
_IMAGE_NAMES_AT_MOST: Final = 5
_PIDS_LEFT_PERCENT: Final = 5


@dataclass(frozen=True, slots=True)
class NodePicture:
    """All that a status is made of, at one moment.

    Attributes:
        failure: why the runtime cannot be asked; empty if it can.
        address, name, port: where the kubelet is reached.
    """

    machine: Machine
    room: Room
    version: Version
    conditions: Sequence[Condition]
    images: Sequence[Image]
    failure: str
    name: str
    address: str
    port: int


def allocatable(config: KubeletConfig, machine: Machine, disk_total_bytes: int) -> Mapping[str, int]:
    """What there is for pods: CPU in thousandths, everything else in whole units."""
    kept = value_of(config.system_reserved_memory) + value_of(config.eviction_memory_available)
    disk = disk_total_bytes - int(disk_total_bytes * config.eviction_disk_available_percent / 100)
    return {
        "cpu": machine.cpus * 1000 - milli_value_of(config.system_reserved_cpu),
        "memory": max(0, machine.memory_bytes - kept),
        "ephemeral-storage": disk,
        "pods": config.max_pods,
    }


def node_status(config: KubeletConfig, picture: NodePicture) -> NodeStatus:
    """The status; its conditions carry no times yet."""
    machine, room = picture.machine, picture.room
    status = NodeStatus()
    capacity = {
        "cpu": str(machine.cpus),
        "memory": f"{machine.memory_bytes // 1024}Ki",
        "ephemeral-storage": f"{room.disk_total_bytes // 1024}Ki",
        "pods": str(config.max_pods),
    }
    left = allocatable(config, machine, room.disk_total_bytes)
    for name in ("cpu", "ephemeral-storage", "hugepages-1Gi", "hugepages-2Mi", "memory", "pods"):
        status.capacity[name].string = capacity.get(name, "0")
        status.allocatable[name].string = _text(name, left.get(name, 0))
    status.conditions.extend(_conditions(config, picture))
    status.addresses.add(type="InternalIP", address=picture.address)
    status.addresses.add(type="Hostname", address=picture.name)
    status.daemonEndpoints.kubeletEndpoint.Port = picture.port
    _set_info(status, picture)
    for image in sorted(picture.images, key=lambda one: one.size, reverse=True)[:_IMAGES_AT_MOST]:
        names = (*image.digests, *image.tags)[:_IMAGE_NAMES_AT_MOST]
        if names:
            status.images.add(names=names, sizeBytes=image.size)
    return status


def merged(base: Node, wanted: NodeStatus, now: float) -> NodeStatus:
    """`wanted` as it is written over what the API server has: others' conditions stay, and so do times of turning."""
    status = NodeStatus()
    status.CopyFrom(base.status)
    for name in ("capacity", "allocatable", "addresses", "daemonEndpoints", "nodeInfo", "images", "conditions"):
        status.ClearField(name)
    status.MergeFrom(wanted)
    before = {condition.type: condition for condition in base.status.conditions}
    for condition in status.conditions:
        known = before.pop(condition.type, None)
        condition.lastHeartbeatTime.seconds = int(now)
        if known is not None and known.status == condition.status:
            condition.lastTransitionTime.CopyFrom(known.lastTransitionTime)
        else:
            condition.lastTransitionTime.seconds = int(now)
    status.conditions.extend(before.values())
    return status


def is_news(base: NodeStatus, wanted: NodeStatus) -> bool:
    """Whether they differ in more than heartbeats."""
    return _without_heartbeats(base) != _without_heartbeats(wanted)


def _without_heartbeats(status: NodeStatus) -> NodeStatus:
    found = NodeStatus()
    found.CopyFrom(status)
    for condition in found.conditions:
        condition.ClearField("lastHeartbeatTime")
    return found


def _conditions(config: KubeletConfig, picture: NodePicture) -> list[NodeCondition]:
    """In Kubernetes' order; Ready is the last."""
    room = picture.room
    is_short_of_memory = room.memory_bytes < value_of(config.eviction_memory_available)
    is_short_of_disk = room.disk_bytes * 100 < room.disk_total_bytes * config.eviction_disk_available_percent
    is_short_of_pids = (room.pids_total - room.pids) * 100 < room.pids_total * _PIDS_LEFT_PERCENT
    return [
        _pressure("MemoryPressure", "Memory", "memory available", is_short=is_short_of_memory),
        _pressure("DiskPressure", "Disk", "disk space", is_short=is_short_of_disk, none="disk pressure"),
        _pressure("PIDPressure", "PID", "PID available", is_short=is_short_of_pids),
        _ready(picture),
    ]


def _pressure(type: str, what: str, amount: str, *, is_short: bool, none: str = "") -> NodeCondition:
    if is_short:
        reason, verb = f"KubeletHasInsufficient{what}", "insufficient"
        return NodeCondition(type=type, status="True", reason=reason, message=f"kubelet has {verb} {amount}")
    reason = "KubeletHasNoDiskPressure" if none else f"KubeletHasSufficient{what}"
    message = f"kubelet has no {none}" if none else f"kubelet has sufficient {amount}"
    return NodeCondition(type=type, status="False", reason=reason, message=message)


def _ready(picture: NodePicture) -> NodeCondition:
    problems = [f"container runtime is down: {picture.failure}"] if picture.failure else []
    for one in picture.conditions:
        if not one.status:
            what = (
                "container runtime network not ready" if one.type == "NetworkReady" else "container runtime not ready"
            )
            problems.append(f"{what}: {one.type}=false reason:{one.reason} message:{one.message}")
    if problems:
        message = f"[{', '.join(problems)}]" if len(problems) > 1 else problems[0]
        return NodeCondition(type="Ready", status="False", reason="KubeletNotReady", message=message)
    return NodeCondition(type="Ready", status="True", reason="KubeletReady", message="kubelet is posting ready status")


def _set_info(status: NodeStatus, picture: NodePicture) -> None:
    machine, info = picture.machine, status.nodeInfo
    info.machineID, info.systemUUID, info.bootID = machine.machine_id, machine.system_uuid, machine.boot_id
    info.kernelVersion, info.osImage = machine.kernel, machine.os_image
    info.containerRuntimeVersion = f"{picture.version.name}://{picture.version.version}"
    info.kubeletVersion, info.kubeProxyVersion = KUBELET_VERSION, ""
    info.operatingSystem, info.architecture = "linux", machine.architecture


def _text(name: str, amount: int) -> str:
    if name == "cpu":
        return str(amount // 1000) if amount % 1000 == 0 else f"{amount}m"
    if name == "memory":
        return f"{amount // 1024}Ki"
    return str(amount)
