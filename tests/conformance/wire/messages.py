"""Messages of every kind for property tests: random ones, and full ones in which every field is set."""

from __future__ import annotations

from functools import cache

import orjson
from google.protobuf.message import Message
from hypothesis import strategies as st

from kubewire.api.index import MESSAGES
from kubewire.machinery.codec.fields import Form, JsonField, Shape, fields_of
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import builtin

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["", "a", '<b> & "c"', "\\", "ü\u2028", "\n"]
)
# Beyond 2**53 a whole float and the integer of the same digits differ, and YAML, like Go, writes the digits.
JSON_VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-(2.0**53), 2.0**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
QUANTITIES = st.sampled_from(
    ["0", "1", "100m", "0.5", "1.5Gi", "128Mi", "1e3", "1000", "-2", "1E", "3.0001", "0.0000000001"]
)
ZERO = -62135596800
SECONDS = st.integers(-62167219200, 253402300799) | st.sampled_from([0, 1795411555])
SCALARS = {
    Form.STRING: TEXTS,
    Form.BOOL: st.booleans(),
    Form.BYTES: st.binary(max_size=12),
    Form.DOUBLE: st.floats(-(2.0**53), 2.0**53),
}
SCHEMAS = (Form.SCHEMA_OR_BOOL, Form.SCHEMA_OR_ARRAY, Form.SCHEMA_OR_STRINGS)
DEEPEST = 9


def kinds() -> list[str]:
    """Messages of everything that is served, and of lists of it."""
    served = {item.message for item in builtin().all if item.message in MESSAGES}
    lists = {f"{name}List" for name in served} & MESSAGES.keys()
    return sorted(served | lists)


KINDS = kinds()


@st.composite
def random_messages(draw: st.DrawFn, name: str = "") -> Message:
    """A message with a few fields of its own and below, in no particular form: zeros are explicit, texts arbitrary."""
    message = message_class(name or draw(st.sampled_from(KINDS)))()
    _fill(draw, message, 0)
    return message


def _fill(draw: st.DrawFn, message: Message, depth: int) -> None:
    fields = fields_of(message.DESCRIPTOR.full_name)
    if fields and depth < DEEPEST:
        for field in draw(st.lists(st.sampled_from(fields), max_size=4, unique_by=lambda field: field.number)):
            _fill_field(draw, message, field, depth)


def _fill_field(draw: st.DrawFn, message: Message, field: JsonField, depth: int) -> None:
    if field.shape is Shape.LIST:
        values = getattr(message, field.name)
        for _ in range(draw(st.integers(1, 2))):
            if field.message:
                _fill_value(draw, values.add(), field, depth)
            else:
                values.append(draw(_scalars(field)))
    elif field.shape is Shape.MAP:
        values = getattr(message, field.name)
        for key in draw(st.lists(TEXTS, max_size=3, unique=True)):
            if field.message:
                _fill_value(draw, values[key], field, depth)
            else:
                values[key] = draw(_scalars(field))
    elif field.message:
        getattr(message, field.name).SetInParent()
        _fill_value(draw, getattr(message, field.name), field, depth)
    else:
        setattr(message, field.name, draw(_scalars(field)))


def _scalars(field: JsonField) -> st.SearchStrategy[object]:
    if field.form is Form.INT:
        bits = 31 if field.is_int32 else 63
        return st.integers(-(2**bits), 2**bits - 1) | st.sampled_from([0, 1, 127, 128])
    return SCALARS[field.form]


