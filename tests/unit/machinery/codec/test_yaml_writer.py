"""JSON values as YAML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.machinery.codec.errors import EncodeError
from kubewire.machinery.codec.yaml_reader import decode_yaml
from kubewire.machinery.codec.yaml_writer import encode_yaml, encode_yaml_documents
from kubewire.machinery.json_value import JsonObject, JsonValue

OBJECT: JsonObject = {
    "b": "yes",
    "a": [1, {"y": "a\nb\n", "x": "ü", "w": ""}, [], {}],
    "t": "2020-01-01T00:00:00Z",
    "n": None,
    "f": 1.5,
    "s": "a: b",
    "d": "- x",
    "i": "12",
}
TEXT = """\
a:
- 1
- w: ""
  x: ü
  "y": |
    a
    b
- []
- {}
b: "yes"
d: '- x'
f: 1.5
i: "12"
"n": null
s: 'a: b'
t: "2020-01-01T00:00:00Z"
"""


def test_the_style_is_kubectls() -> None:
    """Sorted keys, lists not indented, double quotes where a plain text would be something else."""
    assert encode_yaml(OBJECT).decode() == TEXT


def test_several_documents_are_divided() -> None:
    """By three dashes."""
    assert encode_yaml_documents([{"a": 1}, {"b": 2}]) == b"a: 1\n---\nb: 2\n"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(-(2.0**53), 2.0**53)
    | st.text(st.characters(codec="utf-8"), max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(values)
def test_any_value_survives(value: JsonValue) -> None:
    """What is written is read as the same."""
    assert decode_yaml(encode_yaml({"value": value})) == [{"value": value}]


def test_depth_is_bounded() -> None:
    """An error rather than a crash."""
    value: JsonValue = None
    for _ in range(5000):
        value = [value]
    with pytest.raises(EncodeError, match="nested too deep"):
        encode_yaml(value)
