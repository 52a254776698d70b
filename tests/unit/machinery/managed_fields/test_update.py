"""Updates own what they change: proved on what a Kubernetes server recorded, and on rules of their own.

`tests/data/managed_fields` holds ordinary objects as a Kubernetes 1.36 server stored them, the entries it recorded,
and what it recorded them from: the kind's empty object, the object as it was created after defaulting, and the
object before a controller wrote its status.
"""

import copy
import json
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.managed_fields import entry as entries
from kubewire.machinery.managed_fields.entry import Entry
from kubewire.machinery.managed_fields.field_set import FieldSet
from kubewire.machinery.managed_fields.merge_types import MergeError, of_definition
from kubewire.machinery.managed_fields.update import (
    Kind,
    Write,
    capped,
    compare,
    is_same_but_times,
    manager_name,
    update,
)

CASES = sorted(Path("tests/data/managed_fields").glob("*.json"))
POD = Kind(of_definition("io.k8s.api.core.v1.Pod"), "v1")
SERVICE = Kind(of_definition("io.k8s.api.core.v1.Service"), "v1")


class Case(NamedTuple):
    """One recorded object."""

    definition: str
    zero: JsonObject
    created: JsonObject
    live: JsonObject
    stored: JsonObject
    entries: list[JsonValue]


def recorded(case: Path) -> Case:
    """Read one case."""
    return Case(**json.loads(case.read_text()))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_creates_are_recorded_as_kubernetes_records_them(path: Path) -> None:
    """The entry of a create is byte for byte that of a Kubernetes server."""
    case = recorded(path)
    wanted = [one for one in entries.from_json(case.entries) if not one.subresource]
    kind = Kind(of_definition(case.definition), str(case.stored["apiVersion"]))
    write = Write("Python-urllib", wanted[0].time or 0 if wanted else 0)
    assert update(kind, case.zero, case.created, [], write) == wanted


@pytest.mark.parametrize(
    "path", [path for path in CASES if "subresource" in path.read_text()], ids=lambda path: path.stem
)
def test_status_updates_are_recorded_as_kubernetes_records_them(path: Path) -> None:
    """The entries after a controller's status update are byte for byte those of a Kubernetes server."""
    case = recorded(path)
    wanted = entries.from_json(case.entries)
    first = [one for one in wanted if not one.subresource]
    [last] = [one for one in wanted if one.subresource]
    kind = Kind(of_definition(case.definition), str(case.stored["apiVersion"]), last.subresource)
    assert update(kind, case.live, case.stored, first, Write(last.manager, last.time or 0)) == wanted


def pod(**labels: str) -> JsonObject:
    """A stored pod with these labels."""
    made: dict[str, JsonValue] = dict(labels)
    return {
        "metadata": {"name": "p", "uid": "1", "labels": made},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }


def owned(found: list[Entry]) -> dict[str, str]:
    """Fields by manager."""
    return {one.manager: one.fields.decode() for one in found}


def test_the_writer_takes_what_it_changes() -> None:
    """A changed field moves to the writer, an unchanged one stays, a removed one is owned by nobody."""
    before = Entry("a", "Update", "v1", 1, b'{"f:metadata":{"f:labels":{".":{},"f:x":{},"f:y":{},"f:z":{}}}}')
    after = update(POD, pod(x="1", y="1", z="1"), pod(x="1", y="2"), [before], Write("b", 2))
    assert owned(after) == {
        "a": '{"f:metadata":{"f:labels":{".":{},"f:x":{}}}}',
        "b": '{"f:metadata":{"f:labels":{"f:y":{}}}}',
    }
    assert [one.time for one in after] == [1, 2]


def test_a_write_that_changes_nothing_leaves_entries_alone() -> None:
    """Without a change neither fields nor times move."""
    before = [Entry("a", "Update", "v1", 1, b'{"f:metadata":{"f:labels":{".":{},"f:x":{}}}}')]
    assert update(POD, pod(x="1"), pod(x="1"), before, Write("a", 9)) == before


def test_the_writers_entry_grows() -> None:
    """What a manager writes later joins its entry and moves its time."""
    before = Entry("a", "Update", "v1", 1, b'{"f:metadata":{"f:labels":{".":{},"f:x":{}}}}')
    [after] = update(POD, pod(x="1"), pod(x="1", y="1"), [before], Write("a", 9))
    assert after == before._replace(time=9, fields=b'{"f:metadata":{"f:labels":{".":{},"f:x":{},"f:y":{}}}}')


