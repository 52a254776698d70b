"""Spans of time as Go writes them: `1h0m0s`, `1.5s`, `100ms`; as a number, nanoseconds in 64 bits."""

from __future__ import annotations

import re
from typing import Final

from kubewire.machinery.codec.errors import WrongValue
from kubewire.machinery.quoting import quote

_UNITS: Final = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_LONGEST_PART: Final = 64
"""A few characters must not ask for an endless number."""
_PART: Final = re.compile(r"(\d*)(?:\.(\d*))?([^\d.]*)", re.ASCII)


def format_duration(nanos: int) -> str:
    """As Go prints a duration: `1h0m0s`, `1.5s`, `100ms`, `0s`."""
    sign, amount = ("-", -nanos) if nanos < 0 else ("", nanos)
    if amount == 0:
        return "0s"
    for unit in ("ns", "µs", "ms"):
        if amount < _UNITS[unit] * 1000:
            return f"{sign}{_decimal(amount, _UNITS[unit])}{unit}"
    minutes, rest = divmod(amount, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, _UNITS['s'])}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else sign + text


def _decimal(amount: int, unit: int) -> str:
    whole, rest = divmod(amount, unit)
    digits = f"{rest:0{len(str(unit)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)


def parse_duration(text: str) -> int:
    """Nanoseconds of a text such as `1h30m` or `-1.5s`.

    Raises:
        WrongValue: with the words of Go's time package.
    """
    body = text[1:] if text[:1] in {"+", "-"} else text
    if body == "0":
        return 0
    total = sum(_parts(body, text))
    signed = -total if text[:1] == "-" else total
    if not body or not -(2**63) <= signed < 2**63:
        raise _invalid(text)
    return signed


def _parts(body: str, text: str) -> list[int]:
    parts = []
    position = 0
    while position < len(body):
        match = _PART.match(body, position)
        if match is None or not (match[1] or match[2]) or len(match[0]) > _LONGEST_PART:
            raise _invalid(text)
        whole, fraction, unit = match.groups(default="")
        if unit not in _UNITS:
            what = f"unknown unit {quote(unit)} in" if unit else "missing unit in"
            raise WrongValue(f"time: {what} duration {quote(text)}")
        parts.append(int(whole or 0) * _UNITS[unit] + int(fraction or 0) * _UNITS[unit] // 10 ** len(fraction))
        position = match.end()
    return parts


def _invalid(text: str) -> WrongValue:
    return WrongValue(f"time: invalid duration {quote(text)}")
