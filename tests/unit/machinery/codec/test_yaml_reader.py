"""YAML into JSON values."""

import pytest

from kubewire.machinery.codec.errors import MalformedYaml
from kubewire.machinery.codec.yaml_reader import DEEPEST, decode_yaml


def test_documents_are_divided_and_empty_ones_left_out() -> None:
    """As kubectl reads a file of several objects."""
    assert decode_yaml(b"a: 1\n---\n---\n# nothing\n---\nb: {c: [d, 'e', \"f\"]}\n") == [
        {"a": 1},
        {"b": {"c": ["d", "e", "f"]}},
    ]
    assert decode_yaml(b"") == []


def test_json_is_yaml() -> None:
    """Bodies of either kind can be read."""
    assert decode_yaml(b'{"a": {"b": [1, "x", null, true, 1.5]}}') == [{"a": {"b": [1, "x", None, True, 1.5]}}]


def test_keys_become_strings() -> None:
    """JSON has no other keys."""
    assert decode_yaml(b"1: a\ntrue: b\n1.5: c\n") == [{"1": "a", "true": "b", "1.5": "c"}]


def test_tags_decide() -> None:
    """Where they say what JSON can say."""
    assert decode_yaml(b'a: !!str 5\nb: !!int "5"\nc: !own d\ne: !!binary aGk=\n') == [
        {"a": "5", "b": 5, "c": "d", "e": "hi"}
    ]


def test_aliases_are_copies() -> None:
    """Changing one value leaves the other alone."""
    value = decode_yaml(b"a: &x [1]\nb: *x\nc: &y z\nd: *y\n&k e: f\ng: *k\n")[0]
    assert value == {"a": [1], "b": [1], "c": "z", "d": "z", "e": "f", "g": "e"}
    assert value["a"] is not value["b"]


def test_mappings_are_merged() -> None:
    """What stands in a mapping itself goes before what is merged in, the first of several before the others."""
    text = b"p: &p {a: 1, b: 1}\nq: &q {b: 2, c: 2}\nr:\n  c: 3\n  <<: [*p, *q]\ns:\n  <<: *p\n  a: 4\n"
    value = decode_yaml(text)[0]
    assert value["r"] == {"a": 1, "b": 1, "c": 3}
    assert value["s"] == {"a": 4, "b": 1}


REFUSED = {
    b"a: 1\nb: 2\na: 3": '^yaml: unmarshal errors:\n  line 3: key "a" already set in map$',
    b"- a": "^document 1 is no mapping of fields to values$",
    b"a: b: c": "^yaml: line 1: mapping values are not allowed in this context$",
    b"a:\n- b\n  c: d": "^yaml: line 3: mapping values are not allowed in this context$",
    b"a:\n  - b\n c": "^yaml: line 2: did not find expected",
    b"a: &x [*x]": "^yaml: anchor 'x' value contains itself$",
    b"a: *x": "^yaml: unknown anchor 'x' referenced$",
    b"a: &x 1\n---\nb: *x": "^yaml: unknown anchor 'x' referenced$",
    b"? [a]\n: b": "^yaml: line 1: a key must be a string, a number or a boolean$",
    b"a: &x {}\n? *x\n: b": "^yaml: line 2: a key must be",
    b"null: a": "^yaml: line 1: null is no key$",
    b"a: .nan": "^yaml: line 1: JSON has no .nan$",
    b"a: !!binary x": "^yaml: line 1: !!binary value contains invalid base64 data$",
    b"<<: a": "^yaml: line 1: map merge requires map or sequence of maps as the value$",
    b'a: "\x01"': "^yaml: unacceptable character #x0001: control characters are not allowed$",
    b"a: \xff": "^yaml: ",
    b"[" * (DEEPEST + 1): "^yaml: exceeded max depth$",
}


@pytest.mark.parametrize(("text", "message"), REFUSED.items(), ids=[str(text[:20]) for text in REFUSED])
def test_what_is_no_object_is_refused(text: bytes, message: str) -> None:
    """With the line, in kubectl's words where it has some."""
    with pytest.raises(MalformedYaml, match=message):
        decode_yaml(text)
