"""All that a decision about a pod looks at, at one moment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.kubelet.contracts import Verdict
from kubewire.kubelet.pods.actions import Action
from kubewire.kubelet.pods.containers import Spec, Specs, restarts, specs_of
from kubewire.kubelet.pods.memory import Memory
from kubewire.kubelet.runtime.contracts import Container, Phase, RuntimePod

DEFAULT_GRACE_SECONDS = 30


@dataclass(frozen=True)
class Picture:
    """One pod at one moment.

    Attributes:
        pod: as the API server has it.
        seen: as the runtime has it.
        memory: read-only here.
        verdict: what probes say of a container, by name and id.
        busy: keys of the actions under way.
        now: seconds since the epoch.
        sync_seconds: how old volumes may grow.
        is_gone: the API server no longer has the pod.
    """

    pod: Pod
    seen: RuntimePod
    memory: Memory
    verdict: Callable[[str, str], Verdict]
    busy: Collection[str]
    now: float
    sync_seconds: float = 60.0
    is_gone: bool = False

    @cached_property
    def specs(self) -> Specs:
        """The pod's containers."""
        return specs_of(self.pod)

    @property
    def is_deleted(self) -> bool:
        """Whether somebody wants the pod to end."""
        return self.is_gone or self.pod.metadata.HasField("deletionTimestamp")

    @property
    def is_finished(self) -> bool:
        """Whether the API server has the pod's end on record: nothing of it is ever started again."""
        return self.pod.status.phase in {"Succeeded", "Failed"}

    @property
    def deadline(self) -> float | None:
        """When the pod has run too long; None if it may run for ever."""
        if not self.pod.spec.HasField("activeDeadlineSeconds"):
            return None
        return self.memory.started_at + self.pod.spec.activeDeadlineSeconds

    @property
    def is_overdue(self) -> bool:
        """Whether it has run too long."""
        deadline = self.deadline
        return deadline is not None and self.now >= deadline

    @property
    def grace_seconds(self) -> int:
        """How long its containers may take to end."""
        metadata = self.pod.metadata
        if metadata.HasField("deletionGracePeriodSeconds"):
            return metadata.deletionGracePeriodSeconds
        if self.pod.spec.HasField("terminationGracePeriodSeconds"):
            return self.pod.spec.terminationGracePeriodSeconds
        return DEFAULT_GRACE_SECONDS

    def current(self, spec: Spec) -> Container | None:
        """A container's newest incarnation that counts: init containers run anew in every sandbox."""
        found = self.seen.newest(spec.name)
        if found is None or spec.kind.value != "init":
            return found
        sandbox = self.seen.sandboxes[0] if self.seen.sandboxes else None
        return found if sandbox is None or found.sandbox_id == sandbox.id else None

    def will_restart(self, spec: Spec, container: Container) -> bool:
        """Whether a container that has ended is to run again, if the pod goes on."""
        return container.phase is Phase.UNKNOWN or restarts(self.pod, spec, container.exit_code)

    def is_busy(self, action: Action) -> bool:
        """Whether an action is under way, or failed so recently that it is not tried yet."""
        return action.key in self.busy or self.now < self.memory.retry_at.get(action.key, 0.0)

    def is_starting(self, name: str) -> bool:
        """Whether a container of this name is being started."""
        return f"start {name}" in self.busy


class Plan(NamedTuple):
    """What to do now, and when to look again if nothing happens; None: nothing is waited for."""

    actions: Sequence[Action]
    look_at: float | None = None
