"""A pod's phase, from what is reported of its containers: Kubernetes' rules. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kubewire.api.core.v1.pod_pb2 import ContainerStatus, Pod
from kubewire.kubelet.pods.containers import Spec, Specs, restarts


class _Counts(NamedTuple):
    """Main containers by what they do; those that will run again are among the stopped ones, too."""

    waiting: int = 0
    running: int = 0
    stopped: int = 0
    succeeded: int = 0
    restarting: int = 0


def phase_of(pod: Pod, specs: Specs, statuses: Mapping[str, ContainerStatus], *, is_over: bool) -> str:
    """Pending, Running, Succeeded or Failed.

    `is_over` says that nothing of the pod runs or will: what would run again if the pod went on has ended for good.
    """
    pending, failed = _initial(pod, specs, statuses)
    if failed:
        return "Failed"
    counts = _counts(pod, specs.main, statuses)
    if is_over and counts.stopped == len(specs.main):
        return "Succeeded" if counts.stopped == counts.succeeded else "Failed"
    if pending or counts.waiting:
        return "Pending"
    sidecars_run = any(statuses[spec.name].state.HasField("running") for spec in specs.sidecars)
    if counts.running or counts.restarting or sidecars_run:
        return "Running"
    return "Succeeded" if counts.stopped == counts.succeeded else "Failed"


def _initial(pod: Pod, specs: Specs, statuses: Mapping[str, ContainerStatus]) -> tuple[bool, bool]:
    """Whether init containers still have to do their work, and whether one has failed for good."""
    if any(_began(statuses[spec.name]) for spec in specs.main):
        return False, False
    pending = False
    for spec in specs.init:
        status = statuses[spec.name]
        ended = status.state.HasField("terminated")
        if spec.is_sidecar:
            pending = pending or not (status.started or ended)
        elif not ended:
            pending = True
        elif status.state.terminated.exitCode != 0:
            if not restarts(pod, spec, status.state.terminated.exitCode):
                return False, True
            pending = True
    return pending, False


def _began(status: ContainerStatus) -> bool:
    state = status.state
    return state.HasField("running") or state.HasField("terminated") or status.lastState.HasField("terminated")


def _counts(pod: Pod, specs: Iterable[Spec], statuses: Mapping[str, ContainerStatus]) -> _Counts:
    found = _Counts()
    for spec in specs:
        status = statuses[spec.name]
        if status.state.HasField("running"):
            found = found._replace(running=found.running + 1)
        elif status.state.HasField("terminated"):
            code = status.state.terminated.exitCode
            found = found._replace(
                stopped=found.stopped + 1,
                succeeded=found.succeeded + (code == 0),
                restarting=found.restarting + restarts(pod, spec, code),
            )
        elif status.lastState.HasField("terminated"):
            found = found._replace(stopped=found.stopped + 1, restarting=found.restarting + 1)
        else:
            found = found._replace(waiting=found.waiting + 1)
    return found
