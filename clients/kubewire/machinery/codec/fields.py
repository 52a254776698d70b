"""How each field of a message appears in JSON.

Descriptors know names, numbers and types. The rest is Go's: a field held by value is written even when it is empty
unless its tag says `omitempty` (and a struct held by value always is), a pointer is absent when it is nil, embedded
structs are inlined, some names differ. `json_fields.tsv` says where a message departs from this rule:

    scalars, lists, maps    held by value, left out when empty
    messages                held by pointer, left out when absent
    JSON name               the proto name
    order                   as declared in the .proto file, which is Go's
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Final, cast

from google.protobuf.descriptor import FieldDescriptor

from kubewire.machinery.messages import message_class

_META: Final = "k8s.io.apimachinery.pkg.apis.meta.v1."


class Form(Enum):
    """What one value looks like in JSON; for lists and maps, one element."""

    STRING = "string"
    INT = "int"
    BOOL = "bool"
    BYTES = "bytes"
    DOUBLE = "double"
    OBJECT = "object"
    TIME = "time"
    MICRO_TIME = "micro time"
    DURATION = "duration"
    QUANTITY = "quantity"
    INT_OR_STRING = "int or string"
    RAW = "JSON of any kind, kept as text"
    STRINGS = "a list of strings, in a message of its own"
    SCHEMA_OR_BOOL = "schema or bool"
    SCHEMA_OR_ARRAY = "schema or list of schemas"
    SCHEMA_OR_STRINGS = "schema or list of strings"


_OWN_FORMS: Final = {
    f"{_META}Time": Form.TIME,
    f"{_META}MicroTime": Form.MICRO_TIME,
    f"{_META}Duration": Form.DURATION,
    f"{_META}FieldsV1": Form.RAW,
    f"{_META}Verbs": Form.STRINGS,
    "k8s.io.apimachinery.pkg.api.resource.Quantity": Form.QUANTITY,
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": Form.INT_OR_STRING,
    "k8s.io.apimachinery.pkg.runtime.RawExtension": Form.RAW,
    "k8s.io.apimachinery.pkg.runtime.Unknown": Form.RAW,
}
_OWN_FORMS_BY_NAME: Final = {
    "ExtraValue": Form.STRINGS,
    "JSON": Form.RAW,
    "JSONSchemaPropsOrBool": Form.SCHEMA_OR_BOOL,
    "JSONSchemaPropsOrArray": Form.SCHEMA_OR_ARRAY,
    "JSONSchemaPropsOrStringArray": Form.SCHEMA_OR_STRINGS,
}
NULL_WHEN_EMPTY: Final = frozenset(
    {Form.TIME, Form.MICRO_TIME, Form.RAW, Form.SCHEMA_OR_ARRAY, Form.SCHEMA_OR_STRINGS},
)
"""Forms whose empty message is null in JSON: behind a pointer, it means the same as none and is not stored."""

_SCALAR_FORMS: Final = {
    FieldDescriptor.TYPE_STRING: Form.STRING,
    FieldDescriptor.TYPE_INT32: Form.INT,
    FieldDescriptor.TYPE_INT64: Form.INT,
    FieldDescriptor.TYPE_BOOL: Form.BOOL,
    FieldDescriptor.TYPE_BYTES: Form.BYTES,
    FieldDescriptor.TYPE_DOUBLE: Form.DOUBLE,
}
_GO_SCALARS: Final = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_BYTES: "[]uint8",
    FieldDescriptor.TYPE_DOUBLE: "float64",
}


class Shape(Enum):
    """How many values a field holds; the value is how Go's type names begin."""

    ONE = ""
    LIST = "[]"
    MAP = "map[string]"


