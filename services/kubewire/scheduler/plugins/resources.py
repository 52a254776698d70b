"""What nodes have left: whether a pod fits, whether it leaves much, and whether it leaves CPU and memory in balance."""

from __future__ import annotations

from typing import Final

import numpy as np

from kubewire.scheduler.plugins.contracts import SCORE_AT_MOST, Evaluator, Failure, Scope
from kubewire.scheduler.pods.amounts import CPU, MEMORY
from kubewire.scheduler.pods.pod import PodInfo
from kubewire.scheduler.snapshot.arrays import Int64s, Rows
from kubewire.scheduler.snapshot.snapshot import Snapshot

TOO_MANY_PODS: Final = "Too many pods"
_CPU_LINE: Final = 0
_MEMORY_LINE: Final = 1
_PODS_LINE: Final = 3


class NodeResourcesFit:
    """Puts pods where what they ask for is free, and rather where most is left (upstream's LeastAllocated)."""

    name = "NodeResourcesFit"

    def __init__(self, weight: int) -> None:
        self.weight = weight

    def evaluator(self, snapshot: Snapshot, pod: PodInfo) -> Evaluator | None:
        """See `Plugin`."""
        return _Fit(snapshot, pod)


class _Fit(Evaluator):
    scope = Scope.ROW
    filters = True
    scores = True

    def __init__(self, snapshot: Snapshot, pod: PodInfo) -> None:
        self._amounts = snapshot.amounts
        requests = pod.shape.requests
        self._wants = [
            (self._amounts.line(name), value, f"Insufficient {name}") for name, value in requests.asked.items()
        ]
        self._counted = requests.counted

    def failures(self, rows: Rows) -> list[Failure]:
        has, asked = self._amounts.allocatable, self._amounts.requested
        found = [Failure(TOO_MANY_PODS, asked[_PODS_LINE, rows] >= has[_PODS_LINE, rows])]
        for line, value, reason in self._wants:
            found.append(Failure(reason, asked[line, rows] + value > has[line, rows]))
        return found

    def row_scores(self, rows: Rows) -> Int64s:
        """What would be left, in hundredths, on average over CPU and memory; a resource a node lacks does not count."""
        has = self._amounts.allocatable[:2, rows]
        asked = self._amounts.counted[:, rows] + np.array([[self._counted[0]], [self._counted[1]]])
        left = np.maximum(has - asked, 0) * SCORE_AT_MOST // np.maximum(has, 1)
        found: Int64s = left.sum(axis=0) // np.maximum((has > 0).sum(axis=0), 1)
        return found


class NodeResourcesBalancedAllocation:
    """Puts pods rather where CPU and memory are used to the same part."""

    name = "NodeResourcesBalancedAllocation"

    def __init__(self, weight: int) -> None:
        self.weight = weight

    def evaluator(self, snapshot: Snapshot, pod: PodInfo) -> Evaluator | None:
        """See `Plugin`. A pod that asks for nothing changes no balance."""
        asked = pod.shape.requests.asked
        return _Balance(snapshot, pod) if asked.get(CPU) or asked.get(MEMORY) else None


class _Balance(Evaluator):
    scope = Scope.ROW
    scores = True

    def __init__(self, snapshot: Snapshot, pod: PodInfo) -> None:
        self._amounts = snapshot.amounts
        asked = pod.shape.requests.asked
        self._asked = np.array([[asked.get(CPU, 0)], [asked.get(MEMORY, 0)]])

    def row_scores(self, rows: Rows) -> Int64s:
        """100 less half the distance between the two parts: the standard deviation of two numbers."""
        has = self._amounts.allocatable[:2, rows]
        used = (self._amounts.requested[:2, rows] + self._asked) / np.maximum(has, 1)
        parts = np.minimum(used, 1.0)
        deviation = np.where((has > 0).all(axis=0), np.abs(parts[_CPU_LINE] - parts[_MEMORY_LINE]) / 2, 0.0)
        found: Int64s = ((1.0 - deviation) * SCORE_AT_MOST).astype(np.int64)
        return found
