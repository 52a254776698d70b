"""core/v1 Events, as they are stored, and events.k8s.io/v1 Events: the same content under other names and numbers."""

from __future__ import annotations

from typing import Final

from kubewire.apiserver.registry.conversions.renumber import renumber

_NUMBERS: Final = {  # core/v1 -> events.k8s.io/v1
    1: 1,  # metadata
    2: 8,  # involvedObject -> regarding
    3: 7,  # reason
    4: 10,  # message -> note
    5: 12,  # source -> deprecatedSource
    6: 13,  # firstTimestamp -> deprecatedFirstTimestamp
    7: 14,  # lastTimestamp -> deprecatedLastTimestamp
    8: 15,  # count -> deprecatedCount
    9: 11,  # type
    10: 2,  # eventTime
    11: 3,  # series
    12: 6,  # action
    13: 9,  # related
    14: 4,  # reportingComponent -> reportingController
    15: 5,  # reportingInstance
}
_BACK: Final = {theirs: ours for ours, theirs in _NUMBERS.items()}


def to_served(raw: bytes) -> bytes:
    """A stored Event as events.k8s.io/v1 shows it."""
    return renumber(raw, _NUMBERS)


def to_kept(raw: bytes) -> bytes:
    """An events.k8s.io/v1 Event as it is stored."""
    return renumber(raw, _BACK)


def kept_field(selector: str) -> str:
    """The stored kind's name of a field that selectors on events.k8s.io/v1 name."""
    if selector == "reportingController":
        return "reportingComponent"
    first, dot, rest = selector.partition(".")
    return f"involvedObject.{rest}" if dot and first == "regarding" else selector
