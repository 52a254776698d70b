"""Which pods go first when there are too many: those whose loss costs least.

The order is Kubernetes', criterion by criterion; the next one counts only where all before are equal.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.controller_manager.pods.facts import is_active, is_ready, ready_since, restarts, seconds_of

DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
_PHASES: Final = {"Pending": 0, "Unknown": 1, "Running": 2}
_NEVER: Final = -1

Rank = tuple[bool, int, bool, int, int, int, int, int, str]


def to_delete(pods: Sequence[Pod], related: Iterable[Pod], count: int, now: float) -> list[Pod]:
    """The `count` active pods to delete of `pods`.

    `related` are the pods of all ReplicaSets of the same owner, whose neighbourhood on a node counts as well.
    """
    if count >= len(pods):
        return list(pods)
    neighbours = Counter(pod.spec.nodeName for pod in related if is_active(pod))
    return sorted(pods, key=lambda pod: rank(pod, neighbours[pod.spec.nodeName], now))[:count]


def rank(pod: Pod, on_same_node: int, now: float) -> Rank:
    """The smaller, the sooner it goes."""
    ready = is_ready(pod)
    return (
        bool(pod.spec.nodeName),
        _PHASES.get(pod.status.phase or "Pending", 0),
        ready,
        deletion_cost(pod),
        -on_same_node,
        _age_class(ready_since(pod), now) if ready else _NEVER,
        -restarts(pod),
        _age_class(seconds_of(pod.metadata.creationTimestamp), now),
        pod.metadata.uid,
    )


def deletion_cost(pod: Pod) -> int:
    """What its annotation says; 0 without one, or with one that is no number of 32 bits."""
    try:
        cost = int(pod.metadata.annotations.get(DELETION_COST, "0"))
    except ValueError:
        return 0
    return cost if -(2**31) <= cost < 2**31 else 0


def _age_class(since: float, now: float) -> int:
    """Ages of one power of two count as equal, so that which of them goes is left to the uid, as good as chance.

    Otherwise scaling up and down again and again would always hit the newest.
    """
    if not since:
        return _NEVER
    age = now - since
    return 0 if age < 1 else 1 + int(math.log2(age))
