"""Ports of the node that pods take: two pods cannot have the same."""

from __future__ import annotations

from typing import Final

from kubewire.scheduler.plugins.contracts import Evaluator, Failure, Scope
from kubewire.scheduler.pods.pod import PodInfo
from kubewire.scheduler.snapshot.arrays import Rows
from kubewire.scheduler.snapshot.snapshot import Snapshot

TAKEN: Final = "node(s) didn't have free ports for the requested pod ports"


class NodePorts:
    """Keeps a pod off nodes where another one has its host ports."""

    name = "NodePorts"
    weight = 0

    def evaluator(self, snapshot: Snapshot, pod: PodInfo) -> Evaluator | None:
        """See `Plugin`."""
        return _FreePorts(snapshot, pod) if pod.shape.ports else None


class _FreePorts(Evaluator):
    scope = Scope.ROW
    filters = True

    def __init__(self, snapshot: Snapshot, pod: PodInfo) -> None:
        self._snapshot = snapshot
        self._wanted = pod.shape.ports

    def failures(self, rows: Rows) -> list[Failure]:
        return [Failure(TAKEN, self._snapshot.ports.taken(self._wanted, self._snapshot.capacity)[rows])]
