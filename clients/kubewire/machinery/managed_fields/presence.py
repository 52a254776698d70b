"""Which fields a message has, where that alone decides what its create owns.

So it is for messages without lists and maps beside their metadata, such as Events and Leases, of which each has
content of its own: looking them up by their content would never find anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from google.protobuf.message import Message

Presence: TypeAlias = tuple[int, ...]
"""Numbers of the fields, negative where an empty value is there; a message's fields follow it and end with `_END`."""

_END: Final = 0
_METADATA: Final = "metadata"


def presence_of(message: Message) -> Presence | None:
    """The presence of an object's fields but for its metadata; None where lists, maps or raw parts matter too."""
    out: list[int] = []
    return tuple(out) if _add(message, out, _METADATA) else None


def _add(message: Message, out: list[int], skipped: str) -> bool:
    for field, value in message.ListFields():
        if field.name == skipped:
            continue
        if field.is_repeated or field.type == field.TYPE_BYTES:
            return False
        if field.message_type is None:
            out.append(field.number if value else -field.number)
            continue
        out.append(field.number)
        if not _add(value, out, ""):
            return False
        out.append(_END)
    return True
