"""Cutting an object's bytes down to its metadata."""

from __future__ import annotations

from kubewire.machinery.wire import header
from kubewire.rpc.v1.raw_pb2 import RawParts


def metadata_only(raw: bytes) -> bytes:
    """A message with nothing but field 1, an object's metadata: any object's bytes read as PartialObjectMetadata.

    The field may stand there several times (a resourceVersion is appended when an object is read from the store);
    protobuf merges them, so all are kept.
    """
    parts = RawParts.FromString(raw).metadata
    return b"".join([piece for part in parts for piece in (header(1, len(part)), part)])
