"""Bringing messages that came as protobuf into the stored form, which `decode` describes.

Any client may send any bytes that parse: explicit zeros, unknown fields, quantities that are none, text that is no
UTF-8. What a stock server could not read, or would show as something else, is refused here; the rest becomes the one
form that means the same. A message that is in stored form already is left untouched.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, TypeVar, cast

import orjson
from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message import Message

from kubewire.machinery.codec.document import dump, parse_carefully
from kubewire.machinery.codec.errors import MalformedJson, MalformedProtobuf
from kubewire.machinery.codec.fields import NULL_WHEN_EMPTY, Form, JsonField, Shape, fields_of
from kubewire.machinery.codec.json_text import compact
from kubewire.machinery.codec.moments import ZERO_SECONDS
from kubewire.machinery.messages import message_class
from kubewire.machinery.quantity import QuantityError, canonical

if TYPE_CHECKING:
    from kubewire.api.intstr.intstr_pb2 import IntOrString
    from kubewire.api.meta.v1.time_pb2 import Duration, MicroTime, Time, Verbs
    from kubewire.api.resource.quantity_pb2 import Quantity

MessageT = TypeVar("MessageT", bound=Message)

Restore = Callable[[Message], None]
"""Brings a message into stored form; may leave it empty."""

RestoreField = Callable[[Message, object], None]
"""Brings one field of a message into stored form, given the value it has."""

_FIRST_SECONDS: Final = -62167219200
"""The beginning of year 0."""
_LAST_SECONDS: Final = 253402300799
"""The end of year 9999: later times have no text that could be read again."""
_LONGEST_REMEMBERED: Final = 2048
_NO_UTF8: Final = "string is no UTF-8"


class _Refused(Exception):
    """A value that cannot be stored; the place grows on the way up."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place

    def within(self, place: str) -> _Refused:
        """The same error, seen from one level above."""
        self.place = place + self.place
        return self


def decode_raw(raw: bytes, message_type: type[MessageT]) -> MessageT:
    """A message in stored form from a client's protobuf bytes (the object alone, without an envelope).

    Raises:
        MalformedProtobuf: the bytes are no such message, or hold a value that no stock server could read.
    """
    try:
        message = message_type.FromString(raw)
    except ProtobufDecodeError as error:
        raise MalformedProtobuf(str(error)) from None
    restore(message)
    return message


def restore(message: Message) -> None:
    """Bring a message that was parsed from protobuf into stored form, in place.

    Raises:
        MalformedProtobuf: a value that no stock server could read; the text begins with the path of its field.
    """
    message.DiscardUnknownFields()
    try:
        _restorer(message.DESCRIPTOR.full_name)(message)
    except _Refused as refused:
        raise MalformedProtobuf(f"{refused.place.removeprefix('.')}: {refused.reason}") from None


@cache
def _restorer(message: str) -> Restore:
    by_name = {field.name: _restore_field(field) for field in fields_of(message)}
    restores = {field: by_name[field.name] for field in message_class(message).DESCRIPTOR.fields}

    def restore_fields(target: Message) -> None:
        for field, value in target.ListFields():
            restore_field = restores[field]
            if restore_field is not None:
                try:
                    restore_field(target, value)
                except _Refused as refused:
                    raise refused.within(f".{field.name}") from None

    return restore_fields


def _restore_field(field: JsonField) -> RestoreField | None:
    """None where every value is as it should be."""
    if field.shape is Shape.LIST:
        return _list(field)
    if field.shape is Shape.MAP:
        return _map(field)
    if field.message:
        return _message(field)
    if field.form is Form.STRING:
        return _string(field)
    if field.form is Form.DOUBLE:
        return cast("RestoreField", _double)
    return _zero(field.name) if field.is_value else None


# ------------------------------------------------------------------------------------------ fields


def _string(field: JsonField) -> RestoreField:
    name, is_value = field.name, field.is_value

    def restore_string(target: Message, value: object) -> None:
        if type(value) is not str:  # bytes that could not be decoded
            raise _Refused(_NO_UTF8)
        if not value and is_value:
            target.ClearField(name)

    return restore_string


def _double(_: Message, value: float) -> None:
    if not math.isfinite(value):
        raise _Refused("number is not finite")


def _zero(name: str) -> RestoreField:
    def restore_zero(target: Message, value: object) -> None:
        if not value:
            target.ClearField(name)

    return restore_zero


def _message(field: JsonField) -> RestoreField:
    name, restore_value = field.name, _restore_of(field)

    def restore_pointer(_: Message, value: Message) -> None:
        restore_value(value)

    def restore_or_clear(target: Message, value: Message) -> None:
        restore_value(value)
        if not value.ByteSize():
            target.ClearField(name)

    def restore_quantity(target: Message, value: Quantity) -> None:
        restore_value(value)
        if value.string == "0":  # held by value, none at all is zero
            target.ClearField(name)

    if field.is_pointer and field.form not in NULL_WHEN_EMPTY:
        return cast("RestoreField", restore_pointer)
    return cast("RestoreField", restore_quantity if field.form is Form.QUANTITY else restore_or_clear)


