"""JSON into messages, with Kubernetes' rules and words.

**The stored form.** What `decode` makes, and `stored_form.restore` makes of messages that came as protobuf, is one form
for everything that means the same, so that messages can be compared with `==` and their deterministic bytes, too:

- what Go holds by value and finds empty is absent: `""`, `0`, `false`, a message with nothing in it;
- what Go holds by pointer is present if it was given, even empty (`automountServiceAccountToken: false`,
  `emptyDir: {}`), and so is every element of a list and every entry of a map; only what JSON shows as null (Go's zero
  time, raw JSON without text) is absent there, too;
- quantities are canonical, times are in whole seconds (micro times in microseconds), JSON that is kept as text is
  compact, an integer in an `IntOrString` has no `type`.

A stock server reads it as what it would have written itself: Go's decoder starts from zero values.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message import Message

from kubewire.machinery.codec.careful_reader import CarefulReader
from kubewire.machinery.codec.document import has_repeated_keys, json_type, parse, parse_carefully
from kubewire.machinery.codec.errors import MalformedJson, StrictError, WrongValue
from kubewire.machinery.codec.fields import is_typed
from kubewire.machinery.codec.readers import UNUSUAL, reader

if TYPE_CHECKING:
    from kubewire.machinery.json_value import JsonObject, JsonValue

MessageT = TypeVar("MessageT", bound=Message)


class FieldValidation(StrEnum):
    """What becomes of fields that the kind does not have or that are given twice; the values are the API's."""

    IGNORE = "Ignore"
    WARN = "Warn"
    STRICT = "Strict"


def decode(
    data: bytes | JsonObject,
    message_type: type[MessageT],
    *,
    validation: FieldValidation = FieldValidation.IGNORE,
    warnings: list[str] | None = None,
) -> MessageT:
    """A message in stored form from JSON text, or from JSON values (which are left as they are).

    `kind` and `apiVersion` are read over: the caller knows them. With WARN, one text for each unknown or repeated
    field is appended to `warnings`.

    Raises:
        MalformedJson: the text is no JSON.
        WrongValue: a value does not fit its field; the message names it.
        StrictError: with STRICT, for unknown and repeated fields.
    """
    value: JsonValue = parse(data) if isinstance(data, bytes) else data
    if isinstance(value, dict) and not _has_repeated_keys(data, value, validation):
        message = _decode_usual(value, message_type)
        if message is not None:
            return message
    return _decode_carefully(
        parse_carefully(data) if isinstance(data, bytes) else value, message_type, validation, warnings
    )


def _has_repeated_keys(data: bytes | JsonObject, value: JsonObject, validation: FieldValidation) -> bool:
    return validation is not FieldValidation.IGNORE and isinstance(data, bytes) and has_repeated_keys(data, value)


def _decode_usual(value: JsonObject, message_type: type[MessageT]) -> MessageT | None:
    message = message_type()
    name = message_type.DESCRIPTOR.full_name
    try:
        reader(name)(message, value)
    except UNUSUAL:
        return None
    except RecursionError:
        raise MalformedJson("exceeded max depth") from None
    if name.startswith(_NESTING):
        _refuse_too_deep(message)
    return message


def _decode_carefully(
    value: JsonValue, message_type: type[MessageT], validation: FieldValidation, warnings: list[str] | None
) -> MessageT:
    message, careful = message_type(), CarefulReader()
    name = message_type.DESCRIPTOR.full_name
    if is_typed(name):
        _refuse_untyped(value)
    try:
        careful.fill(message, name, value)
    except RecursionError:
        raise MalformedJson("exceeded max depth") from None
    if validation is FieldValidation.STRICT and careful.problems:
        raise StrictError(careful.problems)
    if validation is FieldValidation.WARN and warnings is not None:
        warnings += careful.problems
    if name.startswith(_NESTING):
        _refuse_too_deep(message)
    return message


_NESTING: Final = "k8s.io.apiextensions_apiserver."
"""The only messages that can hold themselves: schemas of custom resources."""


def _refuse_too_deep(message: Message) -> None:
    """Protobuf writes messages of any depth and reads a hundred levels."""
    try:
        type(message).FromString(message.SerializeToString())
    except ProtobufDecodeError:
        raise WrongValue("exceeded max depth") from None


_TYPE_META: Final = (
    r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
)


def _refuse_untyped(value: JsonValue) -> None:
    """A server reads kind and version before anything else, and complains about them differently."""
    if value is None:
        return
    if not isinstance(value, dict):
        raise MalformedJson(f"json: cannot unmarshal {json_type(value)} into Go value of type {_TYPE_META}")
    for key in ("apiVersion", "kind"):
        given = value.get(key)
        if given is not None and not isinstance(given, str):
            raise MalformedJson(f"json: cannot unmarshal {json_type(given)} into Go struct field .{key} of type string")
