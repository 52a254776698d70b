"""Prometheus' text format, version 0.0.4.

The part of a line before its number is made once per series: a server has thousands of histogram lines, and a scrape
must not hold the loop for longer than printing the numbers takes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Final

from kubewire.component.metrics.families import Computed, Histogram, Labels

if TYPE_CHECKING:
    from kubewire.component.metrics.registry import AnyFamily

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_ROUND: Final = 1e6
_EXACT: Final = 1e15  # whole numbers below it are written without an exponent


class Exposition:
    """Prints families, and remembers the beginnings of their lines."""

    def __init__(self) -> None:
        self._starts: dict[tuple[str, Labels], tuple[str, ...]] = {}

    def render(self, families: Iterable[AnyFamily]) -> bytes:
        """The whole text."""
        return "".join(chain.from_iterable(self._lines(family) for family in families)).encode()

    def _lines(self, family: AnyFamily) -> Iterator[str]:
        yield f"# HELP {family.name} {_escape_help(family.help)}\n# TYPE {family.name} {family.kind}\n"
        if isinstance(family, Computed):
            for values, number in family.collect():
                yield f"{family.name}{_braces(family.label_names, values)} {_number(number)}\n"
            return
        for values, series in family.children.items():
            if isinstance(series, Histogram):
                yield from self._histogram(family, values, series)
            else:
                start = self._starts.get((family.name, values)) or self._remember(family, values)
                yield f"{start[0]}{_number(series.value)}\n"

    def _histogram(self, family: AnyFamily, values: Labels, series: Histogram) -> Iterator[str]:
        starts = self._starts.get((family.name, values)) or self._remember(family, values, series.bounds)
        cumulative = list(accumulate(series.counts))
        for start, count in zip(starts, cumulative, strict=False):
            yield f"{start}{count}\n"
        yield f"{starts[-2]}{_number(series.sum)}\n{starts[-1]}{cumulative[-1]}\n"

    def _remember(self, family: AnyFamily, values: Labels, bounds: tuple[float, ...] | None = None) -> tuple[str, ...]:
        name, names = family.name, family.label_names
        starts: tuple[str, ...]
        if bounds is None:
            starts = (f"{name}{_braces(names, values)} ",)
        else:
            limits = (*map(_bound, bounds), "+Inf")
            buckets = (f"{name}_bucket{_braces((*names, 'le'), (*values, limit))} " for limit in limits)
            braces = _braces(names, values)
            starts = (*buckets, f"{name}_sum{braces} ", f"{name}_count{braces} ")
        self._starts[name, values] = starts
        return starts


def _number(given: float) -> str:
    value = float(given)  # whole numbers are welcome as well
    if value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")


def _bound(value: float) -> str:
    """A bucket's bound is a label, a text: from a million on with an exponent, as Kubernetes writes it."""
    if value < _ROUND:
        return _number(value)
    _, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int), "bounds are finite"
    first, *others = map(str, digits)
    return f"{first}{'.' if others else ''}{''.join(others)}e+{exponent + len(others):02d}"


def _braces(names: Labels, values: Labels) -> str:
    if not names:
        return ""
    pairs = (f'{name}="{_escape_value(value)}"' for name, value in zip(names, values, strict=True))
    return "{" + ",".join(pairs) + "}"


def _escape_value(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _escape_help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
