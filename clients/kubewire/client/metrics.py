"""What the client needs of a metrics registry, as Protocols: the client stands below the package that has one.

`kubewire.component.metrics.registry.Registry` fills `MetricRegistry` as it is; another library needs a small adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol, TypeVar

SeriesT = TypeVar("SeriesT", covariant=True)  # noqa: PLC0105 - read as Series


class Counter(Protocol):
    """A number that only grows."""

    def inc(self, amount: float = 1.0, /) -> None:
        """Add."""


class Gauge(Protocol):
    """A number that goes up and down."""

    def set(self, value: float, /) -> None:
        """Replace."""


class Histogram(Protocol):
    """How often values fell between bounds."""

    def observe(self, value: float, /) -> None:
        """Count one value."""


class Family(Protocol[SeriesT]):
    """All series of one name."""

    def labels(self, *values: str) -> SeriesT:
        """The series with these label values."""
        ...


class MetricRegistry(Protocol):
    """Makes families; a name is taken once."""

    def counter(self, name: str, help_text: str, labels: Sequence[str], /) -> Family[Counter]:
        """A family of counters."""
        ...

    def gauge(self, name: str, help_text: str, labels: Sequence[str], /) -> Family[Gauge]:
        """A family of gauges."""
        ...

    def histogram(
        self, name: str, help_text: str, labels: Sequence[str], /, *, buckets: Iterable[float]
    ) -> Family[Histogram]:
        """A family of histograms with these upper bounds."""
        ...

    def computed(
        self,
        name: str,
        help_text: str,
        labels: Sequence[str],
        /,
        *,
        kind: Literal["counter", "gauge"],
        collect: Callable[[], Iterable[tuple[tuple[str, ...], float]]],
    ) -> None:
        """A family that is asked for its values when metrics are read."""
