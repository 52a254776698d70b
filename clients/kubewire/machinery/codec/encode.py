"""Messages and their stored bytes as JSON, byte for byte as a stock API server writes it.

Members come in Go's order, `kind` and `apiVersion` first; maps are sorted; an empty value appears exactly where Go's
types make it appear, whether the bytes hold explicit zeros (a stock server's) or leave them out (ours: see `decode`).
Working on bytes instead of messages saves the messages: a list of ten thousand pods makes none.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, cast

import orjson
from google.protobuf.message import DecodeError as ProtobufDecodeError

from kubewire.machinery.codec.errors import MalformedProtobuf
from kubewire.machinery.codec.json_text import escape_html
from kubewire.machinery.codec.value_text import quoted
from kubewire.machinery.codec.wire import IrregularWire
from kubewire.machinery.codec.writers import compiled_writer, write_object
from kubewire.machinery.messages import message_class

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.machinery.gvk import GroupVersionKind
    from kubewire.machinery.json_value import JsonObject


def encode(message: Message, gvk: GroupVersionKind | None = None) -> bytes:
    """The message as compact JSON, without a newline at the end; `kind` and `apiVersion` only if `gvk` is given.

    Raises:
        EncodeError: the message holds what JSON cannot say (an embedded object that is no JSON, an infinite number).
    """
    return encode_raw(message.SerializeToString(), message.DESCRIPTOR.full_name, gvk)


def to_dict(message: Message, gvk: GroupVersionKind | None = None) -> JsonObject:
    """The message as JSON values, by the same rules and errors as `encode`."""
    return cast("JsonObject", orjson.loads(encode(message, gvk)))


def encode_raw(raw: bytes, message: str, gvk: GroupVersionKind | None = None) -> bytes:
    """As `encode`, from a message's bytes and full name; metadata may come in several parts.

    Raises:
        EncodeError: as for `encode`.
        MalformedProtobuf: the bytes are no such message.
    """
    try:
        members = _members(raw, message)
    except (IrregularWire, IndexError):
        members = _members(_regular(raw, message), message)
    begin = _type_members(gvk) if gvk is not None else ""
    return escape_html(f"{{{(begin + members)[1:]}}}").encode("latin-1")


def _members(raw: bytes, message: str) -> str:
    return write_object(compiled_writer(message), raw, raw.decode("latin-1"))


@lru_cache(1024)
def _type_members(gvk: GroupVersionKind) -> str:
    kind, api_version = (text.encode().decode("latin-1") for text in (gvk.kind, gvk.api_version))
    return f',"kind":{quoted(kind)},"apiVersion":{quoted(api_version)}'


def _regular(raw: bytes, message: str) -> bytes:
    """The same message with its fields once each, known ones only, in the order of their numbers."""
    try:
        parsed = message_class(message).FromString(raw)
    except ProtobufDecodeError as error:
        raise MalformedProtobuf(f"no {message}: {error}") from None
    parsed.DiscardUnknownFields()
    return parsed.SerializeToString()
