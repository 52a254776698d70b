"""Columns of things nodes have several of: taints, host ports, images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from kubewire.scheduler.pods.pod import HostPort
from kubewire.scheduler.snapshot.arrays import Bools, Int32s, Int64s, grown
from kubewire.scheduler.snapshot.node import Taint

Taints = tuple[Taint, ...]


class TaintColumn:
    """Each node's taints by a number: many nodes have the same, and a pod's tolerations are tried once on each set."""

    def __init__(self, rows: int) -> None:
        self.ids: Int32s = np.zeros(rows, dtype=np.int32)
        self.sets: list[Taints] = [()]
        self._numbers: dict[Taints, int] = {(): 0}

    def grow(self, rows: int) -> None:
        """Make room."""
        self.ids = grown(self.ids, rows)

    def set(self, row: int, taints: Taints) -> None:
        """A node's taints."""
        number = self._numbers.get(taints)
        if number is None:
            number = self._numbers[taints] = len(self.sets)
            self.sets.append(taints)
        self.ids[row] = number

    def counts(self, count: Callable[[Taints], int]) -> Int64s:
        """A number for each row that follows from its taints."""
        table = np.fromiter(map(count, self.sets), dtype=np.int64, count=len(self.sets))
        return table[self.ids]


class PortTable:
    """Host ports that pods hold. Few pods have any: kept a row, and only by those that have some."""

    def __init__(self) -> None:
        self._held: dict[int, Counter[HostPort]] = {}

    def add(self, row: int, ports: Iterable[HostPort], sign: int) -> None:
        """A pod comes to a node (`sign` 1), or leaves it (-1)."""
        for port in ports:
            held = self._held.setdefault(row, Counter())
            held[port] += sign
            if held[port] <= 0:
                del held[port]
            if not held:
                del self._held[row]

    def clear(self, row: int) -> None:
        """A row is free again."""
        self._held.pop(row, None)

    def taken(self, wanted: Sequence[HostPort], count: int) -> Bools:
        """Of `count` rows, those that cannot give one of the ports."""
        found = np.zeros(count, dtype=np.bool_)
        for row, held in self._held.items():
            found[row] = any(one.conflicts(other) for one in wanted for other in held)
        return found


class ImageTable:
    """Which nodes have which images, and how large those are."""

    def __init__(self) -> None:
        self._sizes: dict[str, dict[int, int]] = {}
        self._of_row: dict[int, tuple[tuple[str, int], ...]] = {}

    def set(self, row: int, images: tuple[tuple[str, int], ...]) -> None:
        """A node has these images and no others."""
        self.clear(row)
        self._of_row[row] = images
        for name, size in images:
            self._sizes.setdefault(name, {})[row] = size

    def clear(self, row: int) -> None:
        """A row is free again."""
        for name, _ in self._of_row.pop(row, ()):
            sizes = self._sizes[name]
            del sizes[row]
            if not sizes:
                del self._sizes[name]

    def sizes(self, image: str) -> dict[int, int]:
        """The bytes of an image by row, for the nodes that have it."""
        return self._sizes.get(image, {})
