"""Server-side apply merges, takes over, gives up and refuses as KEP-555 says."""

import copy
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.machinery.errors import StatusError
from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.managed_fields import entry as entries
from kubewire.machinery.managed_fields.apply import Applied, Request, apply
from kubewire.machinery.managed_fields.entry import Entry
from kubewire.machinery.managed_fields.field_set import FieldSet
from kubewire.machinery.managed_fields.merge_types import of_definition
from kubewire.machinery.managed_fields.of_messages import Ownership
from kubewire.machinery.managed_fields.update import Kind, Write, update

POD = Kind(of_definition("io.k8s.api.core.v1.Pod"), "v1")
NAMES: JsonObject = {"apiVersion": "v1", "kind": "Pod"}
ZERO: JsonObject = {**NAMES, "metadata": {}, "spec": {"containers": None}, "status": {}}


def config(labels: dict[str, JsonValue] | None = None, **spec: JsonValue) -> JsonObject:
    """What a manager applies."""
    metadata: JsonObject = {"name": "p", "namespace": "n"}
    if labels is not None:
        metadata["labels"] = labels
    made: JsonObject = {**NAMES, "metadata": metadata}
    if spec:
        made["spec"] = dict(spec)
    return made


class Store:
    """One stored pod, applied to and updated."""

    def __init__(self) -> None:
        self.obj = ZERO
        self.entries: list[Entry] = []
        self.time = 0

    def apply(self, manager: str, wanted: JsonObject, *, force: bool = False) -> Applied:
        """Apply and store."""
        self.time += 1
        request = Request(wanted, Write(manager, self.time), force)
        applied = apply(POD, self.obj, self.entries, ZERO, request)
        self.obj, self.entries = applied.obj or self.obj, applied.entries
        return applied

    def update(self, manager: str, new: JsonObject) -> None:
        """Update and store."""
        self.time += 1
        self.entries = update(POD, self.obj, new, self.entries, Write(manager, self.time))
        self.obj = new

    @property
    def labels(self) -> JsonValue:
        """The stored labels."""
        metadata = self.obj["metadata"]
        assert isinstance(metadata, dict)
        return metadata.get("labels")

    def part(self, name: str) -> JsonValue:
        """A stored field of the spec."""
        spec = self.obj["spec"]
        assert isinstance(spec, dict)
        return spec.get(name)

    def owned(self) -> dict[str, str]:
        """Fields by operation and manager."""
        return {f"{one.operation} {one.manager}": one.fields.decode() for one in self.entries}


CONTAINER: JsonObject = {"name": "c", "image": "i", "args": ["x"], "resources": {}}
LABELS = '{"f:metadata":{"f:labels":%s}}'


def test_an_apply_creates_and_owns_what_it_mentions() -> None:
    """The first apply makes the object; structures are not owned themselves, keys, items and leaves are."""
    store, labels, selector = Store(), cast("JsonObject", {"a": "1"}), cast("JsonObject", {"x": "y"})
    store.apply("m", config(labels, containers=[CONTAINER], nodeSelector=selector))
    expected: JsonObject = {
        **NAMES,
        "metadata": {"name": "p", "namespace": "n", "labels": labels},
        "spec": {"containers": [CONTAINER], "nodeSelector": selector},
        "status": {},
    }
    assert store.obj == expected
    assert store.owned() == {
        "Apply m": (
            r'{"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":'
            r'{".":{},"f:args":{},"f:image":{},"f:name":{},"f:resources":{}}},"f:nodeSelector":{}}}'
        )
    }


def test_applying_the_same_again_changes_nothing() -> None:
    """Neither the object nor the time of the entry changes."""
    store = Store()
    store.apply("m", config({"a": "1"}))
    before = list(store.entries)
    again = store.apply("m", config({"a": "1"}))
    assert again.obj is None
    assert again.entries == before


