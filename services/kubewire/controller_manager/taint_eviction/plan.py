"""When a pod has to leave its node. Pure; times are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kubewire.api.core.v1.node_pb2 import Taint
from kubewire.api.core.v1.scheduling_pb2 import Toleration
from kubewire.controller_manager.pods.facts import seconds_of

NO_EXECUTE: Final = "NoExecute"


def evict_at(tolerations: Iterable[Toleration], taints: Iterable[Taint], now: float) -> float | None:
    """When the pod is to be deleted: now or earlier, later, or never (None).

    A taint that nothing tolerates evicts at once. Otherwise the shortest of the times counts for which the taints are
    tolerated, from when each taint was set.
    """
    moments: list[float] = []
    known = list(tolerations)
    for taint in taints:
        if taint.effect != NO_EXECUTE:
            continue
        fitting = [one for one in known if tolerates(one, taint)]
        if not fitting:
            return now
        limits = [max(0, one.tolerationSeconds) for one in fitting if one.HasField("tolerationSeconds")]
        if limits:
            since = seconds_of(taint.timeAdded) if taint.HasField("timeAdded") else now
            moments.append(since + min(limits))
    return min(moments) if moments else None


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Whether one toleration fits one taint: an empty effect or key fits all."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    return bool(toleration.key) and toleration.operator in {"", "Equal"} and toleration.value == taint.value