@dataclass(frozen=True, slots=True)
class JsonField:
    """One field of one message, with everything both directions need to know.

    Attributes:
        name: in the .proto file, and of the attribute in Python.
        form: of the value, or of one element of a list or map.
        message: full name of the value's (or element's) message type; empty for scalars.
        is_int32: an integer of 32 bits instead of 64.
        is_pointer: absent and empty differ: absent is left out (or null), empty is written.
        is_kept: written although empty.
        is_inline: the message's own fields stand in its place.
        is_omitted_zero: a value left out when it is zero, although structs held by value are not.
        is_value: empty and absent mean the same, so that the stored form leaves an empty one out.
        go_type: as Go's error messages name the type of the whole field.
        go_element: as they name the type of one element; of the field itself if it holds one value.
    """

    name: str
    number: int
    json_name: str
    shape: Shape
    form: Form
    message: str
    is_int32: bool
    is_pointer: bool
    is_kept: bool
    is_inline: bool
    is_omitted_zero: bool
    is_value: bool
    go_type: str
    go_element: str


@dataclass(frozen=True, slots=True)
class _Exceptions:
    """One row of the table: names of fields that are unusual, in the table's order of columns."""

    typed: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    pointers: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    inlined: frozenset[str] = frozenset()
    omitted_when_zero: frozenset[str] = frozenset()
    renamed: frozenset[str] = frozenset()
    go_types: frozenset[str] = frozenset()


@cache
def _rows() -> dict[str, str]:
    """The table's lines by message; a line is split when its message is first met."""
    lines = files("kubewire.machinery.codec").joinpath("json_fields.tsv").read_text().splitlines()
    return {message: cells for message, _, cells in (line.partition("\t") for line in lines[1:])}


def _exceptions(message: str) -> _Exceptions:
    return _Exceptions(*(frozenset(cell.split(" ")) for cell in _rows().get(message, "").split("\t")))


def is_typed(message: str) -> bool:
    """Whether the JSON form of a message has `kind` and `apiVersion`."""
    return "typed" in _exceptions(message).typed


def form_of(field: FieldDescriptor) -> Form:
    """The form of a field's value, or of one of its elements."""
    if field.message_type is None:
        return _SCALAR_FORMS[field.type]
    found = _OWN_FORMS.get(field.message_type.full_name)
    return found or _OWN_FORMS_BY_NAME.get(field.message_type.name, Form.OBJECT)


def go_type_of(message: str) -> str:
    """As Go's error messages name a message's type: `v1.Pod`."""
    package, _, name = message.rpartition(".")
    return f"{package.rpartition('.')[2]}.{name}"


@cache
def fields_of(message: str) -> tuple[JsonField, ...]:
    """The fields of a message in the order of its JSON form."""
    exceptions = _exceptions(message)
    renamed = dict(pair.split("=") for pair in exceptions.renamed if pair)
    go_types = dict(pair.split("=") for pair in exceptions.go_types if pair)
    return tuple(
        _field(
            cast("FieldDescriptor", field),
            exceptions,
            renamed.get(field.name, field.name),
            go_types.get(field.name, ""),
        )
        for field in message_class(message).DESCRIPTOR.fields
    )


def _field(field: FieldDescriptor, exceptions: _Exceptions, json_name: str, go_type: str) -> JsonField:
    shape, element = _shape(field)
    form, name = form_of(element), field.name
    message = element.message_type.full_name if element.message_type else ""
    is_struct = bool(message) and shape is Shape.ONE
    is_pointer = name not in exceptions.values | exceptions.inlined if is_struct else name in exceptions.pointers
    is_kept = name in exceptions.kept
    go_element = go_type_of(message) if message else _GO_SCALARS[element.type]
    return JsonField(
        name=name,
        number=field.number,
        json_name=json_name,
        shape=shape,
        form=form,
        message=message,
        is_int32=element.type == FieldDescriptor.TYPE_INT32,
        is_pointer=is_pointer,
        is_kept=is_kept,
        is_inline=name in exceptions.inlined,
        is_omitted_zero=name in exceptions.omitted_when_zero,
        is_value=shape is Shape.ONE and not is_pointer and not (form is Form.BYTES and is_kept),
        go_type=go_type or shape.value + go_element,
        go_element=go_type if go_type and shape is Shape.ONE else go_element,
    )


def _shape(field: FieldDescriptor) -> tuple[Shape, FieldDescriptor]:
    """How many values, and the descriptor of one."""
    if not field.is_repeated:
        return Shape.ONE, field
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return Shape.MAP, field.message_type.fields_by_name["value"]
    return Shape.LIST, field
