"""Counters, gauges and histograms, and families of them told apart by labels.

A series is changed from one thread only and has no lock: adding to it costs as much as adding to an attribute.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, Literal, TypeVar

Kind = Literal["counter", "gauge", "histogram"]
Labels = tuple[str, ...]


class Counter:
    """A number that only grows while the process lives."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, amount: float = 1.0) -> None:
        """Add; `amount` is never negative."""
        self.value += amount


class Gauge:
    """A number that goes up and down."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def set(self, value: float) -> None:
        """Replace the value."""
        self.value = value

    def inc(self, amount: float = 1.0) -> None:
        """Add."""
        self.value += amount

    def dec(self, amount: float = 1.0) -> None:
        """Subtract."""
        self.value -= amount


class Histogram:
    """How often values fell between bounds, and their sum.

    Attributes:
        bounds: upper bounds, ascending.
        counts: one per bound, not accumulated, and one more for values over all bounds.
        sum: of all values.
    """

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds: Final = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value; a bound includes values equal to it."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def observe_many(self, value: float, times: int) -> None:
        """Count the same value several times."""
        self.counts[bisect_left(self.bounds, value)] += times
        self.sum += value * times

    @property
    def count(self) -> int:
        """How many values were observed."""
        return sum(self.counts)


Series = TypeVar("Series", Counter, Gauge, Histogram)


class Family(Generic[Series]):
    """All series of one name.

    Attributes:
        children: series by label values, in the order in which they were first asked for.
    """

    def __init__(
        self, name: str, help_text: str, kind: Kind, labels: Sequence[str], make: Callable[[], Series]
    ) -> None:
        self.name: Final = name
        self.help: Final = help_text
        self.kind: Final[Kind] = kind
        self.label_names: Final = tuple(labels)
        self.children: dict[Labels, Series] = {}
        self._make: Callable[[], Series] = make

    def labels(self, *values: str) -> Series:
        """The series with these label values, in the order of `label_names`. Keep it if you use it often."""
        child = self.children.get(values)
        if child is None:
            if len(values) != len(self.label_names):
                raise ValueError(f"{self.name}: want values for {self.label_names}, got {values}")
            child = self.children[values] = self._make()
        return child

    def remove(self, *values: str) -> None:
        """Forget one series; it need not exist."""
        self.children.pop(values, None)


class Computed:
    """A counter or gauge whose values are found only when somebody reads the metrics."""

    def __init__(
        self,
        name: str,
        help_text: str,
        kind: Literal["counter", "gauge"],
        labels: Sequence[str],
        collect: Callable[[], Iterable[tuple[Labels, float]]],
    ) -> None:
        self.name: Final = name
        self.help: Final = help_text
        self.kind: Final[Kind] = kind
        self.label_names: Final = tuple(labels)
        self.collect: Final = collect
