"""How long ago something was, in the few characters kubectl's users know: `5m3s`, `3h`, `2d4h`, `1y20d`.

Ages are the one thing in a row that changes while the object does not. So rows are kept with marks where ages
belong, and the marks are replaced when a table is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kubewire.api.meta.v1.time_pb2 import MicroTime, Time

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_YEAR: Final = 365 * _DAY
UNKNOWN: Final = "<unknown>"


class Age(NamedTuple):
    """A place in a cell where the time since `seconds` (Unix time) is to stand."""

    seconds: int


# Up to how many seconds a duration is written with which unit, and with which smaller one after it.
_STEPS: Final = (
    (2 * _MINUTE, (1, "s"), None),
    (10 * _MINUTE, (_MINUTE, "m"), (1, "s")),
    (3 * _HOUR, (_MINUTE, "m"), None),
    (8 * _HOUR, (_HOUR, "h"), (_MINUTE, "m")),
    (2 * _DAY, (_HOUR, "h"), None),
    (8 * _DAY, (_DAY, "d"), (_HOUR, "h")),
    (2 * _YEAR, (_DAY, "d"), None),
    (8 * _YEAR, (_YEAR, "y"), (_DAY, "d")),
)


def human_duration(seconds: int) -> str:
    """A duration with about two significant parts, upstream's `duration.HumanDuration`.

    Clocks of machines differ: up to a second in the future counts as now.
    """
    if seconds < 0:
        return "0s" if seconds >= -1 else "<invalid>"
    for limit, (large, large_unit), small in _STEPS:
        if seconds < limit:
            whole, rest = divmod(seconds, large)
            part = rest // small[0] if small else 0
            return f"{whole}{large_unit}{part}{small[1]}" if small and part else f"{whole}{large_unit}"
    return f"{seconds // _YEAR}y"


def since(time: Time | MicroTime | None) -> Age | str:
    """The age of a timestamp; `<unknown>` when it is absent or zero."""
    if time is None or not (time.seconds or time.nanos):
        return UNKNOWN
    return Age(time.seconds)
