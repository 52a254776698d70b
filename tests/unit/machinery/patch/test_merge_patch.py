"""JSON merge patches follow RFC 7386."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.machinery.errors import StatusError
from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.patch import merge_patch


@pytest.mark.parametrize(
    ("document", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({"a": 1}, {"a": {"b": None, "c": 2}}, {"a": {"c": 2}}),
    ],
)
def test_merging(document: JsonObject, patch: JsonObject, expected: JsonObject) -> None:
    """The examples of the RFC."""
    before = copy.deepcopy((document, patch))
    assert merge_patch.apply(document, patch) == expected
    assert (document, patch) == before


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"nope", "error decoding patch: "),
        (b"[1]", "expected a JSON object, found a list"),
        (b"null", "expected a JSON object, found null"),
        (b"1", "expected a JSON object, found a number"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "nested deeper than 200 levels"),
    ],
)
def test_malformed_patches(data: bytes, why: str) -> None:
    """What is no merge patch of an object is a bad request."""
    with pytest.raises(StatusError) as failure:
        merge_patch.decode(data)
    assert failure.value.code == 400
    assert why in failure.value.message


KEYS = st.sampled_from(["a", "b"])
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.integers(0, 2),
    lambda inner: st.dictionaries(KEYS, inner) | st.lists(inner, max_size=2),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, VALUES), st.dictionaries(KEYS, VALUES))
def test_a_patch_applied_twice_changes_nothing_more(document: JsonObject, patch: JsonObject) -> None:
    """Merging is idempotent, and what a patch says holds afterwards."""
    once = merge_patch.apply(document, patch)
    assert merge_patch.apply(once, patch) == once
    for key, value in patch.items():
        if value is None:
            assert key not in once
        elif not isinstance(value, dict):
            assert once[key] == value