def _fill_value(draw: st.DrawFn, message: Message, field: JsonField, depth: int) -> None:
    """A message that is no list of fields in JSON: what a client may send of it."""
    match field.form:
        case Form.TIME | Form.MICRO_TIME:
            # Go's zero time behind a pointer is null in JSON, which is read as no pointer.
            seconds = SECONDS.filter(lambda number: number != ZERO) if field.is_pointer else SECONDS | st.just(ZERO)
            _set(message, seconds=draw(seconds), nanos=draw(st.integers(0, 999_999_999)))
        case Form.DURATION:
            _set(message, duration=draw(st.integers(-(2**63) + 1, 2**63 - 1)))
        case Form.QUANTITY:
            _set(message, string=draw(QUANTITIES))
        case Form.INT_OR_STRING:
            _set(message, type=draw(st.integers(0, 1)), intVal=draw(st.integers(-5, 5)), strVal=draw(TEXTS))
        case Form.RAW:
            name = message.DESCRIPTOR.fields[0].name
            setattr(
                message, name, orjson.dumps(draw(JSON_VALUES), option=draw(st.sampled_from([0, orjson.OPT_INDENT_2])))
            )
        case Form.STRINGS:
            getattr(message, "items").extend(draw(st.lists(TEXTS, min_size=1, max_size=2)))  # noqa: B009 - of several types
        case form if form in SCHEMAS:
            _fill_schema(draw, message, form, depth)
        case _:
            _fill(draw, message, depth + 1)


def _fill_schema(draw: st.DrawFn, message: Message, form: Form, depth: int) -> None:
    """One of the things that may stand there, as Go's decoder makes them."""
    if form is Form.SCHEMA_OR_BOOL and draw(st.booleans()):
        _set(message, allows=draw(st.booleans()))
        return
    if form is Form.SCHEMA_OR_STRINGS and draw(st.booleans()):
        getattr(message, "property").extend(draw(st.lists(TEXTS, min_size=1, max_size=2)))  # noqa: B009 - of several types
        return
    if form is Form.SCHEMA_OR_BOOL:
        _set(message, allows=True)
    schema = getattr(message, "schema")  # noqa: B009 - of several types
    schema.SetInParent()
    _fill(draw, schema, depth + 3)


def _set(message: Message, **values: object) -> None:
    for name, value in values.items():
        setattr(message, name, value)


@cache
def full_message(name: str, depth: int = 0) -> Message:
    """A message with every field set at every depth (schemas end after a few levels), in stored form."""
    message = message_class(name)()
    for field in fields_of(name):
        if depth < DEEPEST or not field.message:
            _set_full(message, field, depth)
    return message


def _set_full(message: Message, field: JsonField, depth: int) -> None:
    if field.shape is Shape.LIST:
        values = getattr(message, field.name)
        if field.message:
            values.add().CopyFrom(_full_value(field, depth))
        else:
            values.append(_full_scalar(field))
    elif field.shape is Shape.MAP:
        values = getattr(message, field.name)
        if field.message:
            values["key"].CopyFrom(_full_value(field, depth))
        else:
            values["key"] = _full_scalar(field)
    elif field.message:
        getattr(message, field.name).CopyFrom(_full_value(field, depth))
    else:
        setattr(message, field.name, _full_scalar(field))


def _full_scalar(field: JsonField) -> object:
    numbers = {Form.INT: field.number + 200, Form.DOUBLE: field.number + 0.5}
    texts = {Form.BOOL: True, Form.BYTES: b"\xff\x00", Form.STRING: f"{field.name} <ü>"}
    return {**numbers, **texts}[field.form]


def _full_value(field: JsonField, depth: int) -> Message:
    message = message_class(field.message)()
    match field.form:
        case Form.TIME:
            _set(message, seconds=1795411555)
        case Form.MICRO_TIME:
            _set(message, seconds=1795411555, nanos=120_000_000)
        case Form.DURATION:
            _set(message, duration=90_000_000_000)
        case Form.QUANTITY:
            _set(message, string="1500m")
        case Form.INT_OR_STRING:
            _set(message, intVal=80)
        case Form.RAW:
            setattr(message, message.DESCRIPTOR.fields[0].name, b'{"a":[1,"<",{"b":null}]}')
        case Form.STRINGS:
            getattr(message, "items").append("get")  # noqa: B009 - of several types
        case form if form in SCHEMAS:
            _set(message, **({"allows": True} if form is Form.SCHEMA_OR_BOOL else {}))
            getattr(message, "schema").CopyFrom(_schema_of(field.message))  # noqa: B009 - of several types
        case _:
            message.CopyFrom(full_message(field.message, depth + 1 + 3 * field.message.endswith("JSONSchemaProps")))
    return message


def _schema_of(message: str) -> Message:
    schema = message_class(f"{message.rpartition('.')[0]}.JSONSchemaProps")()
    _set(schema, type="string")
    return schema
