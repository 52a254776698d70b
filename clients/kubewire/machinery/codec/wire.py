"""Reading protobuf's wire format by hand, for what must not cost a message object (`machinery.wire` writes it).

Bytes come as two views of the same buffer: `data`, whose items are numbers, and `text`, the same bytes as a latin-1
string, whose slices go into JSON text without a copy per character set.
"""

from __future__ import annotations

from typing import Final

VARINT: Final = 0
FIXED64: Final = 1
LENGTH: Final = 2
FIXED32: Final = 5

_MASK: Final = 2**64 - 1
_SIGN: Final = 2**63


class IrregularWire(Exception):
    """Bytes that are not as servers write them: fields out of order, repeated, unknown, packed, or cut short.

    No failure by itself: whoever meets it takes the general way, which is protobuf's own parser.
    """


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where the next field begins.

    Raises:
        IrregularWire: the number does not end within ten bytes.
        IndexError: it does not end within `data`.
    """
    value = data[at]
    if value < 0x80:
        return value, at + 1
    value &= 0x7F
    for shift in range(7, 70, 7):
        at += 1
        byte = data[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _MASK, at + 1
    raise IrregularWire


def read_length(data: bytes, at: int, first: int) -> tuple[int, int]:
    """A length whose first byte (`first`, before `at`) is not its last; never more than `data` holds."""
    second = data[at]
    if second < 0x80:
        return first & 0x7F | second << 7, at + 1
    length, at = read_varint(data, at - 1)
    if length > len(data):
        raise IrregularWire
    return length, at


def read_int(data: bytes, at: int, first: int) -> tuple[int, int]:  # noqa: ARG001 - called as read_length is
    """A signed number whose first byte (before `at`) is not its last."""
    value, at = read_varint(data, at - 1)
    return (value - 2**64 if value >= _SIGN else value), at


def read_entry(data: bytes, at: int, end: int) -> tuple[int, int, int, int]:
    """Where key and value of a map entry begin and end, the value being a string, bytes or a message.

    Raises:
        IrregularWire: anything but a key and a value in this order, either of which may be missing.
    """
    key = key_end = value = at
    if at < end and data[at] == 0x0A:
        length, key = read_varint(data, at + 1)
        key_end = at = value = key + length
    if at < end and data[at] == 0x12:
        length, value = read_varint(data, at + 1)
        at = value + length
    if at != end:
        raise IrregularWire
    return key, key_end, value, end


def scan(data: bytes) -> dict[int, list[int | bytes]]:
    """Every field of a small message by number; for messages that are no JSON objects.

    Raises:
        IrregularWire: the bytes end inside a field, or hold a group.
    """
    found: dict[int, list[int | bytes]] = {}
    at = 0
    while at < len(data):
        try:
            tag, at = read_varint(data, at)
            value, at = _read_value(data, at, tag & 7)
        except IndexError:
            raise IrregularWire from None
        found.setdefault(tag >> 3, []).append(value)
    return found


def _read_value(data: bytes, at: int, wire_type: int) -> tuple[int | bytes, int]:
    if wire_type == VARINT:
        value, at = read_varint(data, at)
        return (value - 2**64 if value >= _SIGN else value), at
    if wire_type == LENGTH:
        length, at = read_varint(data, at)
    elif wire_type in {FIXED32, FIXED64}:
        length = 4 if wire_type == FIXED32 else 8
    else:
        raise IrregularWire
    if at + length > len(data):
        raise IrregularWire
    return data[at : at + length], at + length
