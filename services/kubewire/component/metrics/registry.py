"""The metrics of one process by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from kubewire.component.metrics.exposition import Exposition
from kubewire.component.metrics.families import Computed, Counter, Family, Gauge, Histogram, Labels, Series

AnyFamily = Family[Counter] | Family[Gauge] | Family[Histogram] | Computed


class Registry:
    """Families in the order of their names, as they are printed. A name is taken once."""

    def __init__(self) -> None:
        self._families: dict[str, AnyFamily] = {}
        self._exposition = Exposition()

    def counter(self, name: str, help_text: str, labels: Sequence[str] = ()) -> Family[Counter]:
        """A family of counters. Without labels its one series is there from the start."""
        return self._add(Family(name, help_text, "counter", labels, Counter))

    def gauge(self, name: str, help_text: str, labels: Sequence[str] = ()) -> Family[Gauge]:
        """A family of gauges."""
        return self._add(Family(name, help_text, "gauge", labels, Gauge))

    def histogram(
        self, name: str, help_text: str, labels: Sequence[str] = (), *, buckets: Iterable[float]
    ) -> Family[Histogram]:
        """A family of histograms with these upper bounds, ascending; infinity is implied."""
        bounds = tuple(float(bound) for bound in buckets)
        if list(bounds) != sorted(set(bounds)):
            raise ValueError(f"{name}: buckets must ascend, got {bounds}")
        return self._add(Family(name, help_text, "histogram", labels, lambda: Histogram(bounds)))

    def computed(
        self,
        name: str,
        help_text: str,
        labels: Sequence[str] = (),
        *,
        kind: Literal["counter", "gauge"] = "gauge",
        collect: Callable[[], Iterable[tuple[Labels, float]]],
    ) -> None:
        """A family whose label values and numbers `collect` gives whenever the metrics are read."""
        self._take(Computed(name, help_text, kind, labels, collect))

    def render(self) -> bytes:
        """All metrics in Prometheus' text format (`exposition.CONTENT_TYPE`)."""
        return self._exposition.render(self._families[name] for name in sorted(self._families))

    def _add(self, family: Family[Series]) -> Family[Series]:
        self._take(family)
        if not family.label_names:
            family.labels()
        return family

    def _take(self, family: AnyFamily) -> None:
        if family.name in self._families:
            raise ValueError(f"metric {family.name} is defined twice")
        self._families[family.name] = family
