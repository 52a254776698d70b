"""Field sets keep parents and children apart, and read and write FieldsV1 canonically."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.machinery.managed_fields.field_set import EMPTY, FieldsError, FieldSet

PATHS = st.frozensets(
    st.lists(st.sampled_from(["f:a", "f:b", 'k:{"n":1}', 'k:{"n":"x"}', 'v:"y"', "i:3"]), min_size=1, max_size=3).map(
        tuple
    ),
    max_size=8,
)
Paths = frozenset[tuple[str, ...]]


def set_of(paths: Paths) -> FieldSet:
    """The set with exactly these members."""
    made = EMPTY
    for path in paths:
        text = b"{}"
        for element in reversed(path):
            text = orjson.dumps({element: orjson.loads(text)})
        made = made.union(FieldSet.from_fields_v1(text))
    return made


def members(fields: FieldSet) -> Paths:
    """All members of a set."""
    return frozenset(fields.paths())


@given(PATHS)
def test_members_are_what_was_put_in(paths: Paths) -> None:
    """A set of paths has these members and no others; its text means the same."""
    made = set_of(paths)
    assert members(made) == paths
    assert all(path in made for path in paths)
    assert FieldSet.from_fields_v1(made.fields_v1) == made
    assert made.is_empty == (not paths)


@given(PATHS, PATHS)
def test_operations_are_those_of_plain_sets(left: Paths, right: Paths) -> None:
    """Union, difference and intersection treat a parent and its children as independent members."""
    a, b = set_of(left), set_of(right)
    assert members(a.union(b)) == left | right
    assert members(a.difference(b)) == left - right
    assert members(a.intersection(b)) == left & right
    assert members(a.without(b)) == {
        path for path in left if not any(path[: len(prefix)] == prefix for prefix in right)
    }


@given(PATHS, PATHS)
def test_unchanged_sets_are_themselves(left: Paths, right: Paths) -> None:
    """Adding what is there and removing what is not makes no new set, so its text is not made again."""
    a = set_of(left)
    assert a.union(set_of(left & right)) is a
    assert a.difference(set_of(right - left)) is a


@given(PATHS, PATHS)
def test_texts_are_canonical(left: Paths, right: Paths) -> None:
    """However a set was made, its text is the same."""
    a, b = set_of(left), set_of(right)
    assert a.union(b).fields_v1 == b.union(a).fields_v1
    assert a.union(b).difference(b).union(a.intersection(b)).fields_v1 == a.fields_v1


def test_order_of_elements() -> None:
    """The node itself comes first, then fields by name, keys and values by value, indexes by number."""
    text = orjson.dumps(
        {
            "i:10": {},
            "i:9": {},
            'v:"x"': {},
            "v:1": {},
            'k:{"port":80,"protocol":"TCP"}': {},
            'k:{"port":443,"protocol":"TCP"}': {},
            'k:{"port":"80"}': {},
            "f:b": {"f:z": {}, ".": {}},
            "f:a": {},
        }
    )
    assert FieldSet.from_fields_v1(text).fields_v1 == (
        rb'{"f:a":{},"f:b":{".":{},"f:z":{}},"k:{\"port\":80,\"protocol\":\"TCP\"}":{},'
        rb'"k:{\"port\":443,\"protocol\":\"TCP\"}":{},"k:{\"port\":\"80\"}":{},"v:1":{},"v:\"x\"":{},"i:9":{},"i:10":{}}'
    )


def test_foreign_spellings_are_canonicalized() -> None:
    """Keys in another order or with spaces are the same elements; unknown kinds are left out."""
    foreign = orjson.dumps({'k:{ "protocol":"TCP", "port" : 80}': {".": {}}, "z:later": {"f:a": {}}})
    assert FieldSet.from_fields_v1(foreign).fields_v1 == rb'{"k:{\"port\":80,\"protocol\":\"TCP\"}":{}}'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"{", "no JSON"),
        (b"[]", "must consist of objects, found list"),
        (b'{"f:a":1}', "must consist of objects, found int"),
        (b'{"f":{}}', "key must be 2 characters long: f"),
        (b'{"field":{}}', "missing colon: field"),
        (b'{"k:x":{}}', "malformed path element k:x"),
        (b'{"k:[]":{}}', "a key must be an object"),
        (b'{"i:x":{}}', "malformed path element i:x"),
        (b'{"f:a":' * 300 + b"{}" + b"}" * 300, "nested deeper than 200 levels"),
    ],
)
def test_malformed_text(text: bytes, problem: str) -> None:
    """Text that is no FieldsV1 is refused with the place."""
    with pytest.raises(FieldsError) as failure:
        FieldSet.from_fields_v1(text)
    assert problem in str(failure.value)


def test_paths_of_names() -> None:
    """A set can be made from the names of fields."""
    assert FieldSet.of_paths([("status",), ("metadata", "name")]).fields_v1 == (
        b'{"f:metadata":{"f:name":{}},"f:status":{}}'
    )
