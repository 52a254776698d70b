"""Whether two states mean the same, which decides if the generation counts a write.

Objects are compared in stored form (see `machinery.codec.decode`): there is one for everything that means the same.
"""

from __future__ import annotations

from google.protobuf.message import Message


def is_field_equal(new: Message, old: Message, name: str) -> bool:
    """Whether a top-level field holds the same in both objects."""
    return bool(getattr(new, name) == getattr(old, name))


def is_equal(new: Message, old: Message) -> bool:
    """Whether two parts of objects hold the same."""
    return new == old
