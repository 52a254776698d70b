"""Schedules of CronJobs: five fields of a cron line, a descriptor such as `@daily`, or `@every 1h30m`.

The messages are those of the parser Kubernetes uses, since users search for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class _Field:
    low: int
    high: int
    names: dict[str, int] = field(default_factory=dict)


_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_DAYS = "sun mon tue wed thu fri sat"
_FIELDS = (
    _Field(0, 59),
    _Field(0, 23),
    _Field(1, 31),
    _Field(1, 12, {name: number for number, name in enumerate(_MONTHS.split(), start=1)}),
    _Field(0, 6, {name: number for number, name in enumerate(_DAYS.split())}),
)
_DESCRIPTORS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_EVERY = "@every "
_is_duration = re.compile(r"[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)").fullmatch


class CronError(ValueError):
    """A schedule cannot be understood; the message says which part. The author's fault."""


@lru_cache(1024)
def schedule_problem(schedule: str) -> str:
    """What is wrong with a schedule; empty if nothing is."""
    try:
        _parse(schedule)
    except CronError as error:
        return str(error)
    return ""


def has_time_zone(schedule: str) -> bool:
    """Whether a schedule names a time zone of its own, which only `timeZone` may do."""
    return "TZ" in schedule


def _parse(schedule: str) -> None:
    if not schedule:
        raise CronError("empty spec string")
    if schedule.startswith("@"):
        _parse_descriptor(schedule)
        return
    parts = schedule.split()
    if len(parts) != len(_FIELDS):
        raise CronError(f"expected exactly {len(_FIELDS)} fields, found {len(parts)}: [{' '.join(parts)}]")
    for part, bounds in zip(parts, _FIELDS, strict=True):
        for item in filter(None, part.split(",")):
            _parse_range(item, bounds)


def _parse_descriptor(schedule: str) -> None:
    if schedule in _DESCRIPTORS:
        return
    if not schedule.startswith(_EVERY):
        raise CronError(f"unrecognized descriptor: {schedule}")
    duration = schedule.removeprefix(_EVERY)
    if not _is_duration(duration):
        raise CronError(f'failed to parse duration {schedule}: time: invalid duration "{duration}"')


def _parse_range(text: str, bounds: _Field) -> None:
    span, *steps = text.split("/")
    low_text, *high_texts = span.split("-")
    if low_text in {"*", "?"}:
        low, high = bounds.low, bounds.high
    else:
        low = high = _number(low_text, bounds)
        if len(high_texts) == 1:
            high = _number(high_texts[0], bounds)
        elif high_texts:
            raise CronError(f"too many hyphens: {text}")
    step = 1
    if len(steps) == 1:
        step = _integer(steps[0])
        if not high_texts and low_text not in {"*", "?"}:
            high = bounds.high
    elif steps:
        raise CronError(f"too many slashes: {text}")
    _check_span(low, high, step, text, bounds)


def _check_span(low: int, high: int, step: int, text: str, bounds: _Field) -> None:
    if low < bounds.low:
        raise CronError(f"beginning of range ({low}) below minimum ({bounds.low}): {text}")
    if high > bounds.high:
        raise CronError(f"end of range ({high}) above maximum ({bounds.high}): {text}")
    if low > high:
        raise CronError(f"beginning of range ({low}) beyond end of range ({high}): {text}")
    if step == 0:
        raise CronError(f"step of range should be a positive number: {text}")


def _number(text: str, bounds: _Field) -> int:
    named = bounds.names.get(text.lower())
    return _integer(text) if named is None else named


def _integer(text: str) -> int:
    if not (text.isascii() and text.removeprefix("-").removeprefix("+").isdigit()):
        raise CronError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    number = int(text)
    if number < 0:
        raise CronError(f"negative number ({number}) not allowed: {text}")
    return number
