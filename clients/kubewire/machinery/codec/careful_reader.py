"""Filling messages from JSON values, carefully: every rule of Go's decoder, and its words where a value breaks one.

`readers` is fast and gives up at whatever is unusual; then the same value is read here. Nulls mean nothing for a
field, and an empty element in a list or map; keys are matched exactly; unknown and repeated keys are collected; the
first value of a wrong type ends it. The errors' paths have no indexes, those of unknown fields do, as Go's.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Final, cast

from kubewire.machinery.codec.base64_text import decode_base64
from kubewire.machinery.codec.document import NumberText, RepeatedKeys, json_type
from kubewire.machinery.codec.errors import WrongValue
from kubewire.machinery.codec.fields import NULL_WHEN_EMPTY, Form, JsonField, Shape, fields_of, go_type_of, is_typed
from kubewire.machinery.codec.parsed_value import put_function, quantity_of
from kubewire.machinery.codec.value_text import double_text
from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.quoting import quote

if TYPE_CHECKING:
    from google.protobuf.message import Message

PROBLEMS_AT_MOST: Final = 100
"""Unknown and repeated fields that are remembered, as many as Kubernetes does."""

_SCHEMAS: Final = frozenset({Form.SCHEMA_OR_BOOL, Form.SCHEMA_OR_ARRAY, Form.SCHEMA_OR_STRINGS})
_READ_BY_GO_AS: Final = {
    Form.TIME: "string",
    Form.MICRO_TIME: "string",
    Form.DURATION: "string",
    Form.INT_OR_STRING: "int32",
}
"""Types with a decoder of their own, which names the type it reads and not its own."""


@cache
def _plan(message: str) -> dict[str, tuple[tuple[str, ...], JsonField]]:
    """By JSON name, the field and the messages that it is inlined from."""
    plan: dict[str, tuple[tuple[str, ...], JsonField]] = {}
    for field in fields_of(message):
        if field.is_inline:
            plan |= {key: ((field.name, *way), inner) for key, (way, inner) in _plan(field.message).items()}
        else:
            plan[field.json_name] = ((), field)
    return plan


class CarefulReader:
    """Reads one document.

    Attributes:
        problems: unknown and repeated fields so far, each once.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._struct = ""
        self._fields: list[str] = []
        self._path: list[str] = []
        self._is_strict = True

    def fill(self, target: Message, message: str, value: JsonValue) -> None:
        """Put a whole JSON object into `target`.

        Raises:
            WrongValue: a value does not fit its field.
        """
        if value is None:
            return
        if not isinstance(value, dict):
            raise self._refusal(value, go_type_of(message))
        outer, self._struct = self._struct, message.rpartition(".")[2]
        plan = _plan(message)
        for key, item in value.items():
            if key in plan:
                self._fill_member(target, key, item, *plan[key])
                self._note_repeated(value, key)
            elif is_typed(message) and key in {"kind", "apiVersion"}:
                self._expect_text(key, item)
            else:
                self._note("unknown", key)
        self._struct = outer

    def _fill_member(self, target: Message, key: str, value: JsonValue, way: tuple[str, ...], field: JsonField) -> None:
        for name in way:
            target = getattr(target, name)
        struct = self._struct
        self._fields.append(key)
        self._path.append(f".{key}")
        if value is not None:
            self._fill_field(target, value, field)
        self._path.pop()
        self._fields.pop()
        self._struct = struct

    def _fill_field(self, target: Message, value: JsonValue, field: JsonField) -> None:
        if field.shape is Shape.LIST:
            self._fill_list(target, value, field)
        elif field.shape is Shape.MAP:
            self._fill_map(target, value, field)
        elif field.message:
            self._fill_message(target, value, field)
        else:
            scalar = self._scalar(value, field)
            if scalar or not field.is_value:
                setattr(target, field.name, scalar)

    def _fill_message(self, target: Message, value: JsonValue, field: JsonField) -> None:
        if field.form is Form.QUANTITY and not field.is_pointer and quantity_of(value) == "0":
            return  # held by value, none at all is zero
        message: Message = getattr(target, field.name)
        if field.is_pointer and field.form not in NULL_WHEN_EMPTY:
            message.SetInParent()
        self._put(message, value, field)

    def _fill_list(self, target: Message, value: JsonValue, field: JsonField) -> None:
        if not isinstance(value, list):
            raise self._refusal(value, field.go_type)
        values = getattr(target, field.name)
        for index, item in enumerate(value):
            self._path.append(f"[{index}]")
            if field.message:
                self._put(values.add(), item, field)
            else:
                values.append(_EMPTY[field.form] if item is None else self._scalar(item, field))
            self._path.pop()

    def _fill_map(self, target: Message, value: JsonValue, field: JsonField) -> None:
        if not isinstance(value, dict):
            raise self._refusal(value, field.go_type)
        values = getattr(target, field.name)
        for key, item in value.items():
            self._path.append(f".{key}")
            if field.message:
                self._put(values[key], item, field)
            else:
                values[key] = _EMPTY[field.form] if item is None else self._scalar(item, field)
            self._path.pop()
            self._note_repeated(value, key)

    def _put(self, message: Message, value: JsonValue, field: JsonField) -> None:
        """Fill a message from one value; null leaves it as Go's zero value."""
        if field.form is Form.OBJECT:
            self.fill(message, field.message, value)
        elif field.form in _SCHEMAS:
            self._put_schema(message, value, field)
        elif value is not None:
            put = put_function(field.form, field.message)
            assert put is not None, field
            try:
                put(message, value)
            except TypeError:
                raise self._refusal_of_own(value, field) from None
        elif field.form is Form.QUANTITY:
            message.string = "0"  # type: ignore[attr-defined]  # on the wire a quantity must have a text

    def _refusal_of_own(self, value: JsonValue, field: JsonField) -> WrongValue:
        if field.form is Form.STRINGS and isinstance(value, list):
            return self._refusal(next(item for item in value if not isinstance(item, str)), "string")
        number = ""
        if field.form is Form.INT_OR_STRING and isinstance(value, (int, float)) and not isinstance(value, bool):
            number = _number_text(value)
        return self._refusal(value, _READ_BY_GO_AS.get(field.form, field.go_element), number=number)

    def _put_schema(self, message: Message, value: JsonValue, field: JsonField) -> None:
        """A schema, or what may stand in its place. Go reads it apart, without noting unknown fields."""
        strict, self._is_strict = self._is_strict, False
        schema = f"{field.message.rpartition('.')[0]}.JSONSchemaProps"
        if isinstance(value, dict):
            if field.form is Form.SCHEMA_OR_BOOL:
                message.allows = True  # type: ignore[attr-defined]  # one of three message types
            message.schema.SetInParent()  # type: ignore[attr-defined]
            self.fill(message.schema, schema, value)  # type: ignore[attr-defined]
        elif field.form is Form.SCHEMA_OR_BOOL:
            if not isinstance(value, bool):
                raise WrongValue("boolean or JSON schema expected")
            if value:
                message.allows = True  # type: ignore[attr-defined]
        elif isinstance(value, list):
            for item in value:
                if field.form is Form.SCHEMA_OR_ARRAY:
                    self.fill(message.jSONSchemas.add(), schema, item)  # type: ignore[attr-defined]
                else:
                    message.property.append(self._text(item))  # type: ignore[attr-defined]
        self._is_strict = strict

    # ------------------------------------------------------------------------------------------- scalars

    def _scalar(self, value: JsonValue, field: JsonField) -> str | int | bool | bytes | float:
        if field.form is Form.BYTES:
            return self._bytes(value, field)
        if field.form is Form.BOOL and isinstance(value, bool):
            return value
        if field.form is Form.STRING and isinstance(value, str):
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._refusal(value, field.go_element)
        if field.form is Form.INT:
            return self._integer(value, field)
        if field.form is Form.DOUBLE:
            return self._double(value, field)
        raise self._refusal(value, field.go_element)

    def _integer(self, value: float, field: JsonField) -> int:
        bits = 31 if field.is_int32 else 63
        if not isinstance(value, int) or not -(2**bits) <= value < 2**bits:
            raise self._refusal(value, field.go_element, number=_number_text(value))
        return value

    def _double(self, value: float, field: JsonField) -> float:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self._refusal(value, field.go_element, number=_number_text(value))
        return number

    def _bytes(self, value: JsonValue, field: JsonField) -> bytes:
        if isinstance(value, str):
            return decode_base64(value)
        if isinstance(value, list) and all(type(item) is int and 0 <= item < 256 for item in value):
            return bytes(cast("list[int]", value))
        raise self._refusal(value, field.go_element)

    def _text(self, value: JsonValue) -> str:
        if value is not None and not isinstance(value, str):
            raise self._refusal(value, "string")
        return value or ""

    def _expect_text(self, key: str, value: JsonValue) -> None:
        self._fields.append(key)
        self._text(value)
        self._fields.pop()

    # ------------------------------------------------------------------------------------------- findings

    def _refusal(self, value: JsonValue, go_type: str, *, number: str = "") -> WrongValue:
        found = f"number {number}" if number else json_type(value)
        where = f"struct field {self._struct}.{'.'.join(self._fields)}" if self._fields else "value"
        return WrongValue(f"json: cannot unmarshal {found} into Go {where} of type {go_type}")

    def _note_repeated(self, members: JsonObject, key: str) -> None:
        if isinstance(members, RepeatedKeys) and key in members.repeated:
            self._note("duplicate", key)

    def _note(self, what: str, key: str) -> None:
        text = f"{what} field {quote(''.join((*self._path, f'.{key}'))[1:])}"
        if self._is_strict and len(self.problems) < PROBLEMS_AT_MOST and text not in self.problems:
            self.problems.append(text)


_EMPTY: Final = {Form.STRING: "", Form.INT: 0, Form.BOOL: False, Form.BYTES: b"", Form.DOUBLE: 0.0}


def _number_text(value: float) -> str:
    if isinstance(value, NumberText):
        return value.text
    return str(value) if isinstance(value, int) else double_text(value)