def test_what_is_no_longer_mentioned_goes() -> None:
    """A field only this manager applied is removed when it applies without it, items and their insides too."""
    store = Store()
    store.apply("m", config({"a": "1", "b": "2"}, containers=[CONTAINER, {"name": "d"}], hostNetwork=True))
    store.apply("m", config({"b": "2"}, containers=[{"name": "c", "image": "i"}]))
    assert store.labels == {"b": "2"}
    assert store.part("containers") == [{"name": "c", "image": "i"}]
    assert store.part("hostNetwork") is None


def test_what_others_own_stays() -> None:
    """A field that another manager applied or changed stays when one stops mentioning it."""
    store = Store()
    store.apply("m", config({"a": "1", "b": "1", "c": "1"}))
    store.apply("n", config({"a": "1"}))
    changed = copy.deepcopy(store.obj)
    cast("JsonObject", cast("JsonObject", changed["metadata"])["labels"])["b"] = "2"
    store.update("u", changed)
    store.apply("m", config({}))
    assert store.labels == {"a": "1", "b": "2"}


def test_what_nobody_applied_stays() -> None:
    """Fields without owner, such as those the server fills in, are never removed."""
    store = Store()
    store.apply("m", config({"a": "1"}, containers=[CONTAINER]))
    cast("JsonObject", store.obj["spec"])["dnsPolicy"] = "ClusterFirst"
    cast("JsonObject", store.obj["metadata"])["uid"] = "1"
    store.apply("m", config(containers=[{"name": "c"}]))
    assert store.part("dnsPolicy") == "ClusterFirst"
    assert cast("JsonObject", store.obj["metadata"])["uid"] == "1"
    assert store.labels is None


def test_equal_values_are_shared() -> None:
    """Two managers may own a field as long as they agree on it."""
    store = Store()
    store.apply("m", config({"a": "1"}))
    store.apply("n", config({"a": "1", "b": "2"}))
    assert store.owned() == {"Apply m": LABELS % '{"f:a":{}}', "Apply n": LABELS % '{"f:a":{},"f:b":{}}'}


def test_a_conflict_is_refused_and_named() -> None:
    """Changing somebody else's field fails with the owner and the path, and changes nothing."""
    store = Store()
    store.apply("m", config({"a": "1"}))
    with pytest.raises(StatusError) as failure:
        store.apply("n", config({"a": "2"}))
    error = failure.value
    assert (error.code, error.reason) == (409, "Conflict")
    assert error.message == 'Apply failed with 1 conflict: conflict with "m": .metadata.labels.a'
    assert error.details
    assert [tuple(cause) for cause in error.details.causes] == [
        ("FieldManagerConflict", 'conflict with "m"', ".metadata.labels.a")
    ]
    assert store.labels == {"a": "1"}


def test_several_conflicts_are_grouped_by_owner() -> None:
    """The message lists the fields of every owner, and tells updates by their version."""
    store = Store()
    store.apply("m", config({"a": "1"}, containers=[CONTAINER]))
    changed = copy.deepcopy(store.obj)
    cast("JsonObject", changed["spec"])["hostname"] = "h"
    store.update("u", changed)
    with pytest.raises(StatusError) as failure:
        store.apply("n", config({"a": "2"}, hostname="other", containers=[{"name": "c", "image": "j"}]))
    assert failure.value.message == (
        'Apply failed with 3 conflicts: conflicts with "m":\n- .metadata.labels.a\n- .spec.containers[name="c"].image\n'
        'conflicts with "u" using v1:\n- .spec.hostname'
    )


def test_force_takes_over() -> None:
    """A forced apply takes the field from its owner, who loses it."""
    store = Store()
    store.apply("m", config({"a": "1", "b": "1"}))
    store.apply("n", config({"a": "2"}), force=True)
    assert store.labels == {"a": "2", "b": "1"}
    assert store.owned() == {"Apply m": LABELS % '{"f:b":{}}', "Apply n": LABELS % '{"f:a":{}}'}


def test_updates_before_the_first_apply_conflict() -> None:
    """An untracked object gets an owner for what it holds when it is first applied to."""
    store = Store()
    store.obj = {**ZERO, "metadata": {"name": "p", "namespace": "n", "uid": "1", "labels": {"a": "1"}}}
    with pytest.raises(StatusError, match="before-first-apply"):
        store.apply("m", config({"a": "2"}))
    store.apply("m", config({"a": "2"}), force=True)
    assert store.owned()["Apply m"] == LABELS % '{"f:a":{}}'


