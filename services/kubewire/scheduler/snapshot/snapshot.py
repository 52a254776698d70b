"""All nodes and the pods on them, in columns, changed as informers and decisions tell.

Everything is in one thread, and a decision reads the snapshot while nothing changes it. Two things tell whoever
remembers results what became stale: `node_generation` moves on when a node changes, and `changes` lists the rows to
which pods came or from which they went.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from kubewire.client.objects import ObjectKey
from kubewire.scheduler.pods.pod import PodInfo
from kubewire.scheduler.snapshot.amounts import AmountColumns
from kubewire.scheduler.snapshot.arrays import Bools, grown
from kubewire.scheduler.snapshot.counts import Placed, PodCounts
from kubewire.scheduler.snapshot.labels import LabelColumns
from kubewire.scheduler.snapshot.node import NodeInfo
from kubewire.scheduler.snapshot.sets import ImageTable, PortTable, TaintColumn

_FIRST_ROWS: Final = 16
_CHANGES_AT_MOST: Final = 65536
_NO_LABELS: Final[Mapping[str, str]] = {}


class Placement(NamedTuple):
    """A pod on a node; `is_assumed` until the API server's own word of it has come."""

    pod: PodInfo
    node_name: str
    is_assumed: bool


class Snapshot:
    """Nodes by row, pods by key. Pods whose node is not known yet are kept and counted when it comes.

    Attributes:
        rows: each node's row. Rows of nodes that are gone are used again.
        nodes: what is known of the node in a row; None where there is none.
        valid: the rows that are nodes.
        unschedulable: the rows of nodes that take no pods.
        placements: all pods that are bound or assumed to be.
    """

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.nodes: list[NodeInfo | None] = [None] * _FIRST_ROWS
        self.valid: Bools = np.zeros(_FIRST_ROWS, dtype=np.bool_)
        self.unschedulable: Bools = np.zeros(_FIRST_ROWS, dtype=np.bool_)
        self.amounts = AmountColumns(_FIRST_ROWS)
        self.labels = LabelColumns(_FIRST_ROWS)
        self.taints = TaintColumn(_FIRST_ROWS)
        self.ports = PortTable()
        self.images = ImageTable()
        self.counts = PodCounts(_FIRST_ROWS, self._labels_of_namespace)
        self.placements: dict[ObjectKey, Placement] = {}
        self.node_generation = 0
        self.changes: list[int] = []
        self._namespaces: dict[str, Mapping[str, str]] = {}
        self._on_node: dict[str, dict[ObjectKey, PodInfo]] = {}
        self._free: list[int] = list(range(_FIRST_ROWS - 1, -1, -1))

    @property
    def capacity(self) -> int:
        """Rows there are, free ones included."""
        return len(self.nodes)

    @property
    def node_count(self) -> int:
        """Nodes there are."""
        return len(self.rows)

    def name(self, row: int) -> str:
        """The name of the node in a row."""
        node = self.nodes[row]
        assert node is not None, "the row is free"
        return node.name

    def pods_on(self, node_name: str) -> Mapping[ObjectKey, PodInfo]:
        """The pods of a node."""
        return self._on_node.get(node_name, {})

    def set_node(self, node: NodeInfo) -> NodeInfo | None:
        """A node is there, or changed; returns what it was."""
        row = self.rows.get(node.name)
        before = None if row is None else self.nodes[row]
        if before == node:
            return before
        if row is None:
            row = self._take_row(node.name)
        self.nodes[row] = node
        self._fill(row, node)
        if before is None:
            for pod in self.pods_on(node.name).values():
                self._count(row, pod, 1)
        self._nodes_changed()
        return before

    def remove_node(self, name: str) -> None:
        """A node is gone; its pods stay known until they go too."""
        row = self.rows.pop(name, None)
        if row is None:
            return
        for pod in self.pods_on(name).values():
            self._count(row, pod, -1)
        self.nodes[row] = None
        self.valid[row] = self.unschedulable[row] = False
        self.amounts.clear(row)
        self.labels.clear(row)
        self.taints.set(row, ())
        self.ports.clear(row)
        self.images.clear(row)
        self._free.append(row)
        self._nodes_changed()

    def place(self, pod: PodInfo, node_name: str, *, is_assumed: bool = False) -> bool:
        """A pod is bound to a node, or is assumed to be; whether that changes what is counted."""
        known = self.placements.get(pod.key)
        placement = Placement(pod, node_name, is_assumed)
        if known is not None and known.node_name == node_name and _is_same(known.pod, pod):
            self.placements[pod.key] = placement
            return False
        self.remove(pod.key)
        self.placements[pod.key] = placement
        self._on_node.setdefault(node_name, {})[pod.key] = pod
        self._count_on(node_name, pod, 1)
        return True

    def remove(self, key: ObjectKey) -> bool:
        """A pod is on no node any more; whether it was on one."""
        known = self.placements.pop(key, None)
        if known is None:
            return False
        neighbours = self._on_node[known.node_name]
        pod = neighbours.pop(key)
        if not neighbours:
            del self._on_node[known.node_name]
        self._count_on(known.node_name, pod, -1)
        return True

    def set_namespace(self, name: str, labels: Mapping[str, str] | None) -> None:
        """A namespace has these labels, or (None) is gone."""
        if self._namespaces.get(name, _NO_LABELS) == (labels or _NO_LABELS):
            return
        if labels is None:
            del self._namespaces[name]
        else:
            self._namespaces[name] = dict(labels)
        self.counts.forget_answers()
        self._nodes_changed()

    def _labels_of_namespace(self, name: str) -> Mapping[str, str]:
        return self._namespaces.get(name, _NO_LABELS)

    def _count_on(self, node_name: str, pod: PodInfo, sign: int) -> None:
        row = self.rows.get(node_name)
        if row is None:
            return
        self._count(row, pod, sign)
        self.changes.append(row)
        if len(self.changes) > _CHANGES_AT_MOST:
            self._nodes_changed()

    def _count(self, row: int, pod: PodInfo, sign: int) -> None:
        self.amounts.add(row, pod.shape, sign)
        if pod.shape.ports:
            self.ports.add(row, pod.shape.ports, sign)
        placed = Placed(pod.shape, pod.is_terminating)
        if sign > 0:
            self.counts.add(row, placed)
        else:
            self.counts.remove(row, placed)

    def _fill(self, row: int, node: NodeInfo) -> None:
        self.valid[row] = True
        self.unschedulable[row] = node.is_unschedulable
        self.amounts.set_allocatable(row, dict(node.allocatable))
        self.labels.replace(row, node.name, node.labels)
        self.taints.set(row, node.taints)
        self.images.set(row, node.images)

    def _nodes_changed(self) -> None:
        """Whatever is remembered is stale; the list of changes can start anew."""
        self.node_generation += 1
        self.changes.clear()

    def _take_row(self, name: str) -> int:
        if not self._free:
            self._grow(2 * self.capacity)
        row = self.rows[name] = self._free.pop()
        return row

    def _grow(self, rows: int) -> None:
        self._free.extend(range(rows - 1, self.capacity - 1, -1))
        self.nodes.extend([None] * (rows - self.capacity))
        self.valid = grown(self.valid, rows)
        self.unschedulable = grown(self.unschedulable, rows)
        for columns in (self.amounts, self.labels, self.taints, self.counts):
            columns.grow(rows)


def _is_same(known: PodInfo, pod: PodInfo) -> bool:
    """Whether a pod counts as it did."""
    return known.uid == pod.uid and known.shape is pod.shape and known.is_terminating == pod.is_terminating
