r"""Kubernetes' protobuf envelope: `k8s\0`, then a `runtime.Unknown` that names the kind and holds the message.

Written by hand from bytes that are already encoded, since wrapping must cost less than encoding: cached objects go
out as prefix, length, the stored bytes, suffix.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from kubewire.machinery.wire import field, varint

MAGIC: Final = b"k8s\x00"
_SUFFIX: Final = b"\x1a\x00\x22\x00"
"""Empty contentEncoding and contentType, which upstream writes although they are empty."""


@lru_cache(maxsize=1024)
def _prefix(api_version: str, kind: str) -> bytes:
    """Everything before the length of the message: magic, typeMeta, and the tag of `raw`."""
    type_meta = field(1, api_version.encode()) + field(2, kind.encode())
    return MAGIC + field(1, type_meta) + b"\x12"


def wrap(api_version: str, kind: str, raw: bytes) -> bytes:
    """One message in its envelope."""
    return b"".join((_prefix(api_version, kind), varint(len(raw)), raw, _SUFFIX))


def opening(api_version: str, kind: str, length: int) -> bytes:
    """What comes before a message of `length` bytes that is sent in pieces; `CLOSING` comes after it."""
    return _prefix(api_version, kind) + varint(length)


CLOSING: Final = _SUFFIX
