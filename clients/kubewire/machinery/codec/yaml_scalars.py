"""Which plain YAML text is which value: the rules of kubectl's parser, which is YAML 1.1 with exceptions.

`yes`, `on` and `y` are booleans and `0777` is octal, as in YAML 1.1; timestamps and numbers in base 60 (`12:30:00`) are
strings, as users expect.
"""

from __future__ import annotations

import math
import re
from typing import Final

from kubewire.machinery.json_value import JsonValue

_WORDS: Final[dict[str, JsonValue]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_NUMBER_BEGINS: Final = frozenset("+-.0123456789")
_INTEGER: Final = re.compile(
    r"([-+]?)(?:0[bB]([01]+)|0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))", re.ASCII
).fullmatch
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII).fullmatch
_BASE_60: Final = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?", re.ASCII).fullmatch
_TIMESTAMP: Final = re.compile(
    r"\d{4}-\d\d?-\d\d?(?:(?:[Tt]\d\d?:\d\d?:\d\d?(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))|(?: \d\d?:\d\d?:\d\d?(?:\.\d+)?))?",
    re.ASCII,
).fullmatch
_LONGEST_NUMBER: Final = 1000
_WHOLE_BELOW: Final = 1e21
"""Go prints floats below this without an exponent, so that whole ones are integers in JSON."""


def resolve(text: str) -> JsonValue:
    """The value of a plain scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_BEGINS or len(text) > _LONGEST_NUMBER:
        return text
    number = _number(text)
    return text if number is None else number


def needs_quotes(text: str) -> bool:
    """Whether a string would be read as something else if it were written plain."""
    if text in _WORDS or text == "<<":
        return True
    if text[0] not in _NUMBER_BEGINS:
        return False
    return _number(text[:_LONGEST_NUMBER]) is not None or bool(_BASE_60(text) or _TIMESTAMP(text))


def _number(text: str) -> int | float | None:
    plain = text.replace("_", "")
    integer = _INTEGER(plain)
    if integer:
        sign, binary, hexadecimal, octal, decimal = integer.groups()
        number = int(
            binary or hexadecimal or octal or decimal, 2 if binary else 16 if hexadecimal else 8 if octal else 10
        )
        return -number if sign == "-" else number
    return _whole(float(plain)) if _FLOAT(plain) else None


def _whole(number: float) -> int | float:
    """A float as it comes out of a trip through JSON."""
    return int(number) if abs(number) < _WHOLE_BELOW and number.is_integer() else number
