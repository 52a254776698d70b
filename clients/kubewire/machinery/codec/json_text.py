"""Strings as JSON text, with Go's escapes.

Text is handled as latin-1: one character per byte of UTF-8. Most strings need no escape, so testing is what must be
fast; `is_plain` tests many at once. `<`, `>` and `&` are escaped in the finished text: JSON has none outside strings.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import orjson

_STRAY_BYTE: Final = re.compile("[\udc80-\udcff]")
_WHITESPACE: Final = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')


def is_plain(texts: Sequence[str]) -> bool:
    """Whether none of these needs an escape; texts in other scripts count as needing one."""
    joined = " ".join(texts)
    return joined.isascii() and joined.isprintable() and '"' not in joined and "\\" not in joined


def escape(text: str) -> str | None:
    """The text as it stands between quotes; None if that is the text itself."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return None
    return orjson.dumps(_as_unicode(text.encode("latin-1")))[1:-1].decode("latin-1")


def _as_unicode(data: bytes) -> str:
    """UTF-8, with U+FFFD for every byte that is none, as Go reads it."""
    return _STRAY_BYTE.sub("\ufffd", data.decode("utf-8", "surrogateescape"))


def escape_html(text: str) -> str:
    """A finished JSON text with the characters escaped that Go does not want to see in HTML."""
    if "<" in text:
        text = text.replace("<", "\\u003c")
    if ">" in text:
        text = text.replace(">", "\\u003e")
    if "&" in text:
        text = text.replace("&", "\\u0026")
    if not text.isascii() and "\xe2\x80" in text:
        text = text.replace("\xe2\x80\xa8", "\\u2028").replace("\xe2\x80\xa9", "\\u2029")
    return text


def compact(text: str) -> str:
    """JSON text without the whitespace between its parts; numbers and escapes stay as they were written."""
    if " " in text or "\n" in text or "\t" in text or "\r" in text:
        return _WHITESPACE.sub(r"\1", text)
    return text
