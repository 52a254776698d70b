"""Points in time, as text and as numbers.

`Time` is RFC 3339 in whole seconds, `MicroTime` has exactly six digits behind the point.
Go's zero time (the first second of year 1) means "none" and is the empty message. Everything is computed on integers:
Python's datetime ends at year 9999 and does not know year 0, and what a client sends must not crash anybody.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from kubewire.machinery.codec.errors import WrongValue
from kubewire.machinery.quoting import quote

ZERO_SECONDS: Final = -62135596800
"""0001-01-01T00:00:00Z, Go's zero time."""

_DAY: Final = 86400
_REMEMBERED: Final = 4096
"""Objects that are listed together were often written in the same few seconds."""
_LONGEST_REMEMBERED: Final = 40


class Moment(NamedTuple):
    """Seconds since 1970 (UTC) and the nanoseconds behind them."""

    seconds: int
    nanos: int

    @property
    def is_zero(self) -> bool:
        """Whether this is Go's zero time."""
        return self.seconds == ZERO_SECONDS and self.nanos == 0


def _days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar; years begin in March, so that leap days come last."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def _civil_from_days(days: int) -> tuple[int, int, int]:
    """Year, month and day of a number of days since 1970-01-01."""
    era, of_era = divmod(days + 719468, 146097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return year_of_era + era * 400 + (month <= 2), month, day


@lru_cache(_REMEMBERED)
def format_seconds(seconds: int) -> str:
    """RFC 3339 in UTC, without fraction and zone: `2026-11-23T05:25:55`."""
    days, of_day = divmod(seconds, _DAY)
    year, month, day = _civil_from_days(days)
    text_of_year = f"{year:04d}" if year >= 0 else f"-{-year:04d}"
    return f"{text_of_year}-{month:02d}-{day:02d}T{of_day // 3600:02d}:{of_day // 60 % 60:02d}:{of_day % 60:02d}"


def format_time(seconds: int) -> str:
    """As `Time` is written."""
    return format_seconds(seconds) + "Z"


def format_micro_time(seconds: int, nanos: int) -> str:
    """As `MicroTime` is written."""
    more, nanos = divmod(nanos, 1_000_000_000)
    return f"{format_seconds(seconds + more)}.{nanos // 1000:06d}Z"


_PLAIN: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:([.,])(\d+))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SECONDS_LAYOUT: Final = "2006-01-02T15:04:05Z07:00"
_MICROS_LAYOUT: Final = "2006-01-02T15:04:05.000000Z07:00"
_LAYOUT: Final = (
    ("2006", r"\d{4}"),
    ("-", "-"),
    ("01", r"\d\d"),
    ("-", "-"),
    ("02", r"\d\d"),
    ("T", "T"),
    ("15", r"\d\d?"),
    (":", ":"),
    ("04", r"\d\d"),
    (":", ":"),
    ("05", r"\d\d(?:[.,]\d+)?"),
    ("Z07:00", r"Z|[+-]\d\d:\d\d"),
)


def parse_time(text: str) -> Moment:
    """What a `Time` says; fractions are read and dropped.

    Raises:
        WrongValue: with the words of Go's time package.
    """
    if len(text) <= _LONGEST_REMEMBERED:
        return _parse_remembered(text, _SECONDS_LAYOUT)._replace(nanos=0)
    return _parse(text, _SECONDS_LAYOUT)._replace(nanos=0)


def parse_micro_time(text: str) -> Moment:
    """What a `MicroTime` says; it must have six digits behind the point.

    Raises:
        WrongValue: with the words of Go's time package.
    """
    return _parse(text, _MICROS_LAYOUT)


@lru_cache(_REMEMBERED)
def _parse_remembered(text: str, layout: str) -> Moment:
    return _parse(text, layout)


def _parse(text: str, layout: str) -> Moment:
    match = _PLAIN.fullmatch(text)
    if match is None or (layout == _MICROS_LAYOUT and (match[7], len(match[8] or "")) != (".", 6)):
        raise WrongValue(_why_unreadable(text, layout))
    parts = tuple(map(int, match.groups()[:6]))
    zone = int(match[10] or 0), int(match[11] or 0)
    wrong = _out_of_range(parts, zone)
    if wrong:
        raise WrongValue(f"parsing time {quote(text)}: {wrong} out of range")
    year, month, day, hour, minute, second = parts
    offset = zone[0] * 3600 + zone[1] * 60
    seconds = _days_from_civil(year, month, day) * _DAY + hour * 3600 + minute * 60 + second
    return Moment(seconds + (offset if match[9] == "-" else -offset), int((match[8] or "0")[:9].ljust(9, "0")))


def _out_of_range(parts: tuple[int, ...], zone: tuple[int, int]) -> str:
    """The first part that no calendar or clock has; empty if there is none."""
    year, month, day, hour, minute, second = parts
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    checks = (
        ("month", 1 <= month <= 12),
        ("hour", hour <= 23),
        ("minute", minute <= 59),
        ("second", second <= 59),
        ("time zone offset hour", zone[0] <= 24),
        ("time zone offset minute", zone[1] <= 60),
        ("day", 1 <= day <= (28 if month == 2 and not is_leap else _DAYS[month % 13 - 1])),
    )
    return next((name for name, is_fine in checks if not is_fine), "")


def _why_unreadable(text: str, layout: str) -> str:
    """Go's message: which part of the layout the rest of the text does not begin with."""
    elements = list(_LAYOUT)
    if layout == _MICROS_LAYOUT:
        elements[10:11] = [("05", r"\d\d"), (".000000", r"\.\d{6}(?!\d)")]
    rest = text
    for element, pattern in elements:
        match = re.match(pattern, rest, re.ASCII)
        if match is None:
            return f"parsing time {quote(text)} as {quote(layout)}: cannot parse {quote(rest)} as {quote(element)}"
        rest = rest[match.end() :]
    return f"parsing time {quote(text)}: extra text: {quote(rest)}"
