"""Columns of labels: each value of a key has a number, so that a condition is decided once a value, not once a node."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from kubewire.machinery.selectors.requirements import parse_integer
from kubewire.scheduler.pods.terms import NODE_NAME, NodeRequirement, NodeTerm, NodeWish
from kubewire.scheduler.snapshot.arrays import Bools, Int32s, grown

ABSENT = -1
"""The number in rows without the label. As an index it means the last entry: tables by value keep that one for it."""


class LabelColumn:
    """One key.

    Attributes:
        ids: the number of each row's value.
        values: values by number. They are never forgotten: a cluster has few zones and as many names as nodes.
    """

    __slots__ = ("_numbers", "ids", "values")

    def __init__(self, rows: int) -> None:
        self.ids: Int32s = np.full(rows, ABSENT, dtype=np.int32)
        self.values: list[str] = []
        self._numbers: dict[str, int] = {}

    def set(self, row: int, value: str) -> None:
        """The row's value."""
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers[value] = len(self.values)
            self.values.append(value)
        self.ids[row] = number

    def where(self, holds: Callable[[str], bool], *, absent: bool) -> Bools:
        """The rows whose value satisfies `holds`; `absent` says it for rows without one."""
        table = np.fromiter((*map(holds, self.values), absent), dtype=np.bool_, count=len(self.values) + 1)
        return table[self.ids]

    def number_of(self, value: str) -> int | None:
        """The number of a value, if any row had it."""
        return self._numbers.get(value)


class LabelColumns:
    """All keys that any node has, and the node's name under `NODE_NAME`."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._columns: dict[str, LabelColumn] = {}

    def grow(self, rows: int) -> None:
        """Make room."""
        self._rows = rows
        for column in self._columns.values():
            column.ids = grown(column.ids, rows, ABSENT)

    def column(self, key: str) -> LabelColumn:
        """A key's column; empty if no node has it."""
        column = self._columns.get(key)
        if column is None:
            column = self._columns[key] = LabelColumn(self._rows)
        return column

    def replace(self, row: int, name: str, labels: Iterable[tuple[str, str]]) -> None:
        """A node has these labels and no others."""
        self.clear(row)
        self.column(NODE_NAME).set(row, name)
        for key, value in labels:
            self.column(key).set(row, value)

    def clear(self, row: int) -> None:
        """A row is free again."""
        for column in self._columns.values():
            column.ids[row] = ABSENT

    def wanted(self, wish: NodeWish) -> Bools:
        """Rows that satisfy a pod's node selector and required node affinity."""
        found = np.ones(self._rows, dtype=np.bool_)
        for key, value in wish.selector:
            number = self.column(key).number_of(value)
            found &= np.zeros_like(found) if number is None else self.column(key).ids == number
        if wish.terms is not None:
            found &= self.any_of(wish.terms)
        return found

    def any_of(self, terms: Iterable[NodeTerm]) -> Bools:
        """Rows that satisfy one of the terms."""
        found = np.zeros(self._rows, dtype=np.bool_)
        for term in terms:
            found |= self.all_of(term)
        return found

    def all_of(self, term: NodeTerm) -> Bools:
        """Rows that satisfy a term; an empty term means no node."""
        if not term:
            return np.zeros(self._rows, dtype=np.bool_)
        found = np.ones(self._rows, dtype=np.bool_)
        for requirement in term:
            found &= self._where(requirement)
        return found

    def _where(self, requirement: NodeRequirement) -> Bools:
        column, values = self.column(requirement.key), frozenset(requirement.values)
        match requirement.operator:
            case "In":
                return column.where(values.__contains__, absent=False)
            case "NotIn":
                return column.where(lambda value: value not in values, absent=True)
            case "Exists":
                return ~self._absent(column)
            case "DoesNotExist":
                return self._absent(column)
            case "Gt" | "Lt":
                return column.where(_comparison(requirement), absent=False)
        return np.zeros(self._rows, dtype=np.bool_)

    @staticmethod
    def _absent(column: LabelColumn) -> Bools:
        found: Bools = column.ids == ABSENT
        return found


def _comparison(requirement: NodeRequirement) -> Callable[[str], bool]:
    bound = parse_integer(requirement.values[0]) if len(requirement.values) == 1 else None

    def holds(value: str) -> bool:
        number = parse_integer(value)
        if number is None or bound is None:
            return False
        return number > bound if requirement.operator == "Gt" else number < bound

    return holds
