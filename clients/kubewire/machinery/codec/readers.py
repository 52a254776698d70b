"""The functions that fill messages from JSON objects, fast: they take the value to be right.

A key is looked up in its message's plan and its value put into the field. Types are tested as far as protobuf's setters
do not test them. Whatever is unusual - an unknown key, a wrong type, a null where it means something - ends in some
exception of `UNUSUAL`; then `careful_reader` reads the same value again, knows better, and has the words for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final, cast

from kubewire.machinery.codec.base64_text import decode_base64
from kubewire.machinery.codec.document import dump
from kubewire.machinery.codec.fields import NULL_WHEN_EMPTY, Form, JsonField, Shape, fields_of, is_typed
from kubewire.machinery.codec.parsed_value import (
    Put,
    put_function,
    put_named_raw,
    put_quantity,
    quantity_of,
    strings_of,
)
from kubewire.machinery.json_value import JsonValue

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.apiextensions.v1.custom_resource_definition_pb2 import (
        JSONSchemaPropsOrArray,
        JSONSchemaPropsOrBool,
        JSONSchemaPropsOrStringArray,
    )
    from kubewire.api.resource.quantity_pb2 import Quantity
    from kubewire.api.runtime.runtime_pb2 import RawExtension

Set = Callable[["Message", JsonValue], None]
"""Puts one value into one field of a message."""

Fill = Callable[["Message", dict[str, JsonValue]], None]
"""Puts the members of a JSON object into a message."""

UNUSUAL: Final = (KeyError, TypeError, ValueError, AttributeError)
"""What a reader raises for a value that is not exactly as expected."""

_TYPES: Final = {Form.STRING: str, Form.INT: int, Form.BOOL: bool}
_INEXACT_NUMBER: Final = re.compile(rb"[:\[,]-?\d+[.eE]").search
_SCHEMAS: Final = (Form.SCHEMA_OR_BOOL, Form.SCHEMA_OR_ARRAY, Form.SCHEMA_OR_STRINGS)


@cache
def reader(message: str) -> Fill:
    """The function that fills messages of this type."""
    plan = plan_of(message)

    def fill(target: Message, members: dict[str, JsonValue]) -> None:
        for key, value in members.items():
            put = plan[key]
            if type(value) is put:
                # A scalar held by value: empty and absent are the same, and absent is shorter.
                if value:
                    setattr(target, key, value)
            elif put.__class__ is type:
                raise TypeError(key)
            else:
                put(target, value)

    return fill


def plan_of(message: str) -> dict[str, Set | type]:
    """By JSON name, what puts a value into its field: for a scalar held by value that keeps its name, its type."""
    plan: dict[str, Set | type] = {}
    for field in fields_of(message):
        if field.is_inline:
            plan |= {key: _inlined(field.name, key, put) for key, put in plan_of(field.message).items()}
        else:
            plan[field.json_name] = _setter(field)
    return {"kind": _ignore_text, "apiVersion": _ignore_text, **plan} if is_typed(message) else plan


def _inlined(name: str, key: str, put: Set | type) -> Set:
    """Into a message that is no object of its own in JSON."""
    if isinstance(put, type):
        put = _scalar(key, put, is_pointer=False)

    def set_inlined(target: Message, value: JsonValue) -> None:
        put(getattr(target, name), value)

    return set_inlined


def _ignore_text(target: Message, value: JsonValue) -> None:  # noqa: ARG001 - is called as others are
    """`kind` and `apiVersion` are no fields: who decodes knows them."""
    if type(value) is not str:
        raise TypeError


def _setter(field: JsonField) -> Set | type:
    kind = _TYPES.get(field.form)
    if kind is not None and field.is_value and field.name == field.json_name:
        return kind
    if field.shape is Shape.MAP:
        return _map(field)
    if field.shape is Shape.LIST:
        return _list(field)
    if kind is not None:
        return _scalar(field.name, kind, is_pointer=not field.is_value)
    return _message(field) if field.message else _other_scalar(field)


def _scalar(name: str, kind: type, *, is_pointer: bool) -> Set:
    def set_scalar(target: Message, value: JsonValue) -> None:
        if type(value) is not kind:
            raise TypeError(name)
        if value or is_pointer:
            setattr(target, name, value)

    return set_scalar


def _other_scalar(field: JsonField) -> Set:
    return _bytes(field.name, is_kept=not field.is_value) if field.form is Form.BYTES else _double(field.name)


def _bytes(name: str, *, is_kept: bool) -> Set:
    def set_bytes(target: Message, value: JsonValue) -> None:
        if type(value) is str:
            if value or is_kept:
                setattr(target, name, decode_base64(value))
        elif value is not None:
            raise TypeError(name)

    return set_bytes


def _double(name: str) -> Set:
    def set_double(target: Message, value: JsonValue) -> None:
        if type(value) is float or type(value) is int:
            setattr(target, name, float(value))
        elif value is not None:
            raise TypeError(name)

    return set_double


def _message(field: JsonField) -> Set:
    """A message in a field of its own. Held by value, or null when empty, it is there only if something is in it."""
    name, put = field.name, put_of(field)
    is_pointer = field.is_pointer and field.form not in NULL_WHEN_EMPTY
    if field.form is Form.QUANTITY and not is_pointer:
        return _quantity(name)

    def set_message(target: Message, value: JsonValue) -> None:
        if value is not None:
            message: Message = getattr(target, name)
            if is_pointer:
                message.SetInParent()
            put(message, value)

    return set_message


def _quantity(name: str) -> Set:
    """A quantity held by value: none at all is zero."""

    def set_quantity(target: Message, value: JsonValue) -> None:
        if type(value) is float:
            raise TypeError(name)
        if value is not None and (text := quantity_of(value)) != "0":
            getattr(target, name).string = text

    return set_quantity


def put_of(field: JsonField) -> Put:
    """What fills a message of this field's type from one value."""
    if field.form is Form.OBJECT:
        return _object(field.message)
    if field.form in _SCHEMAS:
        return _schema(field)
    put = put_function(field.form, field.message)
    assert put is not None, field
    return cast("Put", _EXACT.get(put, put))


