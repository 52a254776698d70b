"""JSON text to JSON values, with Go's opinion of what JSON is and Go's words for what is not.

orjson reads what clients send. What it refuses is read once more by the standard library: Go accepts a few things that
orjson does not (bytes that are no UTF-8, lone surrogates: both become U+FFFD), and knows the reason for the rest.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Final, NoReturn, Self, cast

import orjson

from kubewire.machinery.codec.errors import MalformedJson
from kubewire.machinery.codec.json_syntax import invalid, reason
from kubewire.machinery.json_value import JsonObject, JsonValue

_SURROGATES: Final = re.compile("[\ud800-\udfff]")


class _Constant(Exception):
    """NaN or Infinity, which Python reads and JSON does not know."""


class NumberText(float):
    """A number with a fraction or an exponent, and the text it was read from."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Read the number; the standard library passes its text."""
        number = super().__new__(cls, text)
        number.text = text
        return number


class LongNumber(int):
    """An integer that does not fit into 64 bits."""


class RepeatedKeys(dict[str, JsonValue]):
    """A JSON object in whose text some keys stood more than once; the last value counts."""

    repeated: tuple[str, ...] = ()


def parse(data: bytes) -> JsonValue:
    """The value of a JSON text.

    Raises:
        MalformedJson: with the words of Go's encoding/json.
    """
    try:
        return cast("JsonValue", orjson.loads(data))
    except orjson.JSONDecodeError:
        return parse_carefully(data)


def parse_carefully(data: bytes) -> JsonValue:
    """As `parse`, keeping what it drops: texts of numbers (`NumberText`) and repeated keys (`RepeatedKeys`).

    Raises:
        MalformedJson: as for `parse`.
    """
    text = data.decode("utf-8", "surrogateescape")
    try:
        value: JsonValue = _CAREFUL.decode(text)
        return value if text.isascii() and "\\u" not in text else _readable(value)
    except json.JSONDecodeError as error:
        raise MalformedJson(reason(text, error)) from None
    except _Constant as error:
        name = str(error)
        where = "in numeric literal" if name[0] == "-" else "looking for beginning of value"
        raise MalformedJson(invalid(name.removeprefix("-"), 0, where)) from None
    except RecursionError:
        raise MalformedJson("exceeded max depth") from None
    except ValueError:  # Python's limit on the digits of a number
        raise MalformedJson("number is too long") from None


def has_repeated_keys(data: bytes, value: JsonValue) -> bool:
    """Whether some object in the text gives a key twice, or the text is too unusual to tell.

    Every key has a colon behind it. Keys that were given twice are gone from `value`, so its own text has fewer
    colons; escaped colons would spoil the count.
    """
    return b"\\u003" in data or data.count(b":") != dump(value).count(b":")


def dump(value: JsonValue) -> bytes:
    """Values as compact JSON, numbers as they were written.

    Raises:
        MalformedJson: they are nested deeper than about 250 levels.
    """
    try:
        return orjson.dumps(value, default=_number, option=orjson.OPT_PASSTHROUGH_SUBCLASS)
    except orjson.JSONEncodeError:
        raise MalformedJson("exceeded max depth") from None


def json_type(value: JsonValue) -> str:
    """As Go's messages name the type of a value that is not null."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object" if isinstance(value, dict) else "number"


def _number(value: object) -> object:
    if isinstance(value, NumberText):
        return orjson.Fragment(value.text)
    if isinstance(value, LongNumber):
        return orjson.Fragment(str(value))
    if isinstance(value, RepeatedKeys):
        return dict(value)
    raise TypeError(f"no JSON value: {type(value).__name__}")


def _integer(text: str) -> int:
    number = int(text)
    return number if -(2**63) <= number < 2**64 else LongNumber(number)


def _refuse_constant(name: str) -> NoReturn:
    raise _Constant(name)


def _object(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    counts = Counter(key for key, _ in pairs)
    repeated = RepeatedKeys(found)
    repeated.repeated = tuple(key for key, count in counts.items() if count > 1)
    return repeated


def _readable(value: JsonValue) -> JsonValue:
    """The same with U+FFFD for every lone surrogate."""
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_readable(item) for item in value]
    if isinstance(value, dict):
        for key in list(value):
            value[str(_readable(key))] = _readable(value.pop(key))
    return value


_CAREFUL: Final = json.JSONDecoder(
    parse_float=NumberText, parse_int=_integer, parse_constant=_refuse_constant, object_pairs_hook=_object
)
