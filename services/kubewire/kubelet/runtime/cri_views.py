"""CRI's messages as the values of `contracts`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from kubewire.cri.v1 import api_pb2 as cri
from kubewire.kubelet.runtime import labels
from kubewire.kubelet.runtime.contracts import (
    Condition,
    Container,
    Image,
    Listed,
    Phase,
    PodIdentity,
    Sandbox,
    Usage,
    sandbox_state,
)

_NANOSECONDS: Final = 1e9
_PHASES: Final[Mapping[int, Phase]] = {
    cri.CONTAINER_CREATED: Phase.CREATED,
    cri.CONTAINER_RUNNING: Phase.RUNNING,
    cri.CONTAINER_EXITED: Phase.EXITED,
}


def container(status: cri.ContainerStatus, sandbox_id: str) -> Container:
    """A container with all that is known of it."""
    return Container(
        id=status.id,
        sandbox_id=sandbox_id,
        name=status.metadata.name,
        attempt=status.metadata.attempt,
        phase=_phase(status.state),
        image=status.image.image,
        image_ref=status.image_ref,
        created_at=_seconds(status.created_at),
        started_at=_seconds(status.started_at),
        finished_at=_seconds(status.finished_at),
        exit_code=status.exit_code,
        reason=status.reason,
        message=status.message,
        annotations=dict(status.annotations),
    )


def sandbox(status: cri.PodSandboxStatus) -> Sandbox:
    """A sandbox with its addresses."""
    network = status.network
    ips = (network.ip, *(more.ip for more in network.additional_ips)) if network.ip else ()
    return Sandbox(
        status.id,
        status.metadata.attempt,
        status.state == cri.SANDBOX_READY,
        _seconds(status.created_at),
        ips,
    )


def listed(sandboxes: Iterable[cri.PodSandbox], containers: Iterable[cri.Container]) -> list[Listed]:
    """Pods by uid; what was not made by a kubelet is left out."""
    identities: dict[str, PodIdentity] = {}
    states: dict[str, set[tuple[str, str]]] = {}
    seen = [
        *((one.id, _sandbox_state(one), labels.identity_of(one.labels)) for one in sandboxes),
        *((one.id, _phase(one.state).value, labels.identity_of(one.labels)) for one in containers),
    ]
    for one_id, state, identity in seen:
        if identity.uid:
            identities[identity.uid] = identity
            states.setdefault(identity.uid, set()).add((one_id, state))
    return [Listed(identity, frozenset(states[uid])) for uid, identity in identities.items()]


def image(found: cri.Image) -> Image:
    """An image."""
    return Image(
        id=found.id,
        tags=tuple(found.repo_tags),
        digests=tuple(found.repo_digests),
        size=found.size,
        uid=found.uid.value if found.HasField("uid") else None,
        username=found.username,
        pinned=found.pinned,
    )


def condition(found: cri.RuntimeCondition) -> Condition:
    """What a runtime says about itself."""
    return Condition(found.type, found.status, found.reason, found.message)


def usage(stats: cri.ContainerStats) -> Usage:
    """What a container uses."""
    attributes = stats.attributes
    return Usage(
        container_id=attributes.id,
        pod=labels.identity_of(attributes.labels),
        name=attributes.metadata.name,
        cpu_seconds=_seconds(stats.cpu.usage_core_nano_seconds.value),
        memory_bytes=stats.memory.working_set_bytes.value,
        disk_bytes=stats.writable_layer.used_bytes.value,
    )


def _phase(state: int) -> Phase:
    return _PHASES.get(state, Phase.UNKNOWN)


def _sandbox_state(listed: cri.PodSandbox) -> str:
    return sandbox_state(is_ready=listed.state == cri.SANDBOX_READY)


def _seconds(nanoseconds: int) -> float:
    # Runtimes in Go may say -6795364578871345152 (their zero time) where there is no time yet.
    return max(0.0, nanoseconds / _NANOSECONDS)