def _object(message: str) -> Put:
    def put_object(target: Message, value: JsonValue) -> None:
        reader(message)(target, value)  # type: ignore[arg-type]  # what has no items is unusual

    return put_object


def _exact_quantity(target: Quantity, value: JsonValue) -> None:
    """A float is not good enough where the text of a number counts: Kubernetes keeps `1e3` as it is."""
    if type(value) is float:
        raise TypeError
    target.string = quantity_of(value)


def _exact_raw(target: RawExtension, value: JsonValue) -> None:
    """JSON kept as text, unless it holds numbers whose text the fast parser has lost, such as `1.50`."""
    raw = dump(value)
    if _INEXACT_NUMBER(raw):
        raise TypeError
    target.raw = raw


_EXACT: Final[dict[object, object]] = {put_quantity: _exact_quantity, put_named_raw: _exact_raw}


def _schema(field: JsonField) -> Put:
    """A schema, or what may stand in its place."""
    schema = f"{field.message.rpartition('.')[0]}.JSONSchemaProps"

    def put_or_bool(target: JSONSchemaPropsOrBool, value: JsonValue) -> None:
        if type(value) is dict:
            target.allows = True
            target.schema.SetInParent()
            reader(schema)(target.schema, value)
        elif type(value) is not bool:
            raise TypeError
        elif value:
            target.allows = True

    def put_or_array(target: JSONSchemaPropsOrArray, value: JsonValue) -> None:
        if type(value) is list:
            for item in value:
                reader(schema)(target.jSONSchemas.add(), item)  # type: ignore[arg-type]  # refuses what has no items
        else:
            target.schema.SetInParent()
            reader(schema)(target.schema, value)  # type: ignore[arg-type]  # likewise

    def put_or_strings(target: JSONSchemaPropsOrStringArray, value: JsonValue) -> None:
        if type(value) is list:
            target.property.extend(strings_of(value))
        else:
            target.schema.SetInParent()
            reader(schema)(target.schema, value)  # type: ignore[arg-type]  # likewise

    puts = {
        Form.SCHEMA_OR_BOOL: put_or_bool,
        Form.SCHEMA_OR_ARRAY: put_or_array,
        Form.SCHEMA_OR_STRINGS: put_or_strings,
    }
    return cast("Put", puts[field.form])


def _list(field: JsonField) -> Set:
    name = field.name
    if field.message:
        return _message_list(name, put_of(field))
    kind = _TYPES[field.form]

    def extend(target: Message, value: JsonValue) -> None:
        if type(value) is list:
            if any(type(item) is not kind for item in value):
                raise TypeError(name)
            getattr(target, name).extend(value)
        elif value is not None:
            raise TypeError(name)

    return extend


def _message_list(name: str, put: Put) -> Set:
    def add_messages(target: Message, value: JsonValue) -> None:
        if type(value) is list:
            add = getattr(target, name).add
            for item in value:
                put(add(), item)
        elif value is not None:
            raise TypeError(name)

    return add_messages


def _map(field: JsonField) -> Set:
    name = field.name
    if field.message:
        return _message_map(name, put_of(field))
    read = decode_base64 if field.form is Form.BYTES else None

    def set_entries(target: Message, value: JsonValue) -> None:
        if type(value) is dict:
            entries = getattr(target, name)
            for key, item in value.items():
                entries[key] = item if read is None else read(item)  # type: ignore[arg-type]  # refuses what is no text
        elif value is not None:
            raise TypeError(name)

    return set_entries


def _message_map(name: str, put: Put) -> Set:
    def put_entries(target: Message, value: JsonValue) -> None:
        if type(value) is dict:
            entries = getattr(target, name)
            for key, item in value.items():
                put(entries[key], item)
        elif value is not None:
            raise TypeError(name)

    return put_entries
