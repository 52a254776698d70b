"""Why a pod fits nowhere: each node is refused by the first filter that does, and reasons are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from kubewire.scheduler.decision.evaluation import View
from kubewire.scheduler.snapshot.arrays import ALL
from kubewire.scheduler.snapshot.snapshot import Snapshot

NO_NODES: Final = "no nodes available to schedule pods"


class Diagnosis(NamedTuple):
    """What refused the nodes: counts by reason, and the plugins that refused any."""

    nodes: int
    reasons: tuple[tuple[str, int], ...]
    plugins: frozenset[str]

    @property
    def message(self) -> str:
        """In Kubernetes' words: `0/3 nodes are available: 1 Insufficient cpu, 2 Too many pods.` or the like."""
        if not self.nodes:
            return NO_NODES
        told = sorted(f"{count} {reason}" for reason, count in self.reasons)
        return f"0/{self.nodes} nodes are available: {', '.join(told)}."


def diagnose(snapshot: Snapshot, views: Sequence[View]) -> Diagnosis:
    """Ask every filter about the nodes that those before it let through."""
    left = snapshot.valid.copy()
    reasons: Counter[str] = Counter()
    plugins = set()
    for plugin, evaluator in views:
        if not evaluator.filters:
            continue
        refused = np.zeros_like(left)
        for failure in evaluator.failures(ALL):
            count = int(np.count_nonzero(failure.rows & left))
            if count:
                reasons[failure.reason] += count
                refused |= failure.rows
        if (refused & left).any():
            plugins.add(plugin.name)
            left &= ~refused
    return Diagnosis(snapshot.node_count, tuple(sorted(reasons.items())), frozenset(plugins))
