"""Rows of the benchmark report, and how they are printed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement.

    Attributes:
        value: in `unit`.
        limit: what the machine itself allows in the same unit, measured in the same run; None where there is none.
        reference: Kubernetes v1.36.2 on a machine of this kind, in the same unit; None where it has no such thing.
        target: the ratio to `reference` that we aim for; for times and memory at most, else at least.
        note: how it was measured, if the name does not say.
    """

    name: str
    value: float
    unit: str
    limit: float | None = None
    reference: float | None = None
    target: float | None = None
    note: str = ""

    @property
    def is_cost(self) -> bool:
        """Whether less is better."""
        return not self.unit.endswith("/s")

    @property
    def verdict(self) -> str:
        """`met` or `missed`, empty without a target."""
        if self.reference is None or self.target is None:
            return ""
        ratio = self.value / self.reference
        return "met" if (ratio <= self.target if self.is_cost else ratio >= self.target) else "MISSED"


def heading() -> str:
    """Titles of the columns."""
    return f"{'':46} {'measured':>16} {'machine limit':>16} {'k8s 1.36.2':>14} {'ratio':>7} {'target':>8}"


def line(row: Row) -> str:
    """One row as a line of text."""
    limit = _amount(row.limit, row.unit) if row.limit is not None else ""
    reference = _amount(row.reference, row.unit) if row.reference is not None else ""
    ratio = f"{row.value / row.reference:.2f}" if row.reference else ""
    target = f"{'<=' if row.is_cost else '>='}{row.target:g}" if row.target is not None else ""
    measured = _amount(row.value, row.unit)
    text = f"{row.name:46} {measured:>16} {limit:>16} {reference:>14} {ratio:>7} {target:>8} {row.verdict}"
    return text.rstrip() + (f"  ({row.note})" if row.note else "")


def _amount(value: float, unit: str) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"
