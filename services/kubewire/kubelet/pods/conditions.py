"""A pod's conditions that are the kubelet's to say. Pure; when they turned is filled in where they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from kubewire.api.core.v1.pod_pb2 import ContainerStatus, Pod, PodCondition
from kubewire.kubelet.pods.containers import Spec, Specs

OWNED: Final = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
"""The types the kubelet writes; all others belong to somebody else and are left alone."""

_COMPLETED: Final = "PodCompleted"
_FAILED: Final = "PodFailed"


def conditions_of(
    pod: Pod, specs: Specs, statuses: Mapping[str, ContainerStatus], phase: str, *, has_sandbox: bool
) -> list[PodCondition]:
    """All of them, in the order in which Kubernetes lists them."""
    containers = _containers_ready(specs, statuses, phase)
    found = [
        _condition("PodReadyToStartContainers", is_true=has_sandbox),
        _initialized(specs, statuses, phase),
        _ready(pod, containers),
        containers,
        _condition("PodScheduled", is_true=True),
    ]
    if pod.metadata.generation:
        for condition in found:
            condition.observedGeneration = pod.metadata.generation
    return found


def _initialized(specs: Specs, statuses: Mapping[str, ContainerStatus], phase: str) -> PodCondition:
    if phase == "Succeeded":
        return _condition("Initialized", is_true=True, reason=_COMPLETED)
    missing = [spec.name for spec in specs.init if not _has_done(spec, statuses[spec.name])]
    main_began = any(statuses[spec.name].state.HasField("running") for spec in specs.main)
    if missing and not main_began:
        return _condition(
            "Initialized",
            is_true=False,
            reason="ContainersNotInitialized",
            message=f"containers with incomplete status: {_names(missing)}",
        )
    return _condition("Initialized", is_true=True)


def _has_done(spec: Spec, status: ContainerStatus) -> bool:
    return status.started if spec.is_sidecar else status.ready


def _containers_ready(specs: Specs, statuses: Mapping[str, ContainerStatus], phase: str) -> PodCondition:
    if phase in {"Succeeded", "Failed"}:
        reason = _COMPLETED if phase == "Succeeded" else _FAILED
        return _condition("ContainersReady", is_true=False, reason=reason)
    missing = [spec.name for spec in (*specs.sidecars, *specs.main) if not statuses[spec.name].ready]
    if missing:
        message = f"containers with unready status: {_names(missing)}"
        return _condition("ContainersReady", is_true=False, reason="ContainersNotReady", message=message)
    return _condition("ContainersReady", is_true=True)


def _ready(pod: Pod, containers: PodCondition) -> PodCondition:
    """Ready when its containers are and all its readiness gates are open (KEP-580)."""
    problem = "" if containers.status == "True" else containers.message
    reason = containers.reason
    if containers.status == "True":
        problem = "; ".join(_closed_gates(pod))
        reason = "ReadinessGatesNotReady" if problem else ""
    is_ready = containers.status == "True" and not problem
    return _condition("Ready", is_true=is_ready, reason=reason, message=problem)


def _closed_gates(pod: Pod) -> list[str]:
    said = {condition.type: condition.status for condition in pod.status.conditions}
    problems = []
    for gate in pod.spec.readinessGates:
        kind = gate.conditionType
        if kind not in said:
            problems.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif said[kind] != "True":
            problems.append(f'the status of pod readiness gate "{kind}" is not "True", but {said[kind]}')
    return problems


def _condition(type: str, *, is_true: bool, reason: str = "", message: str = "") -> PodCondition:
    condition = PodCondition(type=type, status="True" if is_true else "False")
    if reason:
        condition.reason = reason
    if message:
        condition.message = message
    return condition


def _names(names: Sequence[str]) -> str:
    """As Go prints a list."""
    return f"[{' '.join(names)}]"