def test_a_manager_that_owns_nothing_disappears() -> None:
    """An entry without fields is dropped."""
    before = Entry("a", "Apply", "v1", 1, b'{"f:metadata":{"f:labels":{"f:x":{}}}}')
    assert owned(update(POD, pod(x="1"), pod(x="2"), [before], Write("b", 2))) == {
        "b": '{"f:metadata":{"f:labels":{"f:x":{}}}}'
    }


def test_objects_without_entries_stay_untracked() -> None:
    """Once all entries are gone, updates do not bring them back."""
    assert update(POD, pod(x="1"), pod(x="2"), [], Write("b", 2)) == []


def test_reset_fields_are_not_owned() -> None:
    """What the server puts back is not the writer's, however much of it is sent."""
    kind = Kind(POD.type, "v1", reset=FieldSet.of_paths([("status",)]))
    live: JsonObject = {"metadata": {}, "spec": {"containers": None}, "status": {}}
    new: JsonObject = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": None}, "status": {"phase": "x"}}
    assert owned(update(kind, live, new, [], Write("m", 1))) == {"m": '{"f:metadata":{"f:labels":{".":{},"f:a":{}}}}'}


def test_entries_of_other_versions_are_compared_in_theirs() -> None:
    """An entry's fields are those of its version; entries of versions no longer served are dropped."""

    def show(version: str, obj: JsonObject) -> tuple[object, JsonObject] | None:
        if version != "v1beta1":
            return None
        metadata = obj["metadata"]
        assert isinstance(metadata, dict)
        return POD.type, {"metadata": {"annotations": metadata["labels"]}}

    kind = Kind(POD.type, "v1", other_version=show)  # type: ignore[arg-type]  # a View of objects
    old = Entry("a", "Update", "v1beta1", 1, b'{"f:metadata":{"f:annotations":{"f:x":{},"f:y":{}}}}')
    gone = Entry("g", "Update", "v1alpha1", 1, b'{"f:spec":{}}')
    assert owned(update(kind, pod(x="1", y="1"), pod(x="1", y="2"), [old, gone], Write("b", 2))) == {
        "a": '{"f:metadata":{"f:annotations":{"f:x":{}}}}',
        "b": '{"f:metadata":{"f:labels":{"f:y":{}}}}',
    }


def test_keys_may_have_defaults() -> None:
    """A port without protocol is the TCP port."""
    live: JsonObject = {"metadata": {"uid": "1"}, "spec": {"ports": [{"port": 80}]}}
    new: JsonObject = {"metadata": {"uid": "1"}, "spec": {"ports": [{"port": 80, "targetPort": 1}, {"port": 443}]}}
    changes = compare(SERVICE.type, live, new)
    assert changes.added.fields_v1 == (
        rb'{"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{"f:targetPort":{}},'
        rb'"k:{\"port\":443,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}}}}'
    )


def containers(*images: str) -> JsonObject:
    """A pod whose containers all have the same name."""
    made: list[JsonValue] = [{"name": "c", "image": image} for image in images]
    return {"metadata": {}, "spec": {"containers": made}}


@pytest.mark.parametrize(
    ("before", "after", "added", "modified", "removed"),
    [
        ("ab", "ac", "{}", "CLEAF", "{}"),
        ("a", "ab", "CLEAF", "{}", "CWHOLE"),
        ("ab", "a", "CWHOLE", "{}", "CLEAF"),
        ("", "ab", "CLEAF", "{}", "{}"),
    ],
)
def test_items_with_the_same_key_count_as_one(before: str, after: str, added: str, modified: str, removed: str) -> None:
    """Items that repeat a key are owned together, without looking inside."""
    leaf = r'{"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{}}}}'
    whole = r'{"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:image":{},"f:name":{}}}}}'
    changes = compare(POD.type, containers(*before), containers(*after))
    found = (changes.added, changes.modified, changes.removed)
    wanted = [text.replace("CLEAF", leaf).replace("CWHOLE", whole) for text in (added, modified, removed)]
    assert [one.fields_v1.decode() for one in found] == wanted


@pytest.mark.parametrize("item", ["text", None])
def test_items_without_key_cannot_be_tracked(item: JsonValue) -> None:
    """An item of a keyed list that has no key is refused."""
    with pytest.raises(MergeError):
        compare(POD.type, {"spec": {}}, {"spec": {"volumes": [item]}})


def test_values_without_schema_are_owned_by_what_they_are() -> None:
    """Free-form data is owned key by key where it is a map, and as one where it is anything else."""
    kind = of_definition("io.k8s.api.apps.v1.ControllerRevision")
    changes = compare(kind, {"data": {"a": {"b": 1}, "c": [1], "d": 1}}, {"data": {"a": 1, "c": [2], "d": {"e": 1}}})
    assert changes.modified.fields_v1 == b'{"f:data":{"f:a":{},"f:c":{},"f:d":{}}}'
    assert changes.added.fields_v1 == b'{"f:data":{"f:d":{"f:e":{}}}}'
    assert changes.removed.fields_v1 == b'{"f:data":{"f:a":{"f:b":{}}}}'


