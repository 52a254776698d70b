"""What nodes say about themselves: unschedulable, their name, taints, and labels that pods select by."""

from __future__ import annotations

from typing import Final

import numpy as np

from kubewire.scheduler.plugins.contracts import Evaluator, Failure, Scope, scaled_to_best
from kubewire.scheduler.pods.pod import PodInfo
from kubewire.scheduler.pods.terms import NODE_NAME, NodeRequirement, Toleration
from kubewire.scheduler.snapshot.arrays import Bools, Int64s, Rows
from kubewire.scheduler.snapshot.node import Taint
from kubewire.scheduler.snapshot.sets import Taints
from kubewire.scheduler.snapshot.snapshot import Snapshot

UNSCHEDULABLE: Final = "node(s) were unschedulable"
WRONG_NAME: Final = "node(s) didn't match the requested node name"
UNTOLERATED: Final = "node(s) had untolerated taint(s)"
WRONG_LABELS: Final = "node(s) didn't match Pod's node affinity/selector"

_UNSCHEDULABLE_TAINT: Final = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")


class NodeFacts(Evaluator):
    """Answers that are known once and for all: rows that fail, and raw scores."""

    scope = Scope.NODE

    def __init__(self, reason: str = "", failing: Bools | None = None, raw: Int64s | None = None) -> None:
        self._failures = [Failure(reason, failing)] if failing is not None else []
        self._raw = raw
        self._is_reversed = False
        self.filters = failing is not None
        self.scores = raw is not None

    def reversed(self) -> NodeFacts:
        """The lower the raw score, the better."""
        self._is_reversed = True
        return self

    def failures(self, rows: Rows) -> list[Failure]:
        """See the base class."""
        return [Failure(reason, failing[rows]) for reason, failing in self._failures]

    def scores_among(self, feasible: Bools) -> Int64s | None:
        """See the base class."""
        return None if self._raw is None else scaled_to_best(self._raw, feasible, is_reversed=self._is_reversed)


class NodeUnschedulable:
    """Keeps pods off nodes that are cordoned, unless they tolerate that."""

    name = "NodeUnschedulable"
    weight = 0

    def evaluator(self, snapshot: Snapshot, pod: PodInfo) -> Evaluator | None:
        """See `Plugin`."""
        if not snapshot.unschedulable.any() or _tolerates(pod.shape.tolerations, _UNSCHEDULABLE_TAINT):
            return None
        return NodeFacts(UNSCHEDULABLE, snapshot.unschedulable.copy())


class NodeName:
    """Keeps a pod that names its node off all others."""

    name = "NodeName"
    weight = 0

    def evaluator(self, snapshot: Snapshot, pod: PodInfo) -> Evaluator | None:
        """See `Plugin`."""
        if not pod.node_name:
            return None
        named = snapshot.labels.all_of((NodeRequirement(NODE_NAME, "In", (pod.node_name,)),))
        return NodeFacts(WRONG_NAME, ~named)


class TaintToleration:
    """Keeps pods off nodes whose taints they do not tolerate, and rather off those that would prefer it."""

    name = "TaintToleration"

    def __init__(self, weight: int) -> None:
        self.weight = weight

    def evaluator(self, snapshot: Snapshot, pod: PodInfo) -> Evaluator | None:
        """See `Plugin`."""
        tolerations = pod.shape.tolerations

        def untolerated(taints: Taints) -> int:
            return sum(_keeps_away(taint) and not _tolerates(tolerations, taint) for taint in taints)

        def unwelcome(taints: Taints) -> int:
            return sum(taint.effect == "PreferNoSchedule" and not _tolerates(tolerations, taint) for taint in taints)

        failing = snapshot.taints.counts(untolerated) > 0
        raw = snapshot.taints.counts(unwelcome)
        found = NodeFacts(UNTOLERATED, failing if failing.any() else None, raw if raw.any() else None)
        return found.reversed() if found.filters or found.scores else None


class NodeAffinity:
    """Puts pods on nodes that they select by labels, and rather on those they prefer."""

    name = "NodeAffinity"

    def __init__(self, weight: int) -> None:
        self.weight = weight

    def evaluator(self, snapshot: Snapshot, pod: PodInfo) -> Evaluator | None:
        """See `Plugin`."""
        wish = pod.shape.node_wish
        failing = ~snapshot.labels.wanted(wish) if wish.selector or wish.terms is not None else None
        raw = None
        if wish.preferred:
            raw = np.zeros(snapshot.capacity, dtype=np.int64)
            for term, weight in wish.preferred:
                raw += weight * snapshot.labels.all_of(term)
        return None if failing is None and raw is None else NodeFacts(WRONG_LABELS, failing, raw)


def _keeps_away(taint: Taint) -> bool:
    return taint.effect in {"NoSchedule", "NoExecute"}


def _tolerates(tolerations: tuple[Toleration, ...], taint: Taint) -> bool:
    return any(one.tolerates(taint.key, taint.value, taint.effect) for one in tolerations)


def untolerated_rows(snapshot: Snapshot, pod: PodInfo) -> Bools:
    """Rows with a taint that keeps the pod away."""
    tolerations = pod.shape.tolerations
    found: Bools = (
        snapshot.taints.counts(
            lambda taints: sum(_keeps_away(taint) and not _tolerates(tolerations, taint) for taint in taints)
        )
        > 0
    )
    return found
