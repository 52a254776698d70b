"""Columns of amounts: what nodes have, and what their pods ask for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kubewire.scheduler.pods.amounts import CPU, EPHEMERAL, MEMORY, PODS
from kubewire.scheduler.pods.pod import Shape
from kubewire.scheduler.snapshot.arrays import Int64s, grown

_FIRST = (CPU, MEMORY, EPHEMERAL, PODS)


class AmountColumns:
    """One line a resource, one column a row.

    Attributes:
        lines: which line is which resource's; lines are added as resources are met.
        allocatable: what each node has; nothing of a resource it does not name.
        requested: what its pods ask for; the line of pods counts them.
        counted: CPU and memory as scores count them, with defaults for pods that ask for none.
    """

    def __init__(self, rows: int) -> None:
        self.lines: dict[str, int] = {name: line for line, name in enumerate(_FIRST)}
        self.allocatable: Int64s = np.zeros((len(_FIRST), rows), dtype=np.int64)
        self.requested: Int64s = np.zeros_like(self.allocatable)
        self.counted: Int64s = np.zeros((2, rows), dtype=np.int64)

    def grow(self, rows: int) -> None:
        """Make room."""
        self.allocatable = grown(self.allocatable, rows)
        self.requested = grown(self.requested, rows)
        self.counted = grown(self.counted, rows)

    def line(self, resource: str) -> int:
        """A resource's line, made if it is met for the first time."""
        found = self.lines.get(resource)
        if found is None:
            found = self.lines[resource] = len(self.lines)
            nothing = np.zeros((1, self.allocatable.shape[1]), dtype=np.int64)
            self.allocatable = np.concatenate((self.allocatable, nothing))
            self.requested = np.concatenate((self.requested, nothing))
        return found

    def set_allocatable(self, row: int, amounts: Mapping[str, int]) -> None:
        """A node has this, and nothing else."""
        lines = [(self.line(name), value) for name, value in amounts.items()]
        self.allocatable[:, row] = 0
        for line, value in lines:
            self.allocatable[line, row] = value

    def add(self, row: int, shape: Shape, sign: int) -> None:
        """A pod comes to a node (`sign` 1), or leaves it (-1)."""
        for name, value in shape.requests.asked.items():
            line = self.line(name)
            self.requested[line, row] += sign * value
        self.requested[3, row] += sign
        self.counted[0, row] += sign * shape.requests.counted[0]
        self.counted[1, row] += sign * shape.requests.counted[1]

    def clear(self, row: int) -> None:
        """A row is free again."""
        self.allocatable[:, row] = self.requested[:, row] = self.counted[:, row] = 0
