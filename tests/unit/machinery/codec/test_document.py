"""JSON text to values and back."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.machinery.codec.document import (
    LongNumber,
    NumberText,
    RepeatedKeys,
    dump,
    has_repeated_keys,
    json_type,
    parse,
    parse_carefully,
)
from kubewire.machinery.codec.errors import MalformedJson
from kubewire.machinery.json_value import JsonValue

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(VALUES)
def test_both_parsers_agree(value: JsonValue) -> None:
    """The careful one keeps more, and means the same."""
    text = orjson.dumps(value)
    assert parse(text) == parse_carefully(text) == value
    assert parse(dump(value)) == value


@given(VALUES, st.booleans())
def test_text_without_repeated_keys_is_recognized(value: JsonValue, is_indented: bool) -> None:  # noqa: FBT001 - drawn
    """However it is written."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2 if is_indented else 0)
    assert not has_repeated_keys(text, parse(text)) or b"\\u003" in text


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":1}', '{"a" : 1, "a":{}}', '[{"b":{"a":":","a":1}}]', r'{"a:":1,"a\u003a":2}']
)
def test_repeated_keys_are_found(text: str) -> None:
    """However deep, however written."""
    assert has_repeated_keys(text.encode(), parse(text.encode()))


def test_repeated_keys_are_named_once_and_the_last_value_counts() -> None:
    """Three times the same key is one finding."""
    value = parse_carefully(b'{"a":1,"b":2,"a":3,"a":4}')
    assert isinstance(value, RepeatedKeys)
    assert (value, value.repeated) == ({"a": 4, "b": 2}, ("a",))


def test_numbers_keep_their_text() -> None:
    """Fractions, exponents and more digits than 64 bits hold are written again as they were."""
    text = b'[1.50,1e3,-0.0,123456789012345678901234567890,7,{"a":2.0}]'
    value = parse_carefully(text)
    assert isinstance(value, list)
    assert isinstance(value[0], NumberText)
    assert isinstance(value[3], LongNumber)
    assert dump(value) == text
    assert dump(parse_carefully(b'{"a":1,"a":2}')) == b'{"a":2}'


@pytest.mark.parametrize("text", [b'{"a\xff":"\xff"}', rb'{"a\ud800":"\udc00"}'])
def test_what_is_no_unicode_becomes_a_replacement_character(text: bytes) -> None:
    """As Go reads it: bytes that are no UTF-8, surrogates without a partner."""
    assert parse(text) == {"a\ufffd": "\ufffd"}


def test_pairs_of_surrogates_are_one_character() -> None:
    """Escapes of characters beyond the first plane are read."""
    assert parse_carefully(rb'["\ud83d\ude00"]') == ["\U0001f600"]


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 2000 + b"1" + b"}" * 2000])
def test_depth_is_bounded(text: bytes) -> None:
    """A small text cannot exhaust the stack."""
    with pytest.raises(MalformedJson, match=r"exceeded max depth|unexpected end"):
        parse(text)


def test_long_numbers_are_bounded() -> None:
    """Python reads numbers of thousands of digits slowly, and then not at all."""
    with pytest.raises(MalformedJson, match="number is too long"):
        parse(b"1" * 10_000)


def test_types_have_gos_names() -> None:
    """For messages about wrong ones."""
    values: list[JsonValue] = [True, "x", [], {}, 1, 1.5]
    assert [json_type(value) for value in values] == [
        "bool",
        "string",
        "array",
        "object",
        "number",
        "number",
    ]
