"""Whatever bytes come in, only the codec's own errors come out."""

import contextlib
import copy

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubewire.machinery.codec.decode import FieldValidation, decode
from kubewire.machinery.codec.encode import encode, encode_raw
from kubewire.machinery.codec.envelope import unwrap
from kubewire.machinery.codec.errors import CodecError, DecodeError, MalformedProtobuf, MalformedYaml
from kubewire.machinery.codec.refusal import refusal
from kubewire.machinery.codec.stored_form import decode_raw, restore
from kubewire.machinery.codec.yaml_reader import decode_yaml
from kubewire.machinery.errors import StatusError
from kubewire.machinery.gvk import GroupVersionKind
from kubewire.machinery.json_value import JsonValue
from tests.conformance.wire.fixtures import ALL, FULL, Fixture

few = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
fixtures = st.sampled_from(ALL)
odd_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["", "1", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
POD = GroupVersionKind("", "v1", "Pod")


@st.composite
def damaged_values(draw: st.DrawFn) -> tuple[Fixture, JsonValue]:
    """An object with one value somewhere inside replaced by something odd, or with something odd added."""
    fixture = draw(fixtures)
    root: list[JsonValue] = [copy.deepcopy(fixture.value)]
    place: list[JsonValue] | dict[str, JsonValue] = root
    key: int | str = 0
    while (inner := place[key]) and isinstance(inner, (list, dict)) and draw(st.integers(0, 4)):  # type: ignore[index]
        place = inner
        key = draw(st.sampled_from(sorted(inner))) if isinstance(inner, dict) else draw(st.integers(0, len(inner) - 1))
    if isinstance(place, dict) and draw(st.booleans()):
        key = draw(st.text(max_size=6))
    place[key] = draw(odd_values)  # type: ignore[index]
    return fixture, root[0]


@st.composite
def damaged_bytes(draw: st.DrawFn, text: bytes) -> bytes:
    """Bytes with some of them replaced, removed or added."""
    data = bytearray(text)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


def try_decode(fixture: Fixture, data: bytes | dict[str, JsonValue]) -> None:
    """Decode in every mode: a message that can be encoded, or an error that can be told."""
    for validation in FieldValidation:
        try:
            message = decode(data, fixture.message_type, validation=validation, warnings=[])
        except DecodeError as error:
            told = refusal(error, data if isinstance(data, bytes) else b"", POD)
            assert isinstance(told, StatusError)
            assert told.code == 400
        else:
            encode(message)
            restored = copy.deepcopy(message)
            restore(restored)
            assert restored == message, "what was decoded is not in stored form"


@few
@given(damaged=damaged_values())
def test_odd_values_are_read_or_refused(damaged: tuple[Fixture, JsonValue]) -> None:
    """A wrong value anywhere in an object is refused with a reason, or means something."""
    fixture, value = damaged
    with contextlib.suppress(TypeError, orjson.JSONEncodeError):  # numbers that JSON has not, from the dictionary alone
        try_decode(fixture, orjson.dumps(value))
    if isinstance(value, dict):
        try_decode(fixture, value)


@few
@given(data=st.data())
def test_damaged_json_is_read_or_refused(data: st.DataObject) -> None:
    """A JSON text with damaged bytes is refused with a reason, or means something."""
    fixture = data.draw(fixtures)
    try_decode(fixture, data.draw(damaged_bytes(orjson.dumps(fixture.value))))


@few
@given(text=st.binary(max_size=40))
def test_random_bytes_are_refused(text: bytes) -> None:
    """Random bytes are hardly ever JSON, YAML or an envelope, and no reason to fail otherwise."""
    try_decode(FULL[0], text)
    with contextlib.suppress(MalformedYaml):
        decode_yaml(text)
    with contextlib.suppress(MalformedProtobuf):
        unwrap(text)
    with contextlib.suppress(CodecError):
        encode_raw(text, FULL[0].message)


@few
@given(data=st.data())
def test_damaged_protobuf_is_read_or_refused(data: st.DataObject) -> None:
    """An envelope with damaged bytes is refused, or holds a message that can be stored and shown."""
    fixture = data.draw(fixtures)
    with contextlib.suppress(CodecError):
        raw = unwrap(data.draw(damaged_bytes(fixture.stored))).raw
        with contextlib.suppress(CodecError):
            encode_raw(raw, fixture.message)
        message = decode_raw(raw, fixture.message_type)
        assert decode(encode(message), fixture.message_type) == message


@few
@given(data=st.data())
def test_damaged_yaml_is_read_or_refused(data: st.DataObject) -> None:
    """A YAML text with damaged bytes is refused with a reason, or means something."""
    text = b"a: &x [1, {b: c}]\nd:\n- *x\n- 'e'\n- |\n  f\n  g\n<<: {h: i}\n---\n? j\n: !!str k\n"
    with contextlib.suppress(MalformedYaml):
        decode_yaml(data.draw(damaged_bytes(text)))


@pytest.mark.parametrize("levels", [90, 250, 300, 900, 1100, 5000, 100_000])
def test_depth_is_bounded(levels: int) -> None:
    """However deep a text is nested, it is read or refused."""
    nested = b'{"a":' * levels + b"1" + b"}" * levels
    for text in (nested, b'{"data":' + nested + b"}", b'{"spec":' + nested + b"}"):
        try_decode(next(fixture for fixture in FULL if fixture.message.endswith("ControllerRevision")), text)
    with contextlib.suppress(MalformedYaml):
        decode_yaml(nested)


def test_aliases_cannot_ask_for_much_memory() -> None:
    """A few lines that stand for billions of values are refused."""
    lines = [b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [b"a%d: &a%d [%b]" % (level, level, b", ".join([b"*a%d" % (level - 1)] * 10)) for level in range(1, 12)]
    with pytest.raises(MalformedYaml, match="excessive aliasing"):
        decode_yaml(b"\n".join(lines))
