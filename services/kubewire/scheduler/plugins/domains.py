"""Topology domains: nodes that share the value of a label. Pods are counted by row and summed up by domain."""

from __future__ import annotations

import numpy as np

from kubewire.scheduler.snapshot.arrays import Bools, Int32s, Int64s
from kubewire.scheduler.snapshot.labels import ABSENT
from kubewire.scheduler.snapshot.snapshot import Snapshot


class Domains:
    """The domains of one key, over the rows that count. It holds until a node changes.

    Attributes:
        has: rows that have the label.
        present: the numbers of domains that have rows that count.
    """

    __slots__ = ("_counted", "_ids", "_is_counted", "_is_each_alone", "_numbers", "_size", "has", "present")

    def __init__(self, snapshot: Snapshot, key: str, counted: Bools | None = None) -> None:
        column = snapshot.labels.column(key)
        self._ids: Int32s = column.ids
        # One more than there are values: the last entry is that of rows without the label, which `ABSENT` points at.
        self._size = len(column.values) + 1
        self.has: Bools = column.ids != ABSENT
        self._is_counted: Bools = self.has & (snapshot.valid if counted is None else counted)
        self._counted = np.flatnonzero(self._is_counted)
        self._numbers = column.ids[self._counted]
        self.present = np.unique(self._numbers)
        self._is_each_alone = len(np.unique(self._ids[self.has])) == np.count_nonzero(self.has)

    def sums(self, counts: Int32s) -> Int64s:
        """Pods by number of domain; 0 where no row counts."""
        found = np.bincount(self._numbers, weights=counts[self._counted], minlength=self._size)
        return found.astype(np.int64)

    def by_row(self, sums: Int64s) -> Int64s:
        """Pods in each row's domain; 0 for rows without the label."""
        return sums[self._ids]

    def totals(self, counts: Int32s) -> Int64s:
        """`by_row` of `sums`; where each row is a domain of its own, as hosts are, there is nothing to sum up."""
        if self._is_each_alone:
            return np.where(self._is_counted, counts, np.int64(0))
        return self.by_row(self.sums(counts))

    def distinct(self, rows: Bools) -> int:
        """How many domains these rows lie in; rows without the label lie in none."""
        return len(np.unique(self._ids[rows & self.has]))
