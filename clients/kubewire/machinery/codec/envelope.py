r"""Kubernetes' protobuf envelope: `k8s\0`, then a `runtime.Unknown` that names version and kind and holds the object.

Everything stored in etcd and everything sent as `application/vnd.kubernetes.protobuf` has it. It is put together and
taken apart as bytes: what stands before an object is the same for all objects of its kind.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from google.protobuf.message import DecodeError as ProtobufDecodeError

from kubewire.machinery.codec.errors import MalformedProtobuf
from kubewire.machinery.messages import message_class
from kubewire.machinery.wire import field, varint

if TYPE_CHECKING:
    from kubewire.api.runtime.runtime_pb2 import Unknown

MAGIC: Final = b"k8s\x00"
SUFFIX: Final = b"\x1a\x00\x22\x00"
"""Empty contentEncoding and contentType, which stock servers write although they are empty."""

_TYPE_META_AT: Final = 6
"""Where the names of version and kind begin: behind the magic number, a tag and a length."""


class Unwrapped(NamedTuple):
    """What an envelope holds."""

    api_version: str
    kind: str
    raw: bytes


@lru_cache(1024)
def prefix(api_version: str, kind: str) -> bytes:
    """Everything in front of the length of an object of this kind."""
    type_meta = field(1, api_version.encode()) + field(2, kind.encode())
    return MAGIC + field(1, type_meta) + b"\x12"


def wrap(raw: bytes, api_version: str, kind: str) -> bytes:
    """An object's bytes in their envelope, byte for byte as a stock server writes it."""
    return b"".join((prefix(api_version, kind), varint(len(raw)), raw, SUFFIX))


def unwrap(data: bytes) -> Unwrapped:
    """Version, kind and bytes of an object from its envelope.

    Raises:
        MalformedProtobuf: the bytes do not begin with the magic number, end too early, or hold encoded content.
    """
    if data[:4] != MAGIC:
        raise MalformedProtobuf("provided data does not appear to be a protobuf message, expected prefix 6b 38 73 00")
    try:
        return _unwrap_usual(data)
    except (IndexError, KeyError, UnicodeDecodeError):
        return _unwrap_any(data)


def _unwrap_usual(data: bytes) -> Unwrapped:
    """As servers and clients write envelopes; whatever looks different raises IndexError or KeyError."""
    if data[4] != 0x0A or data[5] > 127:
        raise KeyError
    at = _TYPE_META_AT + data[5]
    api_version, kind = _type_meta(data[_TYPE_META_AT:at])
    if data[at] != 0x12:
        raise KeyError
    length, at = _length(data, at + 1)
    end = at + length
    if len(data) != end and data[end:] != SUFFIX:
        raise KeyError
    return Unwrapped(api_version, kind, data[at:end])


@lru_cache(1024)
def _type_meta(data: bytes) -> tuple[str, str]:
    """Version and kind, which must stand in this order and be all there is."""
    if data[0] != 0x0A:
        raise KeyError
    begin = 2 + data[1]
    if data[begin] != 0x12 or begin + 2 + data[begin + 1] != len(data):
        raise KeyError
    return data[2:begin].decode(), data[begin + 2 :].decode()


def _length(data: bytes, at: int) -> tuple[int, int]:
    length = shift = 0
    while True:
        byte = data[at]
        at += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            return length, at
        shift += 7
        if shift > 28:
            raise KeyError


def _unwrap_any(data: bytes) -> Unwrapped:
    try:
        unknown = cast("Unknown", message_class("k8s.io.apimachinery.pkg.runtime.Unknown").FromString(data[4:]))
        if unknown.contentEncoding:
            raise MalformedProtobuf(f"unknown content encoding {unknown.contentEncoding!r}")
        return Unwrapped(_text(unknown.typeMeta.apiVersion), _text(unknown.typeMeta.kind), unknown.raw)
    except ProtobufDecodeError as error:
        raise MalformedProtobuf(f"no runtime.Unknown behind the prefix: {error}") from None


def _text(value: str | bytes) -> str:
    if isinstance(value, bytes):
        raise MalformedProtobuf("version or kind is no UTF-8")
    return value
