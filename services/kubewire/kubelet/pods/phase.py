"""A pod's phase, from what is reported of its containers: Kubernetes' rules. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kubewire.api.core.v1.pod_pb2 import ContainerStatus, Pod
from kubewire.kubelet.pods.containers import ALWAYS, NEVER, Specs


class _Counts(NamedTuple):
    """Main containers by what they do; one that waits for a restart counts as stopped."""

    waiting: int
    running: int
    stopped: int
    succeeded: int


def phase_of(pod: Pod, specs: Specs, statuses: Mapping[str, ContainerStatus], *, is_over: bool) -> str:
    """Pending, Running, Succeeded or Failed.

    `is_over` says that nothing of the pod runs or will: what would run again if the pod went on has ended for good.
    """
    policy = pod.spec.restartPolicy or ALWAYS
    pending, failed = _initial(specs, statuses, policy)
    if failed:
        return "Failed"
    counts = _count(statuses[spec.name] for spec in specs.main)
    if is_over and counts.stopped == len(specs.main):
        return "Succeeded" if counts.stopped == counts.succeeded else "Failed"
    if pending or counts.waiting:
        return "Pending"
    if counts.running or any(_runs(statuses[spec.name]) for spec in specs.sidecars):
        return "Running"
    return _stopped(counts, policy)


def _stopped(counts: _Counts, policy: str) -> str:
    """All main containers have ended."""
    if policy == ALWAYS:
        return "Running"
    if counts.stopped == counts.succeeded:
        return "Succeeded"
    return "Failed" if policy == NEVER else "Running"


def _initial(specs: Specs, statuses: Mapping[str, ContainerStatus], policy: str) -> tuple[bool, bool]:
    """Whether init containers still have to do their work, and whether one has failed for good."""
    pending = False
    main_began = any(_began(statuses[spec.name]) for spec in specs.main)
    for spec in specs.init:
        status = statuses[spec.name]
        if spec.is_sidecar:
            pending = pending or not (status.started or main_began or status.state.HasField("terminated"))
        elif status.state.HasField("terminated"):
            if status.state.terminated.exitCode != 0:
                own = spec.container.restartPolicy or policy
                if own == NEVER:
                    return False, True
                pending = pending or not main_began
        elif not main_began:
            pending = True
    return pending, False


def _began(status: ContainerStatus) -> bool:
    state = status.state
    return state.HasField("running") or state.HasField("terminated") or status.lastState.HasField("terminated")


def _runs(status: ContainerStatus) -> bool:
    return status.state.HasField("running")


def _count(statuses: Iterable[ContainerStatus]) -> _Counts:
    waiting = running = stopped = succeeded = 0
    for status in statuses:
        if status.state.HasField("running"):
            running += 1
        elif status.state.HasField("terminated"):
            stopped += 1
            succeeded += status.state.terminated.exitCode == 0
        elif status.lastState.HasField("terminated"):
            stopped += 1
        else:
            waiting += 1
    return _Counts(waiting, running, stopped, succeeded)
