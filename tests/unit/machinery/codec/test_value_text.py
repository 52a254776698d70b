"""JSON text of values that are messages."""

import pytest

from kubewire.api.authentication.v1.user_info_pb2 import ExtraValue
from kubewire.api.intstr.intstr_pb2 import IntOrString
from kubewire.api.meta.v1.object_meta_pb2 import FieldsV1
from kubewire.api.meta.v1.time_pb2 import Duration, MicroTime, Time
from kubewire.api.resource.quantity_pb2 import Quantity
from kubewire.api.runtime.runtime_pb2 import RawExtension, Unknown
from kubewire.machinery.codec import value_text
from kubewire.machinery.codec.errors import EncodeError
from kubewire.machinery.codec.value_text import double_text

CASES = [
    (value_text.time_text, Time(), "null"),
    (value_text.time_text, Time(seconds=0), '"1970-01-01T00:00:00Z"'),
    (value_text.time_text, Time(nanos=1), '"1970-01-01T00:00:00Z"'),
    (value_text.time_text, Time(seconds=-62135596800), "null"),
    (value_text.time_text, Time(seconds=1795411555, nanos=5), '"2026-11-23T05:25:55Z"'),
    (value_text.micro_time_text, MicroTime(), "null"),
    (value_text.micro_time_text, MicroTime(seconds=1, nanos=120_000), '"1970-01-01T00:00:01.000120Z"'),
    (value_text.duration_text, Duration(), '"0s"'),
    (value_text.duration_text, Duration(duration=1500), '"1.5µs"'),
    (value_text.quantity_text, Quantity(), '"0"'),
    (value_text.quantity_text, Quantity(string="0.5"), '"500m"'),
    (value_text.quantity_text, Quantity(string="1024Mi"), '"1Gi"'),
    (value_text.quantity_text, Quantity(string='no "amount"'), r'"no \"amount\""'),
    (value_text.int_or_string_text, IntOrString(), "0"),
    (value_text.int_or_string_text, IntOrString(intVal=-80, strVal="x"), "-80"),
    (value_text.int_or_string_text, IntOrString(type=1, intVal=80, strVal="50%"), '"50%"'),
    (value_text.raw_text, RawExtension(), "null"),
    (value_text.raw_text, RawExtension(raw=b'{ "a": 1.0 }'), '{"a":1.0}'),
    (value_text.raw_text, FieldsV1(Raw=b'{"f:a":{}}'), '{"f:a":{}}'),
    (value_text.unknown_text, Unknown(raw=b"[1]", contentType="application/json"), "[1]"),
    (value_text.strings_text, ExtraValue(), "null"),
    (value_text.strings_text, ExtraValue(items=["a", '"']), r'["a","\""]'),
]


@pytest.mark.parametrize(("text_of", "message", "text"), CASES, ids=lambda value: str(value).strip().replace("\n", " "))
def test_texts_are_a_stock_servers(text_of: value_text.TextOf, message: Time, text: str) -> None:
    """What is absent counts as zero, nanoseconds of a Time do not count, amounts are canonical."""
    assert text_of(message.SerializeToString().decode("latin-1")) == text.encode().decode("latin-1")


def test_an_embedded_protobuf_object_has_no_json() -> None:
    """Rather an error than text that is no JSON."""
    with pytest.raises(EncodeError, match="embedded object is no JSON"):
        value_text.raw_text(RawExtension(raw=b"k8s\x00...").SerializeToString().decode("latin-1"))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (0.5, "0.5"),
        (100.25, "100.25"),
        (1e-6, "0.000001"),
        (1.5e-6, "0.0000015"),
        (1e-7, "1e-7"),
        (-1.25e-10, "-1.25e-10"),
        (1e16, "10000000000000000"),
        (-1.5e20, "-150000000000000000000"),
        (1e21, "1e+21"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
    ],
)
def test_floats_are_written_as_go_writes_them(number: float, text: str) -> None:
    """An exponent only below 1e-6 and from 1e21 on."""
    assert double_text(number) == text


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_has_no_infinite_numbers(number: float) -> None:
    """An error, not text that nobody can read."""
    with pytest.raises(EncodeError, match="unsupported value"):
        double_text(number)


def test_memory_is_bounded() -> None:
    """What is remembered has a bound in size: long values are written anew each time."""
    long = RawExtension(raw=b'"' + b"x" * 10_000 + b'"').SerializeToString().decode("latin-1")
    before = value_text._remembered_raw_text.cache_info().currsize
    assert value_text.raw_text(long).startswith('"xx')
    assert value_text._remembered_raw_text.cache_info().currsize == before
