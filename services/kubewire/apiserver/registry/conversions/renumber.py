"""Two versions of a kind whose fields differ in number only: rewrite the tags, leave every value as it is."""

from __future__ import annotations

from collections.abc import Mapping

_VARINT, _BYTES = 0, 2


class MalformedMessage(ValueError):
    """The bytes are no protobuf message of the kind: they were not written by a server like this one."""


def renumber(raw: bytes, numbers: Mapping[int, int]) -> bytes:
    """The message with its fields renamed by number. Fields without a new number are dropped.

    Both sides must have numbers below 16 only, whose tags are one byte.
    """
    out: list[bytes] = []
    at, end = 0, len(raw)
    while at < end:
        tag = raw[at]
        stop = _end_of_value(raw, at + 1, tag & 7)
        number = numbers.get(tag >> 3)
        if number is not None:
            out += (bytes((number << 3 | tag & 7,)), raw[at + 1 : stop])
        at = stop
    return b"".join(out)


def _end_of_value(raw: bytes, at: int, wire_type: int) -> int:
    if wire_type == _VARINT:
        return _varint(raw, at)[1]
    if wire_type == _BYTES:
        length, at = _varint(raw, at)
        if at + length <= len(raw):
            return at + length
    raise MalformedMessage(f"no field of this kind can stand at byte {at}")


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends."""
    value = shift = 0
    while at < len(raw):
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
    raise MalformedMessage("the message ends inside a number")
