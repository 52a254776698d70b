"""Questions about a pod's life. Pure; times are seconds since the epoch."""

from __future__ import annotations

from typing import Final

from kubewire.api.core.v1.pod_pb2 import Pod, PodCondition
from kubewire.api.meta.v1.time_pb2 import Time

READY: Final = "Ready"
_ENDED: Final = frozenset(("Succeeded", "Failed"))


def seconds_of(moment: Time) -> float:
    """A moment; 0 if it is not set."""
    return moment.seconds + moment.nanos / 1e9


def has_ended(pod: Pod) -> bool:
    """Whether its containers have ended for good."""
    return pod.status.phase in _ENDED


def is_deleted(pod: Pod) -> bool:
    """Whether it was asked to go."""
    return pod.metadata.HasField("deletionTimestamp")


def is_active(pod: Pod) -> bool:
    """Whether it counts as a replica: neither ended nor asked to go."""
    return not has_ended(pod) and not is_deleted(pod)


def is_terminating(pod: Pod) -> bool:
    """Whether it was asked to go and has not ended yet."""
    return is_deleted(pod) and not has_ended(pod)


def condition(pod: Pod, type: str) -> PodCondition | None:
    """A condition of its status."""
    for found in pod.status.conditions:
        if found.type == type:
            return found
    return None


def is_ready(pod: Pod) -> bool:
    """Whether its condition Ready is True."""
    found = condition(pod, READY)
    return found is not None and found.status == "True"


def ready_since(pod: Pod) -> float:
    """Since when it has been ready; 0 if it is not, or nobody said."""
    found = condition(pod, READY)
    return seconds_of(found.lastTransitionTime) if found is not None and found.status == "True" else 0.0


def available_at(pod: Pod, min_ready_seconds: int) -> float | None:
    """When a pod that stays ready counts as available; None if it is not ready."""
    if not is_ready(pod):
        return None
    if min_ready_seconds <= 0:
        return 0.0
    since = ready_since(pod)
    return since + min_ready_seconds if since else None


def restarts(pod: Pod) -> int:
    """Of the container that was restarted most often."""
    return max((status.restartCount for status in pod.status.containerStatuses), default=0)
