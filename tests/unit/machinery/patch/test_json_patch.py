"""JSON patches follow RFC 6902, within Kubernetes' limits, and fail as a whole."""

import contextlib
import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.machinery.errors import StatusError
from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.patch import json_patch

APPLIED = [
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"foo": "bar", "baz": "qux"}),
    ({"foo": ["a", "c"]}, [{"op": "add", "path": "/foo/1", "value": "b"}], {"foo": ["a", "b", "c"]}),
    ({"foo": ["a"]}, [{"op": "add", "path": "/foo/-", "value": ["b"]}], {"foo": ["a", ["b"]]}),
    ({"foo": ["a"]}, [{"op": "add", "path": "/foo/-1", "value": "b"}], {"foo": ["a", "b"]}),
    ({"foo": None}, [{"op": "add", "path": "/foo", "value": 1}], {"foo": 1}),
    ({"a": 1, "b": 2}, [{"op": "remove", "path": "/a"}], {"b": 2}),
    ({"a": [1, 2, 3]}, [{"op": "remove", "path": "/a/1"}], {"a": [1, 3]}),
    ({"a": [1, 2, 3]}, [{"op": "remove", "path": "/a/-1"}], {"a": [1, 2]}),
    ({"a": 1}, [{"op": "replace", "path": "/a", "value": None}], {"a": None}),
    ({"a": [1]}, [{"op": "replace", "path": "/a/0", "value": 2}], {"a": [2]}),
    ({"a": 1}, [{"op": "replace", "path": "", "value": {"b": 2}}], {"b": 2}),
    ({"a": {"b": 1}, "c": {}}, [{"op": "move", "from": "/a/b", "path": "/c/d"}], {"a": {}, "c": {"d": 1}}),
    ({"a": [1, 2, 3]}, [{"op": "move", "from": "/a/0", "path": "/a/2"}], {"a": [2, 3, 1]}),
    ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}], {"a": {"b": 1}, "c": {"b": 1}}),
    ({"a": "x"}, [{"op": "test", "path": "/a", "value": "x"}], {"a": "x"}),
    ({"a": "x"}, [{"op": "test", "path": "/b", "value": None}], {"a": "x"}),
    ({"a/b": 1, "m~n": 2}, [{"op": "remove", "path": "/a~1b"}, {"op": "remove", "path": "/m~0n"}], {}),
    ({"": {"": 1}}, [{"op": "replace", "path": "//", "value": 2}], {"": {"": 2}}),
]


def patched(document: JsonObject, patch: JsonValue, **limits: int) -> JsonValue:
    """The document after a patch given as JSON values."""
    return json_patch.apply(document, json_patch.decode(json.dumps(patch).encode()), **limits)


@pytest.mark.parametrize(("document", "patch", "expected"), APPLIED)
def test_operations(document: JsonObject, patch: JsonValue, expected: JsonValue) -> None:
    """Every operation does what the RFC says, and the given document stays as it was."""
    before = copy.deepcopy(document)
    assert patched(document, patch) == expected
    assert document == before


REJECTED = [
    ({"a": 1}, {"op": "add", "path": "/b/c", "value": 1}, 'Missing key: "b"'),
    ({"a": 1}, {"op": "add", "path": "/a/c", "value": 1}, "doc is missing path"),
    ({"a": [1]}, {"op": "add", "path": "/a/2", "value": 1}, "invalid index"),
    ({"a": [1]}, {"op": "add", "path": "/a/01", "value": 1}, "no position in a list"),
    ({"a": [1]}, {"op": "add", "path": "/a/x", "value": 1}, "no position in a list"),
    ({"a": [1]}, {"op": "remove", "path": "/a/-"}, "no position in a list"),
    ({"a": [1]}, {"op": "remove", "path": "/a/-2"}, "invalid index"),
    ({"a": 1}, {"op": "add", "path": "/b"}, "missing value"),
    ({"a": 1}, {"op": "add", "path": "b", "value": 1}, "must be empty or begin with '/'"),
    ({"a": 1}, {"op": "remove", "path": "/b"}, "Unable to remove nonexistent key"),
    ({"a": 1}, {"op": "remove", "path": ""}, "the whole object cannot be removed"),
    ({"a": 1}, {"op": "replace", "path": "/b", "value": 1}, "Missing key"),
    ({"a": {"b": 1}}, {"op": "move", "from": "/a", "path": "/a/b"}, "cannot be moved into itself"),
    ({"a": 1}, {"op": "copy", "from": "/b", "path": "/c"}, "Missing key"),
    ({"a": 1}, {"op": "test", "path": "/a", "value": True}, "testing value failed"),
    ({"a": [1, {"b": 0}]}, {"op": "test", "path": "/a", "value": [1, {"b": False}]}, "testing value failed"),
    ({"a": 1}, {"op": "test", "path": "/b", "value": 1}, "Missing key"),
    ({"a": 1}, {"op": "merge", "path": "/a"}, "Unexpected kind: merge"),
]


@pytest.mark.parametrize(("document", "operation", "why"), REJECTED)
def test_operations_that_do_not_apply(document: JsonObject, operation: JsonObject, why: str) -> None:
    """An operation that does not fit fails the patch as Kubernetes does, and the cause says which and why."""
    with pytest.raises(StatusError) as failure:
        patched(document, [operation])
    error = failure.value
    assert (error.code, error.reason) == (422, "Invalid")
    assert error.message == "the server rejected our request due to an error in our request"
    assert error.details
    assert why in error.details.causes[0].message
    assert "operation 0" in error.details.causes[0].message


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "error decoding patch: "),
        (b"{}", "expected a JSON list"),
        (b"[1]", "operation 0 is no object"),
        (b'[{"op":"add","path":1}]', "path of operation 0 is no string"),
        (b'[{"op":"add","path":"","value":' + b"[" * 300 + b"]" * 300 + b"}]", "nested deeper than 200 levels"),
    ],
)
def test_malformed_patches(data: bytes, why: str) -> None:
    """What is no JSON patch is a bad request."""
    with pytest.raises(StatusError) as failure:
        json_patch.decode(data)
    assert failure.value.code == 400
    assert why in failure.value.message


def test_limits() -> None:
    """Too many operations are refused before any is applied, copies when they add up."""
    with pytest.raises(StatusError) as failure:
        json_patch.decode(json.dumps([{"op": "test", "path": "/a"}] * 10_001).encode())
    assert failure.value.code == 413
    assert failure.value.message == (
        "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001"
    )
    double: JsonValue = [{"op": "copy", "from": "/a", "path": f"/a/{i}"} for i in range(30)]
    with pytest.raises(StatusError, match="due to an error in our request"):
        patched({"a": {}}, double)
    assert patched({"a": {}}, [{"op": "copy", "from": "/a", "path": "/b"}], max_copied_bytes=2) == {"a": {}, "b": {}}


VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "0", "-"]), inner, max_size=3)
    ),
    max_leaves=8,
)
POINTERS = st.lists(st.sampled_from(["a", "b", "0", "1", "-", "-1"]), max_size=3).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
OPERATIONS = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
        "path": POINTERS,
        "from": POINTERS,
        "value": VALUES,
    }
)


@given(st.dictionaries(st.sampled_from(["a", "b"]), VALUES), st.lists(OPERATIONS, max_size=5))
def test_any_patch_applies_or_is_rejected(document: JsonObject, operations: list[JsonValue]) -> None:
    """No patch does anything but make a document or a StatusError, and the given document never changes."""
    before = copy.deepcopy(document)
    with contextlib.suppress(StatusError):
        json.dumps(patched(document, operations))
    assert document == before
