"""Why a text is no JSON, in the words of Go's encoding/json, which clients show to people.

The standard library has found the place; Go names the first character that cannot stand there and what it is in.
"""

from __future__ import annotations

import re
from json import JSONDecodeError
from typing import Final

from kubewire.machinery.quoting import quote

END: Final = "unexpected end of JSON input"

_TOKENS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_LITERALS: Final = {"t": "true", "f": "false", "n": "null"}
_SPACE: Final = " \t\r\n"
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_DIGITS: Final = frozenset("0123456789")


def reason(text: str, error: JSONDecodeError) -> str:
    """Go's message for what the standard library found."""
    found, at = error.msg, error.pos
    if found.startswith("Unterminated string"):
        return END
    if found.startswith("Invalid"):
        return _in_string(text, found, at)
    if found.startswith("Illegal trailing comma"):
        at, found = at + 1, "Expecting property name" if "object" in found else "Expecting value"
    while at < len(text) and text[at] in _SPACE:
        at += 1
    if found.startswith("Expecting property name"):
        return invalid(text, at, "looking for beginning of object key string")
    if found.startswith("Expecting ':'"):
        return invalid(text, at, "after object key")
    if found.startswith("Expecting value"):
        return _no_value(text, at)
    return _after_value(text, at, "after top-level value" if found.startswith("Extra") else _after_element(text, at))


def invalid(text: str, at: int, where: str) -> str:
    """`invalid character 'x' looking for ...`, or that the text ends too early."""
    if at >= len(text):
        return END
    char = text[at].encode("utf-8", "surrogateescape")[:1].decode("latin-1")  # Go looks at bytes
    shown = {"'": r"'\''", '"': "'\"'"}.get(char) or f"'{quote(char)[1:-1]}'"
    return f"invalid character {shown} {where}"


def _in_string(text: str, found: str, at: int) -> str:
    if found.startswith("Invalid control character"):
        return invalid(text, at, "in string literal")
    at = text.index("\\", max(0, at - 6)) if "\\" in text[max(0, at - 6) :] else at
    if text[at + 1 : at + 2] != "u":
        return invalid(text, at + 1, "in string escape code")
    at += 2
    while at < len(text) and text[at] in _HEX:
        at += 1
    return invalid(text, at, r"in \u hexadecimal character escape")


def _no_value(text: str, at: int) -> str:
    begin = text[at : at + 1]
    if begin == "-":
        return invalid(text, at + 1, "in numeric literal")
    literal = _LITERALS.get(begin)
    if literal is None:
        return invalid(text, at, "looking for beginning of value")
    same = 0
    while text[at + same : at + same + 1] == literal[same]:
        same += 1
    return invalid(
        text, at + same, f"in literal {literal} (expecting {quote(literal[same]).replace(chr(34), chr(39))})"
    )


def _after_value(text: str, at: int, where: str) -> str:
    """What follows a value; a number that stops too early is found here, too."""
    char = text[at : at + 1]
    if at == 0 or char not in {".", "e", "E"} or text[at - 1] not in _DIGITS:
        return invalid(text, at, where)
    if char == ".":
        return invalid(text, at + 1, "after decimal point in numeric literal")
    at += 2 if text[at + 1 : at + 2] in {"+", "-"} else 1
    return invalid(text, at, "in exponent of numeric literal")


def _after_element(text: str, at: int) -> str:
    """Whether the place is in an object or in an array."""
    depth: list[str] = []
    for match in _TOKENS.finditer(text, 0, at):
        token = match[0]
        if token in {"[", "{"}:
            depth.append(token)
        elif token in {"]", "}"} and depth:
            depth.pop()
    return "after array element" if depth[-1:] == ["["] else "after object key:value pair"
