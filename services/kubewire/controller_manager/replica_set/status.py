"""What a ReplicaSet's status says. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet, ReplicaSetCondition, ReplicaSetStatus
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.controller_manager.pods.facts import available_at, is_active, is_ready, is_terminating

FAILURE: Final = "ReplicaFailure"
_COUNTS: Final = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "terminatingReplicas")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why pods could not be created (`FailedCreate`) or deleted (`FailedDelete`)."""

    reason: str
    message: str


def status_of(replica_set: ReplicaSet, pods: Iterable[Pod], failure: Failure | None, now: float) -> ReplicaSetStatus:
    """The status for the pods it has; what failed stands in a condition until it works again."""
    template = replica_set.spec.template.metadata.labels.items()
    status = _counted(ReplicaSetStatus())
    status.observedGeneration = replica_set.metadata.generation
    for pod in pods:
        if is_active(pod):
            at = available_at(pod, replica_set.spec.minReadySeconds)
            labels = pod.metadata.labels
            status.replicas += 1
            status.fullyLabeledReplicas += all(labels.get(key) == value for key, value in template)
            status.readyReplicas += is_ready(pod)
            status.availableReplicas += at is not None and at <= now
        elif is_terminating(pod):
            status.terminatingReplicas += 1
    status.conditions.extend(_conditions(replica_set, failure, now))
    return status


def next_available_seconds(replica_set: ReplicaSet, pods: Iterable[Pod], now: float) -> float | None:
    """In how long the next pod becomes available by being ready long enough; None if there is none to wait for."""
    minimum = replica_set.spec.minReadySeconds
    moments = (available_at(pod, minimum) for pod in pods if is_active(pod))
    waits = [at - now for at in moments if at is not None and at > now]
    return min(waits) if waits else None


def is_news(replica_set: ReplicaSet, status: ReplicaSetStatus) -> bool:
    """Whether it is worth a write. A count of zero says the same whether it is written or left out."""
    return _counted(replica_set.status) != _counted(status)


def _counted(status: ReplicaSetStatus) -> ReplicaSetStatus:
    made = ReplicaSetStatus()
    made.CopyFrom(status)
    for name in _COUNTS:
        setattr(made, name, getattr(made, name))
    return made


def _conditions(replica_set: ReplicaSet, failure: Failure | None, now: float) -> Iterable[ReplicaSetCondition]:
    """All but the failure's stay; that of a failure that goes on keeps its time."""
    for existing in replica_set.status.conditions:
        if existing.type != FAILURE or (failure is not None and existing.reason == failure.reason):
            yield existing
            failure = None if existing.type == FAILURE else failure
    if failure is not None:
        condition = ReplicaSetCondition(type=FAILURE, status="True", reason=failure.reason, message=failure.message)
        condition.lastTransitionTime.seconds = int(now)
        yield condition
