"""A container that is probed: what is known of it, and what stands on the clock for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.kubelet.contracts import RunningContainer
from kubewire.kubelet.probes.checks import Target
from kubewire.kubelet.probes.decision import History, is_due
from kubewire.kubelet.probes.metrics import Probed
from kubewire.kubelet.probes.reply import Outcome
from kubewire.kubelet.probes.spec import ProbeKind, probes_of


@dataclass(slots=True)
class Series:
    """One probe of a container, made again and again.

    Attributes:
        timer: until the next one; None while one is being made, and while none is due.
        task: the one that is being made.
        due: when the next one is, or the present one was, in the loop's time.
        early_until: until when one that is refused is made again soon (`decision.early_wait`).
        looks: how often it was.
    """

    history: History
    probed: Probed
    timer: asyncio.TimerHandle | None = None
    task: asyncio.Task[None] | None = None
    due: float = 0.0
    early_until: float = 0.0
    looks: int = 0

    def stop(self) -> None:
        """Make it no more."""
        for pending in (self.timer, self.task):
            if pending is not None:
                pending.cancel()
        self.timer = self.task = None


@dataclass(slots=True)
class ProbedContainer:
    """One container under one id; a container that was started anew is another one.

    Attributes:
        pod: as it was when last told.
        is_inherited: whether it ran before this kubelet did.
        series: its probes, by kind.
        is_over: whether it is probed no more, whatever a probe comes to that is still being made.
    """

    pod: Pod
    container: Container
    running: RunningContainer
    pod_ip: str
    is_inherited: bool
    series: dict[ProbeKind, Series] = field(default_factory=dict)
    is_over: bool = False

    def __post_init__(self) -> None:
        """Begin with what an earlier kubelet found out, so that its end changes nothing about the container."""
        metadata = self.pod.metadata
        for spec in probes_of(self.container):
            probed = Probed(spec.kind, self.container.name, metadata.name, metadata.namespace, metadata.uid)
            self.series[spec.kind] = Series(History(spec), probed)
        if self.is_inherited:
            for kind in reported_successes(self.pod, self.running) & self.series.keys():
                self.series[kind].history.result = Outcome.SUCCESS

    @property
    def histories(self) -> Mapping[ProbeKind, History]:
        """Results so far."""
        return {kind: series.history for kind, series in self.series.items()}

    @property
    def target(self) -> Target:
        """What probes are made against."""
        return Target(self.container, self.running.id, self.pod_ip)

    def is_due(self, kind: ProbeKind) -> bool:
        """Whether a probe is to be made at present; without an address there is nothing to ask."""
        is_terminating = self.pod.metadata.HasField("deletionTimestamp")
        needs_address = not self.series[kind].history.spec.handler.HasField("exec")
        if self.is_over or (needs_address and not self.pod_ip):
            return False
        return is_due(kind, self.histories, is_terminating=is_terminating)

    def stop(self) -> None:
        """Probe it no more."""
        self.is_over = True
        for series in self.series.values():
            series.stop()


def reported_successes(pod: Pod, running: RunningContainer) -> set[ProbeKind]:
    """What the pod's status says of just this container: that it has started, that it is ready."""
    kinds: set[ProbeKind] = set()
    for status in (*pod.status.initContainerStatuses, *pod.status.containerStatuses):
        if status.name == running.name and status.containerID.rpartition("://")[2] == running.id:
            kinds |= {ProbeKind.STARTUP} if status.started else set()
            kinds |= {ProbeKind.READINESS} if status.ready else set()
    return kinds