def test_kubectl_takes_over_from_client_side_apply() -> None:
    """What kubectl applied from the client, and nobody changed since, it may take over without force."""
    store = Store()
    last = '{"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"a":"1","b":"1"}}}'
    annotated: JsonObject = {"kubectl.kubernetes.io/last-applied-configuration": last}
    metadata: JsonObject = {"name": "p", "namespace": "n", "labels": {"a": "1", "b": "2"}, "annotations": annotated}
    store.update("kubectl-client-side-apply", {**ZERO, "metadata": metadata})
    with pytest.raises(StatusError, match="conflict"):
        store.apply("other", config({"a": "2"}))
    with pytest.raises(StatusError, match=r"labels\.b"):
        store.apply("kubectl", config({"a": "2", "b": "1"}))
    store.apply("kubectl", config({"a": "2"}))
    assert store.labels == {"a": "2", "b": "2"}


@pytest.mark.parametrize(
    ("live", "wanted", "expected"),
    [
        ("axb", "bca", "xbca"),
        ("ab", "cba", "cba"),
        ("ax", "ca", "cax"),
        ("xa", "ac", "xac"),
        ("axb", "acb", "axcb"),
        ("a", "b", "ab"),
        ("abx", "ba", "bxa"),
        ("", "ab", "ab"),
        ("ab", "", "ab"),
    ],
)
def test_order_of_merged_lists(live: str, wanted: str, expected: str) -> None:
    """Applied items keep their order, others stay where they are among them."""
    store = Store()
    store.update("u", {**ZERO, "metadata": {"name": "p"}, "spec": {"containers": [{"name": name} for name in live]}})
    store.apply("m", config(containers=[{"name": name} for name in wanted]))
    found = store.part("containers")
    assert isinstance(found, list)
    assert "".join(str(one["name"]) for one in found if isinstance(one, dict)) == expected


REFUSED: list[tuple[JsonObject, int, str]] = [
    (
        {**config(), "apiVersion": "v2"},
        400,
        "Incorrect version specified in apply patch. Specified patch version: v2, expected: v1",
    ),
    ({**config(), "metadata": {"managedFields": []}}, 400, "metadata.managedFields must be nil"),
    (config(surprise=1), 500, "(n/p; v1, Kind=Pod): .spec.surprise: field not declared in schema"),
    (config(hostNetwork="yes"), 500, '.spec.hostNetwork: expected boolean, got "yes"'),
    (config(hostname=1), 500, ".spec.hostname: expected string, got 1"),
    (config(priority="x"), 500, '.spec.priority: expected numeric (int or float), got "x"'),
    (config(containers={}), 500, ".spec.containers: expected list, got a map"),
    (config(affinity=[]), 500, ".spec.affinity: expected map, got a list"),
    (config(nodeSelector={"a": 1}), 500, ".spec.nodeSelector.a: expected string, got 1"),
    (
        config(containers=[{"name": "c", "args": [1]}]),
        500,
        '.spec.containers[name="c"].args[0]: expected string, got 1',
    ),
    (config(containers=[{"name": "c"}, {"name": "c"}]), 500, '.spec.containers: duplicate entries for key [name="c"]'),
    (config(containers=["c"]), 500, ".spec.containers: element 0: associative list with keys may not have non-map"),
    (
        config(a=1, b=2),
        500,
        "errors:\n  .spec.a: field not declared in schema\n  .spec.b: field not declared in schema",
    ),
]


@pytest.mark.parametrize(("wanted", "code", "why"), REFUSED)
def test_configurations_that_do_not_fit(wanted: JsonObject, code: int, why: str) -> None:
    """A configuration of another version or shape is refused with the place and Kubernetes' code."""
    with pytest.raises(StatusError) as failure:
        Store().apply("m", wanted)
    assert failure.value.code == code
    assert why in failure.value.message


