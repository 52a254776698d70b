"""What becomes of an occurrence: a new Event, a higher count of one that was written, or nothing.

The rules are those of Kubernetes' event correlator: the same event again raises a count; more than ten events that
differ in their messages only become one "combined from similar events"; and an object has a budget of events, so that
one that fails every second does not fill the store. Pure: the time stands in the occurrence. What is remembered is
bounded; the longest unused is forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeAlias, TypeVar

from kubewire.client.events.occurrence import Occurrence
from kubewire.client.workqueue.rate_limit import TokenBucket

REMEMBERED_AT_MOST: Final = 4096
"""Entries of each kind that are remembered."""

ALIKE_AT_MOST: Final = 10
"""Events with different messages before they are combined."""

ALIKE_SECONDS: Final = 600.0
"""Events alike that are further apart than this are counted anew."""

BURST: Final = 25
"""Events about one object that pass at once."""

PER_SECOND: Final = 1 / 300
"""Events about one object later on."""

COMBINED: Final = "(combined from similar events): "

Key: TypeAlias = "tuple[str, ...]"


@dataclass(frozen=True, slots=True)
class Series:
    """Occurrences told by one Event: its name (empty before it is written), how often, and since when."""

    name: str
    count: int
    first_at: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What to write: a new Event where `series` has no name, else the count of the one that has it."""

    occurrence: Occurrence
    key: Key
    series: Series


class Correlator:
    """Remembers what was told about which object."""

    def __init__(self) -> None:
        self._alike: _Recent[_Alike] = _Recent()
        self._series: _Recent[Series] = _Recent()
        self._budgets: _Recent[_Budget] = _Recent()

    def decide(self, occurrence: Occurrence) -> Decision | None:
        """What to write for an occurrence; None: nothing, its object's budget is used up.

        What is not written is counted all the same: the next one that is written tells of all.
        """
        seen, key = self._combined(occurrence)
        before = self._series.get(key) or Series("", 0, seen.at)
        series = replace(before, count=before.count + 1)
        self._series.put(key, series)
        budget = self._budgets.get_or(occurrence.about, lambda: _Budget(occurrence.at))
        return Decision(seen, key, series) if budget.take(occurrence.at) else None

    def written(self, decision: Decision, name: str) -> None:
        """The Event was written under a name: what follows counts it up, with what was counted meanwhile."""
        series = self._series.get(decision.key) or decision.series
        self._series.put(decision.key, replace(series, name=name))

    def _combined(self, occurrence: Occurrence) -> tuple[Occurrence, Key]:
        """The occurrence as it is told: combined with others when they are many."""
        alike = self._alike.get_or(occurrence.alike, lambda: _Alike(set(), occurrence.at))
        if occurrence.at - alike.last_at > ALIKE_SECONDS:
            alike.messages.clear()
        alike.last_at = occurrence.at
        alike.messages.add(occurrence.message)
        if len(alike.messages) < ALIKE_AT_MOST:
            return occurrence, occurrence.same
        alike.messages.pop()
        return occurrence._replace(message=COMBINED + occurrence.message), occurrence.alike


@dataclass(slots=True)
class _Alike:
    """Messages of events alike, and when the last was seen."""

    messages: set[str]
    last_at: float


class _Budget:
    """What may still be told about one object."""

    def __init__(self, now: float) -> None:
        self._now = now
        self._bucket = TokenBucket(PER_SECOND, BURST, lambda: self._now)

    def take(self, now: float) -> bool:
        """Whether one more may be told; the clock never goes back."""
        self._now = max(self._now, now)
        return self._bucket.try_take()


V = TypeVar("V")


class _Recent(Generic[V]):
    """Values by key; beyond REMEMBERED_AT_MOST the longest unused is forgotten."""

    def __init__(self) -> None:
        self._values: OrderedDict[Key, V] = OrderedDict()

    def get(self, key: Key) -> V | None:
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def get_or(self, key: Key, make: Callable[[], V]) -> V:
        value = self.get(key)
        if value is None:
            value = make()
            self.put(key, value)
        return value

    def put(self, key: Key, value: V) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > REMEMBERED_AT_MOST:
            self._values.popitem(last=False)