def test_at_most_ten_updaters() -> None:
    """The oldest updates are merged into one entry, per API version; applies are not counted."""
    made = [Entry(f"m{i:02}", "Update", "v1", i, f'{{"f:a{i:02}":{{}}}}'.encode()) for i in range(13)]
    applied = [Entry(f"a{i}", "Apply", "v1", i, b'{"f:z":{}}') for i in range(12)]
    kept = capped([*made, *applied])
    updates = [one for one in kept if one.operation == "Update"]
    ancient = next(one for one in updates if one.manager == "ancient-changes")
    assert len(updates) == 10
    assert ancient.fields == b'{"f:a00":{},"f:a01":{},"f:a02":{},"f:a03":{}}'
    assert ancient.time == 3
    assert [one for one in kept if one.operation == "Apply"] == applied


def test_ancient_changes_grow() -> None:
    """What was merged before takes in what is merged later, wherever it stands in time."""
    made = [Entry(f"m{i:02}", "Update", "v1", i, b'{"f:a":{}}') for i in range(11)]
    made.append(Entry("ancient-changes", "Update", "v1", 5, b'{"f:b":{}}'))
    kept = capped(made)
    assert len(kept) == 10
    assert owned(kept)["ancient-changes"] == '{"f:a":{},"f:b":{}}'


@pytest.mark.parametrize(
    ("field_manager", "user_agent", "name"),
    [
        ("mine", "kubectl/v1", "mine"),
        ("", "kubectl/v1.36 (linux)", "kubectl"),
        ("", "a\tb\x00c/1", "abc"),
        ("", "\u00e9" * 100, "\u00e9" * 64),
        ("", "", ""),
    ],
)
def test_manager_name(field_manager: str, user_agent: str, name: str) -> None:
    """The manager is what the request says, else the first word of its user agent, cut to 128 bytes."""
    assert manager_name(field_manager, user_agent) == name


def test_times_alone_are_no_change() -> None:
    """Entries that differ only in their times and order are the same."""
    one, two = Entry("a", "Update", "v1", 1, b"{}"), Entry("b", "Update", "v1", 2, b"{}")
    assert is_same_but_times([one, two], [two._replace(time=9), one])
    assert not is_same_but_times([one, two], [one])


TEXTS = st.sampled_from(["x", "y"])
CONTAINERS: st.SearchStrategy[list[JsonObject]] = st.lists(
    st.fixed_dictionaries(
        {"name": TEXTS},
        optional={"image": TEXTS, "args": st.lists(TEXTS), "resources": st.just({})},
    ),
    unique_by=lambda container: str(container["name"]),
)
PODS: st.SearchStrategy[JsonObject] = st.fixed_dictionaries(
    {
        "metadata": st.fixed_dictionaries(
            {"uid": st.just("1")},
            optional={
                "labels": st.dictionaries(TEXTS, TEXTS),
                "finalizers": st.lists(TEXTS, unique=True),
            },
        ),
        "spec": st.fixed_dictionaries(
            {"containers": CONTAINERS},  # type: ignore[dict-item]  # values of one type are expected
            optional={"nodeSelector": st.dictionaries(TEXTS, TEXTS), "hostNetwork": st.booleans()},
        ),
    }
)
ANYTHING = Entry(
    "other", "Update", "v1", 1, b'{"f:metadata":{"f:labels":{".":{},"f:x":{}}},"f:spec":{"f:hostNetwork":{}}}'
)


@given(PODS, PODS)
def test_a_field_changed_by_an_update_has_one_owner(live: JsonObject, new: JsonObject) -> None:
    """What changed belongs to the writer alone, what is gone to nobody, and inputs are left as they were."""
    kept = copy.deepcopy((live, new))
    changes = compare(POD.type, live, new)
    found = {one.manager: one.field_set for one in update(POD, live, new, [ANYTHING], Write("writer", 2))}
    written = set(changes.written.paths())
    assert set(found["writer"].paths()) == written if written else "writer" not in found
    if "other" in found:
        assert not set(found["other"].paths()) & (written | set(changes.removed.paths()))
    assert (live, new) == kept


@given(PODS, PODS)
def test_a_change_undone_is_the_change_reversed(live: JsonObject, new: JsonObject) -> None:
    """Going back adds what was removed, removes what was added, and modifies the same fields."""
    there, back = compare(POD.type, live, new), compare(POD.type, new, live)
    assert (there.added, there.modified, there.removed) == (back.removed, back.modified, back.added)