def test_items_that_repeat_a_key_are_replaced() -> None:
    """Items of the live object that share a key are replaced by the applied one."""
    store = Store()
    store.obj = {**ZERO, "spec": {"containers": [{"name": "c", "image": "1"}, {"name": "d"}, {"name": "c"}]}}
    store.entries = [Entry("u", "Update", "v1", 1, b'{"f:status":{}}')]
    store.apply("m", config(containers=[{"name": "c", "image": "2"}]))
    assert store.part("containers") == [{"name": "c", "image": "2"}, {"name": "d"}]


def test_reset_fields_are_applied_but_not_owned() -> None:
    """What the server puts back is no conflict and has no owner."""
    kind = Kind(POD.type, "v1", reset=FieldSet.of_paths([("status",)]))
    others = [Entry("u", "Update", "v1", 1, b'{"f:status":{"f:phase":{}}}', "status")]
    live: JsonObject = {**ZERO, "status": {"phase": "Running"}}
    wanted: JsonObject = {**config(), "status": {"phase": "Failed"}}
    assert apply(kind, live, others, ZERO, Request(wanted, Write("m", 2))).entries == others


def test_applying_to_messages() -> None:
    """Stored messages are applied to through their JSON form, without their entries in the way."""
    ownership = Ownership(POD, Pod)
    created = ownership.apply(None, config({"a": "1"}, containers=[CONTAINER]), Write("m", 1))
    assert created.obj
    pod = Pod()
    pod.metadata.name, pod.metadata.namespace, pod.metadata.labels["a"] = "p", "n", "1"
    pod.spec.containers.add(name="c", image="i", args=["x"])
    entries.store(created.entries, pod.metadata)
    assert ownership.apply(pod, config({"a": "1"}, containers=[CONTAINER]), Write("m", 2)) == Applied(
        None, created.entries
    )
    with pytest.raises(StatusError, match="conflict"):
        ownership.apply(pod, config({"a": "2"}), Write("n", 2))
    changed = ownership.apply(pod, config({"a": "2"}), Write("n", 2), is_forced=True)
    assert changed.obj
    assert cast("JsonObject", changed.obj["metadata"])["labels"] == {"a": "2"}


KEYS = st.sampled_from(["a", "b", "c"])
TEXTS = st.sampled_from(["1", "2"])
CONFIGS = st.builds(
    lambda labels, containers, hostname: config(
        labels, containers=containers, **({"hostname": hostname} if hostname else {})
    ),
    st.none() | st.dictionaries(KEYS, TEXTS, min_size=1),
    st.lists(
        st.fixed_dictionaries({"name": KEYS, "image": TEXTS}), unique_by=lambda one: one["name"], min_size=1, max_size=3
    ),
    st.none() | TEXTS,
)


@given(st.lists(st.tuples(st.sampled_from(["m", "n"]), CONFIGS), min_size=1, max_size=5))
def test_forced_applies_hold(applies: list[tuple[str, JsonObject]]) -> None:
    """After every forced apply, nobody owns what is not there, and applying the same again changes nothing."""
    store = Store()
    for manager, wanted in applies:
        store.apply(manager, wanted, force=True)
        there = FieldSet(POD.type.mentioned(store.obj) or {})
        everything = set(there.paths())
        for entry in store.entries:
            owned = {path for path in entry.field_set.paths() if path[0] != "f:kind"}
            assert owned <= everything
        assert store.apply(manager, wanted).obj is None


@given(CONFIGS, CONFIGS)
def test_one_manager_declares_its_whole_will(first: JsonObject, second: JsonObject) -> None:
    """What a single manager applies in two steps is what it applies at once, but for empty structures left behind."""

    def filled(value: JsonValue) -> JsonValue:
        if isinstance(value, dict):
            return {key: left for key, below in value.items() if (left := filled(below)) not in ({}, [], None)}
        return value

    stepwise, at_once = Store(), Store()
    stepwise.apply("m", first)
    stepwise.apply("m", second)
    at_once.apply("m", second)
    assert filled(stepwise.obj) == filled(at_once.obj)
    assert [one.fields for one in stepwise.entries] == [one.fields for one in at_once.entries]
