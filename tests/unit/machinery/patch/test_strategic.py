"""Strategic merge patches merge as the schema says and obey their directives."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.machinery.errors import StatusError
from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.patch import strategic
from kubewire.machinery.patch.definition_schema import schema_of

POD = schema_of("io.k8s.api.core.v1.Pod")
DEPLOYMENT = schema_of("io.k8s.api.apps.v1.Deployment")


def pod(**spec: JsonValue) -> JsonObject:
    """A pod with this spec."""
    return {"spec": dict(spec)}


def container(name: str, **fields: JsonValue) -> JsonObject:
    """A container."""
    return {"name": name, **fields}


def delete(name: str) -> JsonObject:
    """The directive that removes an item."""
    return {"$patch": "delete", "name": name}


MERGED: dict[str, tuple[JsonObject, JsonObject, JsonObject]] = {
    "maps merge": (
        {"metadata": {"labels": {"a": "1", "b": "2"}}},
        {"metadata": {"labels": {"b": None, "c": "3"}, "annotations": {"x": "y", "z": None}}},
        {"metadata": {"labels": {"a": "1", "c": "3"}, "annotations": {"x": "y"}}},
    ),
    "keyed lists merge by key, patched items in the patch's order": (
        pod(containers=[container("a", image="1"), container("b", image="1")]),
        pod(containers=[container("c", image="2"), container("b", image="2")]),
        pod(containers=[container("c", image="2"), container("a", image="1"), container("b", image="2")]),
    ),
    "items below merge too": (
        pod(containers=[container("a", env=[{"name": "X", "value": "1"}], args=["x"])]),
        pod(containers=[container("a", env=[{"name": "Y", "value": "2"}], args=["y"])]),
        pod(
            containers=[
                container("a", env=[{"name": "Y", "value": "2"}, {"name": "X", "value": "1"}], args=["y"]),
            ]
        ),
    ),
    "items are deleted": (
        pod(containers=[container("a"), container("b")]),
        pod(containers=[delete("a"), container("c")]),
        pod(containers=[container("c"), container("b")]),
    ),
    "lists are replaced on demand": (
        pod(containers=[container("a"), container("b")]),
        pod(containers=[container("c"), {"$patch": "replace"}]),
        pod(containers=[container("c")]),
    ),
    "lists of plain values merge as sets": (
        {"metadata": {"finalizers": ["a", "b"]}},
        {"metadata": {"finalizers": ["c", "b"]}},
        {"metadata": {"finalizers": ["c", "a", "b"]}},
    ),
    "plain values are deleted": (
        {"metadata": {"finalizers": ["a", "b", "c"]}},
        {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a", "c", "x"]}},
        {"metadata": {"finalizers": ["b"]}},
    ),
    "lists without strategy are replaced": (
        pod(tolerations=[{"key": "a"}], containers=[container("a", command=["x"])]),
        pod(tolerations=[{"key": "b"}], containers=[container("a", command=["y"])]),
        pod(tolerations=[{"key": "b"}], containers=[container("a", command=["y"])]),
    ),
    "maps are replaced on demand": (
        {"metadata": {"labels": {"a": "1"}}},
        {"metadata": {"labels": {"$patch": "replace", "b": "2"}}},
        {"metadata": {"labels": {"b": "2"}}},
    ),
    "maps are emptied on demand": (
        {"metadata": {"labels": {"a": "1"}}},
        {"metadata": {"labels": {"$patch": "delete"}}},
        {"metadata": {"labels": {}}},
    ),
    "keys not retained are dropped": (
        {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}},
        {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
        {"spec": {"strategy": {"type": "Recreate"}}},
    ),
    "lists are put in order, what the patch does not know in between": (
        pod(containers=[container("a"), container("x"), container("b")]),
        {
            "spec": {
                "$setElementOrder/containers": [{"name": "b"}, {"name": "c"}, {"name": "a"}],
                "containers": [container("c")],
            }
        },
        pod(containers=[container("x"), container("b"), container("c"), container("a")]),
    ),
    "order alone": (
        {"metadata": {"finalizers": ["a", "b"]}},
        {"metadata": {"$setElementOrder/finalizers": ["b", "a"]}},
        {"metadata": {"finalizers": ["b", "a"]}},
    ),
    "order of a new list": (
        {"metadata": {}},
        {"metadata": {"$setElementOrder/finalizers": ["b", "a"], "finalizers": ["b", "a"]}},
        {"metadata": {"finalizers": ["b", "a"]}},
    ),
    "order of a list nobody has": (
        {"metadata": {}},
        {"metadata": {"$setElementOrder/finalizers": []}},
        {"metadata": {}},
    ),
    "values of another type are replaced": (
        {"metadata": {"labels": None}},
        {"metadata": {"labels": {"a": "1"}}},
        {"metadata": {"labels": {"a": "1"}}},
    ),
    "directives in new values vanish": (
        pod(),
        pod(containers=[container("a"), delete("b")], volumes={"$patch": "delete"}),
        pod(containers=[container("a")]),
    ),
    "merging is the default": (
        {"metadata": {"labels": {"a": "1"}}},
        {"metadata": {"$patch": "merge", "labels": {"b": "2"}}},
        {"metadata": {"labels": {"a": "1", "b": "2"}}},
    ),
}


@pytest.mark.parametrize("case", MERGED)
def test_merging(case: str) -> None:
    """A patch merges as its directives and the schema say; what is given stays as it was."""
    document, patch, expected = MERGED[case]
    before = copy.deepcopy((document, patch))
    schema = DEPLOYMENT if "strategy" in str(document) else POD
    assert strategic.apply(document, patch, schema) == expected
    assert (document, patch) == before


REFUSED: list[tuple[JsonObject, int, str]] = [
    ({"metadata": {"labels": {"$patch": "upsert"}}}, 500, "unknown patch type: upsert"),
    (pod(containers=[{"image": "x"}]), 500, "does not contain declared merge key: name"),
    (pod(containers=[{"$patch": "merge", "name": "a"}]), 500, "merging lists cannot yet be specified in the patch"),
    (pod(containers=[{"$patch": "upsert", "name": "a"}]), 500, "unknown patch type: upsert"),
    (pod(containers=["text"]), 500, "must all be maps or all be plain values"),
    (pod(containers=[["text"]]), 422, "due to an error in our request"),
    ({"spec": {"$retainKeys": "a"}}, 400, "invalid patch format of retainKeys"),
    ({"spec": {"$retainKeys": ["a"], "containers": []}}, 422, "due to an error in our request"),
    ({"metadata": {"$deleteFromPrimitiveList": ["a"]}}, 400, "invalid patch format of primitive list"),
    ({"metadata": {"$setElementOrder": ["a"]}}, 400, "invalid patch format of setElementOrder list"),
    ({"metadata": {"$setElementOrder/finalizers": "a"}}, 400, "invalid patch format of setElementOrder list"),
    (
        {"metadata": {"$setElementOrder/finalizers": ["a", "b"], "finalizers": ["b", "a"]}},
        500,
        "doesn't match $setElementOrder list",
    ),
    ({"surprise": {"a": 1}}, 500, 'unable to find api field in struct Pod for the json field "surprise"'),
]


@pytest.mark.parametrize(("patch", "code", "why"), REFUSED)
def test_patches_that_do_not_fit(patch: JsonObject, code: int, why: str) -> None:
    """A patch that breaks the rules fails with Kubernetes' code."""
    document: JsonObject = {
        "metadata": {"labels": {}, "finalizers": ["a"]},
        "spec": {"containers": [container("a")]},
        "surprise": {},
    }
    with pytest.raises(StatusError) as failure:
        strategic.apply(document, patch, POD)
    assert failure.value.code == code
    assert why in failure.value.message


NAMES = st.sampled_from(["a", "b", "c"])
CONTAINERS: st.SearchStrategy[list[JsonObject]] = st.lists(
    st.fixed_dictionaries({"name": NAMES, "image": st.sampled_from(["1", "2"])}),
    unique_by=lambda one: str(one["name"]),
    max_size=3,
)


@given(CONTAINERS, CONTAINERS)
def test_keyed_lists_merge_without_loss(present: list[JsonValue], change: list[JsonValue]) -> None:
    """Every patched item is there as patched and in the patch's order, every other as it was and in its order."""
    merged = strategic.apply(pod(containers=present), pod(containers=change), POD)
    spec = merged["spec"]
    assert isinstance(spec, dict)
    items = spec["containers"]
    assert isinstance(items, list)
    changed = [one["name"] for one in change if isinstance(one, dict)]
    assert [one for one in items if isinstance(one, dict) and one["name"] in changed] == change
    assert [one for one in items if isinstance(one, dict) and one["name"] not in changed] == [
        one for one in present if isinstance(one, dict) and one["name"] not in changed
    ]
