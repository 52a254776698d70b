r"""Quoting of strings in error messages, as Kubernetes' users and scripts know it.

API error messages quote names and bad values with Go's `%q`; clients match on those messages, so the
escapes have to agree: short escapes where they exist, `\x` below 0x80, `\u`/`\U` above it.
"""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[ !#-\[\]-~]*\Z").match
_SHORT = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def quote(text: str) -> str:
    """`text` in double quotes with Go's escapes."""
    if _PLAIN(text):
        return f'"{text}"'
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(char: str) -> str:
    short = _SHORT.get(char)
    if short is not None:
        return short
    point = ord(char)
    if char == " " or (char.isprintable() and not 0xD800 <= point <= 0xDFFF):
        return char
    if point < 0x80:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