def _list(field: JsonField) -> RestoreField | None:
    if field.form is Form.STRING:
        return cast("RestoreField", _string_list)
    if not field.message:
        return None
    restore_value = _restore_of(field)

    def restore_list(_: Message, values: Sequence[Message]) -> None:
        for index, item in enumerate(values):
            try:
                restore_value(item)
            except _Refused as refused:
                raise refused.within(f"[{index}]") from None

    return cast("RestoreField", restore_list)


def _string_list(_: Message, values: Sequence[str | bytes]) -> None:
    for index, item in enumerate(values):
        if type(item) is not str:
            raise _Refused(_NO_UTF8, f"[{index}]")


def _map(field: JsonField) -> RestoreField:
    restore_value = _restore_of(field) if field.message else None
    is_text = field.form is Form.STRING

    def restore_map(_: Message, values: Mapping[str | bytes, object]) -> None:
        try:
            entries = list(values.items())
        except UnicodeDecodeError:  # protobuf decodes maps at once, other strings when they are asked for
            raise _Refused(_NO_UTF8) from None
        for key, item in entries:
            if type(key) is not str or (is_text and type(item) is not str):
                raise _Refused(_NO_UTF8, f"[{key!s}]")
            if restore_value is not None:
                try:
                    restore_value(cast("Message", item))
                except _Refused as refused:
                    raise refused.within(f"[{key}]") from None

    return cast("RestoreField", restore_map)


# ------------------------------------------------------------------------------------------ messages


def _restore_of(field: JsonField) -> Restore:
    """What brings one message of this field's type into stored form."""
    own = _OWN.get(field.form)
    message = field.message
    if own is not None:
        return cast("Restore", own)
    if field.form is Form.RAW:
        return _raw("Raw" if message.endswith(".FieldsV1") else "raw")

    def restore_fields(target: Message) -> None:
        _restorer(message)(target)

    return restore_fields


def _restore_time(message: Time) -> None:
    if message.ListFields():
        seconds = message.seconds
        message.Clear()
        if seconds != ZERO_SECONDS:
            message.seconds = _within_range(seconds)


def _restore_micro_time(message: MicroTime) -> None:
    if message.ListFields():
        seconds, micros = message.seconds, message.nanos // 1000
        message.Clear()
        more, micros = divmod(micros, 1_000_000)
        if (seconds + more, micros) != (ZERO_SECONDS, 0):
            message.seconds = _within_range(seconds + more)
            if micros:
                message.nanos = micros * 1000


def _within_range(seconds: int) -> int:
    if not _FIRST_SECONDS <= seconds <= _LAST_SECONDS:
        raise _Refused("time is outside of the years 0 to 9999")
    return seconds


def _restore_duration(message: Duration) -> None:
    if not message.duration:
        message.Clear()


def _restore_quantity(message: Quantity) -> None:
    text = message.string
    if type(text) is not str:
        raise _Refused(_NO_UTF8)
    try:
        restored = canonical(text) if message.HasField("string") else "0"
    except QuantityError as error:
        raise _Refused(str(error)) from None
    if restored != text:
        message.string = restored


def _restore_int_or_string(message: IntOrString) -> None:
    kind, number, text = message.type, message.intVal, message.strVal
    if kind not in {0, 1} or type(text) is not str:
        raise _Refused(f"impossible type {kind} of an IntOrString" if kind not in {0, 1} else _NO_UTF8)
    message.Clear()
    if kind == 1:
        message.type = 1
        if text:
            message.strVal = text
    elif number:
        message.intVal = number


def _restore_strings(message: Verbs) -> None:
    for index, item in enumerate(message.items):
        if type(item) is not str:
            raise _Refused(_NO_UTF8, f"[{index}]")


def _raw(name: str) -> Restore:
    def restore_raw(message: Message) -> None:
        raw: bytes = getattr(message, name)
        restored = _restored_json(raw) if len(raw) <= _LONGEST_REMEMBERED else _restored_json.__wrapped__(raw)
        message.Clear()
        if restored:
            setattr(message, name, restored)

    return restore_raw


@lru_cache(512)
def _restored_json(raw: bytes) -> bytes:
    """The same JSON without whitespace; nothing for null, which is what absent means."""
    try:
        orjson.loads(raw or b"null")
        restored = compact(raw.decode("latin-1")).encode("latin-1")
    except orjson.JSONDecodeError:
        try:
            restored = dump(parse_carefully(raw))
        except MalformedJson as error:
            raise _Refused(f"no JSON: {error}") from None
    return b"" if restored == b"null" else restored


_OWN: Final[dict[Form, object]] = {
    Form.TIME: _restore_time,
    Form.MICRO_TIME: _restore_micro_time,
    Form.DURATION: _restore_duration,
    Form.QUANTITY: _restore_quantity,
    Form.INT_OR_STRING: _restore_int_or_string,
    Form.STRINGS: _restore_strings,
}
