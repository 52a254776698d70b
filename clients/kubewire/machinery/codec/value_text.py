"""JSON text of the messages whose JSON is not an object of their fields: times, quantities, raw JSON and the like.

Every function takes the message's bytes as latin-1 text and gives JSON text in latin-1. Those whose values repeat
from object to object are remembered, within a bound in entries and, for what users choose, in size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from kubewire.machinery.codec.durations import format_duration
from kubewire.machinery.codec.errors import EncodeError
from kubewire.machinery.codec.fields import Form
from kubewire.machinery.codec.json_text import compact, escape
from kubewire.machinery.codec.moments import ZERO_SECONDS, format_micro_time, format_time
from kubewire.machinery.codec.wire import scan
from kubewire.machinery.quantity import QuantityError, canonical

TextOf = Callable[[str], str]
"""From a message's bytes to its JSON text, both as latin-1."""

_LONGEST_REMEMBERED: Final = 128
_LONGEST_REMEMBERED_RAW: Final = 2048
_JSON_BEGINS: Final = frozenset('{["-0123456789tfn \t\r\n')


def quoted(text: str) -> str:
    """A string as JSON."""
    return f'"{escape(text) or text}"'


@lru_cache(4096)
def time_text(message: str) -> str:
    """A `Time`: `"2026-11-23T05:25:55Z"`, or null for the empty message and for Go's zero time."""
    if not message:
        return "null"
    seconds = _int(message, 1)
    return "null" if seconds == ZERO_SECONDS else f'"{format_time(seconds)}"'


@lru_cache(1024)
def micro_time_text(message: str) -> str:
    """A `MicroTime`: `"2026-11-23T05:25:55.000000Z"`, or null as for `Time`."""
    if not message:
        return "null"
    seconds, nanos = _int(message, 1), _int(message, 2)
    return "null" if (seconds, nanos) == (ZERO_SECONDS, 0) else f'"{format_micro_time(seconds, nanos)}"'


def duration_text(message: str) -> str:
    """A `Duration`: `"1h0m0s"`."""
    return quoted(format_duration(_int(message, 1)).encode().decode("latin-1"))


def quantity_text(message: str) -> str:
    """A `Quantity` in canonical form; what is none, which no stock server could store, is shown as it is."""
    return _quantity_text(message) if len(message) <= _LONGEST_REMEMBERED else _quantity_text.__wrapped__(message)


@lru_cache(4096)
def _quantity_text(message: str) -> str:
    text = _text(message, 1)
    try:
        return f'"{canonical(text) if text else "0"}"'
    except QuantityError:
        return quoted(text)


def int_or_string_text(message: str) -> str:
    """An `IntOrString`: `80` or `"http"`."""
    if len(message) <= _LONGEST_REMEMBERED:
        return _int_or_string_text(message)
    return _int_or_string_text.__wrapped__(message)


@lru_cache(1024)
def _int_or_string_text(message: str) -> str:
    return quoted(_text(message, 3)) if _int(message, 1) == 1 else str(_int(message, 2))


def raw_text(message: str) -> str:
    """A `RawExtension`, `FieldsV1` or `JSON`: the text it holds; null if it holds none.

    Raises:
        EncodeError: it holds no JSON (a nested protobuf object, for example).
    """
    return _remembered_raw_text(message) if len(message) <= _LONGEST_REMEMBERED_RAW else _raw_text(message)


def _raw_text(message: str) -> str:
    return _checked_raw(_text(message, 1))


_remembered_raw_text: Final = lru_cache(512)(_raw_text)
"""Objects of one manager and kind have the same managed fields."""


def unknown_text(message: str) -> str:
    """A `runtime.Unknown`: the JSON it holds."""
    return _checked_raw(_text(message, 2))


def _checked_raw(text: str) -> str:
    if not text:
        return "null"
    if text[0] not in _JSON_BEGINS:
        raise EncodeError(f"embedded object is no JSON: it begins with {text[:8].encode('latin-1')!r}")
    return compact(text)


def strings_text(message: str) -> str:
    """An `ExtraValue` or `Verbs`: a list of strings, null if it is empty."""
    items = scan(message.encode("latin-1")).get(1)
    if not items:
        return "null"
    return f"[{','.join(quoted(item.decode('latin-1')) for item in items if isinstance(item, bytes))}]"


def double_text(value: float) -> str:
    """A float as Go writes it: plain between 1e-6 and 1e21, with an exponent outside.

    Raises:
        EncodeError: NaN or infinite, for which JSON has no text.
    """
    if not math.isfinite(value):
        raise EncodeError(f"json: unsupported value: {value}")
    text = repr(value)
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return _without_exponent(text)
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0')}"


def _without_exponent(text: str) -> str:
    """Python writes 1e+16 and 1e-05 where Go writes all digits."""
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return mantissa.removesuffix(".0")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits, point = whole + fraction, len(whole) + int(exponent)
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    return f"{sign}{digits.ljust(point, '0')}"


def _int(message: str, number: int) -> int:
    values = scan(message.encode("latin-1")).get(number, (0,))
    return values[-1] if isinstance(values[-1], int) else 0


def _text(message: str, number: int) -> str:
    values = scan(message.encode("latin-1")).get(number, (b"",))
    return values[-1].decode("latin-1") if isinstance(values[-1], bytes) else ""


_TEXTS: Final[dict[Form, TextOf]] = {
    Form.TIME: time_text,
    Form.MICRO_TIME: micro_time_text,
    Form.DURATION: duration_text,
    Form.QUANTITY: quantity_text,
    Form.INT_OR_STRING: int_or_string_text,
    Form.RAW: raw_text,
    Form.STRINGS: strings_text,
}


def text_function(form: Form, message: str) -> TextOf | None:
    """What writes messages of this form; None for objects, and for schemas, which contain objects."""
    return unknown_text if message.endswith(".Unknown") else _TEXTS.get(form)
