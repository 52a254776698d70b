"""Query parameters, read by Go's rules: the first value counts, and what is malformed is a 400 in Go's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_plus

from kubewire.machinery import errors
from kubewire.machinery.quoting import quote

Query = Mapping[str, str]
NO_QUERY: Final[Query] = {}
_INT64: Final = 1 << 63


def parse_query(text: str) -> Query:
    """Parameters by name; of repeated ones the first."""
    if not text:
        return NO_QUERY
    found: dict[str, str] = {}
    for part in text.split("&"):
        name, _, value = part.partition("=")
        if name:
            found.setdefault(_unescape(name), _unescape(value))
    return found


def _unescape(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text


def flag(query: Query, name: str) -> bool:
    """A boolean: absent, `false` and `0` are False, anything else (the empty text too) is True."""
    return query.get(name, "0") not in ("0", "false")


def optional_flag(query: Query, name: str) -> bool | None:
    """Like `flag`, None when absent."""
    return flag(query, name) if name in query else None


def optional_integer(query: Query, name: str) -> int | None:
    """A 64-bit integer, None when absent or empty.

    Raises:
        StatusError: 400, when it is not a number or too large.
    """
    text = query.get(name, "")
    if not text:
        return None
    digits = text[1:] if text[0] in "+-" else text
    if not (digits.isascii() and digits.isdigit()):
        raise errors.bad_request(f"strconv.ParseInt: parsing {quote(text)}: invalid syntax")
    value = int(text) if len(text) < 32 else _INT64
    if not -_INT64 <= value < _INT64:
        raise errors.bad_request(f"strconv.ParseInt: parsing {quote(text)}: value out of range")
    return value


def integer(query: Query, name: str) -> int:
    """Like `optional_integer`, 0 when absent."""
    return optional_integer(query, name) or 0
