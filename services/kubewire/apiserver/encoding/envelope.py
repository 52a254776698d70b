"""Kubernetes' protobuf envelope around messages that are sent as a whole or in pieces (lists)."""

from __future__ import annotations

from typing import Final

from kubewire.machinery.codec import envelope
from kubewire.machinery.wire import varint

MAGIC: Final = envelope.MAGIC
CLOSING: Final = envelope.SUFFIX
"""What comes after a message that is sent in pieces."""


def wrap(api_version: str, kind: str, raw: bytes) -> bytes:
    """One message in its envelope."""
    return envelope.wrap(raw, api_version, kind)


def opening(api_version: str, kind: str, length: int) -> bytes:
    """What comes before a message of `length` bytes that is sent in pieces."""
    return envelope.prefix(api_version, kind) + varint(length)
