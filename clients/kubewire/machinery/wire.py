"""Protobuf's wire format by hand, for joining messages that are already bytes.

Answers are mostly bytes that are held already; what stands around them is a few numbers, and making it here costs less
than decoding and encoding everything again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_BYTES: Final = 2
"""Wire type of length-delimited fields: messages, strings, bytes."""


def varint(value: int) -> bytes:
    """A non-negative number."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


@lru_cache(maxsize=4096)
def header(number: int, length: int) -> bytes:
    """What stands before the `length` bytes of field `number`. Objects of one kind have few different lengths."""
    return varint(number << 3 | _BYTES) + varint(length)


def field(number: int, data: bytes) -> bytes:
    """A message, a string or bytes as field `number`."""
    return header(number, len(data)) + data


def number_field(number: int, value: int) -> bytes:
    """A non-negative number as field `number`."""
    return varint(number << 3) + varint(value)
