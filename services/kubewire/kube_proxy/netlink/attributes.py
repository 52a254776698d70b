"""Attributes of netlink messages: length, type, value, padded to four bytes; nested ones hold others. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

NESTED: Final = 0x8000
_TYPE: Final = 0x3FFF
_HEADER: Final = struct.Struct("=HH")
_BE16: Final = struct.Struct(">H")
_BE32: Final = struct.Struct(">I")
_BE64: Final = struct.Struct(">Q")
_PADDING: Final = (b"", b"\0\0\0", b"\0\0", b"\0")

LARGEST: Final = 0xFFFF
"""Bytes of one attribute, its header included."""


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute."""
    size = len(value)
    return _HEADER.pack(size + 4, kind) + value + _PADDING[size & 3]


def nested(kind: int, *parts: bytes) -> bytes:
    """An attribute that holds others."""
    return attribute(kind | NESTED, b"".join(parts))


def text(kind: int, value: str) -> bytes:
    """A text, ended by a zero as the kernel wants it."""
    return attribute(kind, value.encode() + b"\0")


def be16(kind: int, value: int) -> bytes:
    """Two bytes in network order."""
    return attribute(kind, _BE16.pack(value))


def be32(kind: int, value: int) -> bytes:
    """Four bytes in network order; negative numbers in two's complement."""
    return attribute(kind, _BE32.pack(value & 0xFFFFFFFF))


def be64(kind: int, value: int) -> bytes:
    """Eight bytes in network order."""
    return attribute(kind, _BE64.pack(value))


def iterate(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and value of each attribute, in order."""
    position, end = 0, len(data)
    unpack = _HEADER.unpack_from
    while position + 4 <= end:
        size, kind = unpack(data, position)
        if size < 4:
            return
        yield kind & _TYPE, data[position + 4 : position + size]
        position += (size + 3) & ~3


def parse(data: bytes) -> dict[int, bytes]:
    """Values by type; the last one counts where a type is repeated."""
    # As `iterate`, written out: reading a large table spends most of its time here.
    found: dict[int, bytes] = {}
    position, end = 0, len(data)
    unpack = _HEADER.unpack_from
    while position + 4 <= end:
        size, kind = unpack(data, position)
        if size < 4:
            break
        found[kind & _TYPE] = data[position + 4 : position + size]
        position += (size + 3) & ~3
    return found


def text_of(value: bytes) -> str:
    """A text without its closing zero."""
    return value.rstrip(b"\0").decode(errors="replace")


def be16_of(value: bytes) -> int:
    """A number of two bytes."""
    number: int = _BE16.unpack(value)[0]
    return number


def be32_of(value: bytes) -> int:
    """A number of four bytes."""
    number: int = _BE32.unpack(value)[0]
    return number


def signed_be32_of(value: bytes) -> int:
    """A number of four bytes that may be negative."""
    return int.from_bytes(value, "big", signed=True)
