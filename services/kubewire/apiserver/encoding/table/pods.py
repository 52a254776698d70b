"""What a pod's row says: how many containers are ready, one word for its state, how often it restarted.

The state is told by the same steps as upstream's printer: the first thing that keeps the pod from running wins,
init containers before containers, and a deletion over everything but a phase that is already final.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubewire.apiserver.encoding.table.ages import Age
from kubewire.apiserver.encoding.table.text import NONE, Cell, Cells, age_of

if TYPE_CHECKING:
    from kubewire.api.core.v1.pod_pb2 import ContainerState, ContainerStateTerminated, ContainerStatus, Pod

_TERMINAL: Final = ("Failed", "Succeeded")


class _Restarts:
    """Restarts of some containers, and when the last of them ended."""

    def __init__(self) -> None:
        self.count = 0
        self.last_seconds = 0

    def add(self, status: ContainerStatus) -> None:
        self.count += status.restartCount
        if status.HasField("lastState") and status.lastState.HasField("terminated"):
            self.last_seconds = max(self.last_seconds, status.lastState.terminated.finishedAt.seconds)

    @property
    def cell(self) -> Cell:
        if self.count and self.last_seconds > 0:
            return f"{self.count} (", Age(self.last_seconds), " ago)"
        return str(self.count)


class _Summary:
    """Reads a pod's status once, from the first init container to the last container."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.conditions = {condition.type: condition for condition in pod.status.conditions}
        self.ready = 0
        self.state = pod.status.reason or pod.status.phase
        self.restarts = _Restarts()
        sidecars = {item.name for item in pod.spec.initContainers if item.restartPolicy == "Always"}
        self.total = len(pod.spec.containers) + len(sidecars)
        scheduled = self.conditions.get("PodScheduled")
        if scheduled is not None and scheduled.reason == "SchedulingGated":
            self.state = "SchedulingGated"
        sidecar_restarts, is_initializing = self._read_init_containers(sidecars)
        if not is_initializing or self._is_true("Initialized"):
            self.restarts = sidecar_restarts
            self._read_containers()
        self._read_deletion()

    def _is_true(self, condition: str) -> bool:
        found = self.conditions.get(condition)
        return found is not None and found.status == "True"

    def _read_init_containers(self, sidecars: set[str]) -> tuple[_Restarts, bool]:
        """Restarts of sidecars alone, and whether an init container is what the pod waits for."""
        of_sidecars = _Restarts()
        for index, status in enumerate(self.pod.status.initContainerStatuses):
            self.restarts.add(status)
            is_sidecar = status.name in sidecars
            if is_sidecar:
                of_sidecars.add(status)
            if status.state.HasField("terminated") and not status.state.terminated.exitCode:
                continue
            if is_sidecar and status.started:
                self.ready += status.ready
                continue
            self.state = _init_state(status.state, index, len(self.pod.spec.initContainers))
            return of_sidecars, True
        return of_sidecars, False

    def _read_containers(self) -> None:
        is_running = False
        for status in reversed(self.pod.status.containerStatuses):
            self.restarts.add(status)
            state = status.state
            if state.HasField("waiting") and state.waiting.reason:
                self.state = state.waiting.reason
            elif state.HasField("terminated"):
                self.state = _exit_text(state.terminated)
            elif status.ready and state.HasField("running"):
                is_running = True
                self.ready += 1
        if self.state == "Completed" and is_running:
            self.state = "Running" if self._is_true("Ready") else "NotReady"

    def _read_deletion(self) -> None:
        if not self.pod.metadata.HasField("deletionTimestamp"):
            return
        if self.pod.status.reason == "NodeLost":
            self.state = "Unknown"
        elif self.pod.status.phase not in _TERMINAL:
            self.state = "Terminating"


def _exit_text(terminated: ContainerStateTerminated) -> str:
    if terminated.reason:
        return terminated.reason
    return f"Signal:{terminated.signal}" if terminated.signal else f"ExitCode:{terminated.exitCode}"


def _init_state(state: ContainerState, index: int, total: int) -> str:
    if state.HasField("terminated"):
        return f"Init:{_exit_text(state.terminated)}"
    if state.HasField("waiting") and state.waiting.reason not in ("", "PodInitializing"):
        return f"Init:{state.waiting.reason}"
    return f"Init:{index}/{total}"


def pod(obj: Pod) -> Cells:
    """Cells of a pod."""
    summary = _Summary(obj)
    status = obj.status
    return [
        obj.metadata.name,
        f"{summary.ready}/{summary.total}",
        summary.state,
        summary.restarts.cell,
        age_of(obj.metadata),
        status.podIPs[0].ip if status.podIPs else NONE,
        obj.spec.nodeName or NONE,
        status.nominatedNodeName or NONE,
        _readiness_gates(obj),
    ]


def _readiness_gates(obj: Pod) -> str:
    """How many of the pod's readiness gates are open."""
    gates = obj.spec.readinessGates
    if not gates:
        return NONE
    known = {condition.type: condition.status for condition in obj.status.conditions}
    return f"{sum(known.get(gate.conditionType) == 'True' for gate in gates)}/{len(gates)}"
