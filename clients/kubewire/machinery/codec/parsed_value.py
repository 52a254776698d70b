"""One JSON value into one field: the forms that are not objects of their fields.

What is put follows the stored form (see `decode`): a value that means "empty" leaves its message empty. Every function
raises `TypeError` when the value is of the wrong JSON type and `WrongValue` when its text cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from kubewire.machinery.codec.document import NumberText, dump
from kubewire.machinery.codec.durations import parse_duration
from kubewire.machinery.codec.errors import WrongValue
from kubewire.machinery.codec.fields import Form
from kubewire.machinery.codec.moments import parse_micro_time, parse_time
from kubewire.machinery.codec.value_text import double_text
from kubewire.machinery.json_value import JsonValue
from kubewire.machinery.quantity import QuantityError, canonical

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.intstr.intstr_pb2 import IntOrString
    from kubewire.api.meta.v1.object_meta_pb2 import FieldsV1
    from kubewire.api.meta.v1.time_pb2 import Duration, MicroTime, Time, Verbs
    from kubewire.api.resource.quantity_pb2 import Quantity

Put = Callable[["Message", JsonValue], None]
"""Fills an empty message from a JSON value that is not null."""

NO_QUANTITY: Final = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_MAX_INT32: Final = 2**31


def put_time(message: Time, value: JsonValue) -> None:
    """A `Time`; Go's zero time leaves it empty."""
    moment = parse_time(_string(value))
    if not moment.is_zero:
        message.seconds = moment.seconds


def put_micro_time(message: MicroTime, value: JsonValue) -> None:
    """A `MicroTime`; Go's zero time leaves it empty."""
    moment = parse_micro_time(_string(value))
    if not moment.is_zero:
        message.seconds = moment.seconds
        if moment.nanos:
            message.nanos = moment.nanos


def put_duration(message: Duration, value: JsonValue) -> None:
    """A `Duration`."""
    nanos = parse_duration(_string(value))
    if nanos:
        message.duration = nanos


def put_quantity(message: Quantity, value: JsonValue) -> None:
    """A `Quantity`, written as string or number, in its canonical text."""
    message.string = quantity_of(value)


def quantity_of(value: JsonValue) -> str:
    """The canonical text of a quantity.

    Raises:
        WrongValue: with Kubernetes' words.
    """
    if isinstance(value, str):
        text = value.strip()
    elif isinstance(value, NumberText):
        text = value.text
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise WrongValue(NO_QUANTITY)
    else:
        text = str(value) if isinstance(value, int) else double_text(value)
    try:
        return canonical(text)
    except QuantityError as error:
        raise WrongValue(str(error)) from None


def put_int_or_string(message: IntOrString, value: JsonValue) -> None:
    """An `IntOrString`."""
    if isinstance(value, str):
        message.type = 1
        if value:
            message.strVal = value
    elif isinstance(value, bool) or not isinstance(value, int) or not -_MAX_INT32 <= value < _MAX_INT32:
        raise TypeError
    elif value:
        message.intVal = value


def put_raw(message: FieldsV1, value: JsonValue) -> None:
    """JSON of any kind, kept as compact text."""
    message.Raw = dump(value)


def put_named_raw(message: Message, value: JsonValue) -> None:
    """The same where the field is called `raw`."""
    setattr(message, "raw", dump(value))  # noqa: B010 - several message types share this field


def put_strings(message: Verbs, value: JsonValue) -> None:
    """A list of strings that is a message of its own."""
    message.items.extend(strings_of(value))


def strings_of(value: JsonValue) -> list[str]:
    """The value as a list of strings; TypeError if it is anything else."""
    if not isinstance(value, list) or any(type(item) is not str for item in value):
        raise TypeError
    return cast("list[str]", value)


def _string(value: JsonValue) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def put_function(form: Form, message: str) -> Put | None:
    """What reads values of this form; None for scalars, objects, and schemas, which contain objects."""
    if message.endswith(".FieldsV1"):
        return cast("Put", put_raw)
    return cast("Put | None", _PUTS.get(form))


_PUTS: Final[dict[Form, object]] = {
    Form.TIME: put_time,
    Form.MICRO_TIME: put_micro_time,
    Form.DURATION: put_duration,
    Form.QUANTITY: put_quantity,
    Form.INT_OR_STRING: put_int_or_string,
    Form.RAW: put_named_raw,
    Form.STRINGS: put_strings,
}
