"""Base64 as Go's standard encoding reads it: newlines are skipped, padding is required, nothing may follow it."""

from __future__ import annotations

import binascii
import re
from contextlib import suppress
from typing import Final

from kubewire.machinery.codec.errors import WrongValue

_LEADING: Final = re.compile(r"[A-Za-z0-9+/\r\n]*")
_NEWLINES: Final = re.compile(r"[\r\n]*")


def decode_base64(text: str) -> bytes:
    """The bytes a text stands for.

    Raises:
        WrongValue: with Go's words, which name the first wrong byte.
    """
    # Strict as it is called, the library lets too much padding pass.
    if len(text) % 4 == 0 and not text.endswith("==="):
        with suppress(ValueError):  # also for text that is not ASCII
            return binascii.a2b_base64(text, strict_mode=True)
    _refuse_corrupt(text)
    return binascii.a2b_base64(text.replace("\r", "").replace("\n", ""))


def _refuse_corrupt(text: str) -> None:
    """Find the byte at which Go's decoder would stop."""
    data = text.encode("utf-8", "replace").decode("latin-1")
    match = _LEADING.match(data)
    end = match.end() if match else 0
    digits = end - data.count("\n", 0, end) - data.count("\r", 0, end)
    rest = digits % 4
    if end == len(data):
        wrong = -1 if rest == 0 else end - rest
    elif data[end] != "=" or rest < 2:
        wrong = end
    else:
        wrong = _corrupt_padding(data, end, rest)
    if wrong >= 0:
        raise WrongValue(f"illegal base64 data at input byte {wrong}")


def _corrupt_padding(data: str, first: int, digits: int) -> int:
    """Where the padding that begins at `first` is wrong; -1 if it is right."""
    at = first + 1
    if digits == 2:
        at = _skip_newlines(data, at)
        if at == len(data) or data[at] != "=":
            return at
        at += 1
    at = _skip_newlines(data, at)
    return at if at < len(data) else -1


def _skip_newlines(data: str, at: int) -> int:
    match = _NEWLINES.match(data, at)
    return match.end() if match else at
