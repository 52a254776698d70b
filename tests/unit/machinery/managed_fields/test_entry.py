"""Entries survive JSON and messages, and malformed ones are refused in Kubernetes' words."""

import json
from pathlib import Path

import pytest

from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta
from kubewire.machinery.json_value import JsonObject
from kubewire.machinery.managed_fields import entry as entries
from kubewire.machinery.managed_fields.entry import Entry, EntryError

CASES = sorted(Path("tests/data/managed_fields").glob("*.json"))
VALID: JsonObject = {
    "manager": "m",
    "operation": "Update",
    "apiVersion": "v1",
    "time": "2026-11-23T05:25:55Z",
    "fieldsType": "FieldsV1",
    "fieldsV1": {"f:a": {}},
    "subresource": "status",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_entries_of_a_kubernetes_server_survive(case: Path) -> None:
    """What a Kubernetes server wrote is the same after reading and writing, as JSON and as message."""
    written = json.loads(case.read_text())["entries"]
    read = entries.from_json(written)
    assert json.dumps(entries.to_json(read)) == json.dumps(written)
    metadata = ObjectMeta()
    entries.store(read, metadata)
    assert entries.from_metadata(ObjectMeta.FromString(metadata.SerializeToString())) == read


def test_order() -> None:
    """Applies come before updates, older before newer, then by name, version and subresource."""
    made = [
        Entry("b", "Update", "v1", 2, b"{}"),
        Entry("a", "Update", "v1", 2, b"{}", "status"),
        Entry("a", "Update", "v1", 2, b"{}"),
        Entry("z", "Update", "v1", None, b"{}"),
        Entry("z", "Apply", "v1", 9, b"{}"),
    ]
    assert [(one.manager, one.operation, one.subresource) for one in entries.in_order(made)] == [
        ("z", "Apply", ""),
        ("z", "Update", ""),
        ("a", "Update", ""),
        ("a", "Update", "status"),
        ("b", "Update", ""),
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"operation": "Create"}, "operation must be `Apply` or `Update`"),
        ({"apiVersion": ""}, "apiVersion must not be empty"),
        ({"fieldsType": ""}, "missing fieldsType in managed fields entry 0"),
        ({"fieldsType": "V2"}, 'invalid fieldsType "V2" in managed fields entry 0'),
        ({"fieldsV1": {"a": {}}}, "key must be 2 characters long"),
        ({"time": "yesterday"}, "malformed time"),
    ],
)
def test_malformed_entries(change: JsonObject, problem: str) -> None:
    """An entry no server would write is refused."""
    with pytest.raises(EntryError) as failure:
        entries.from_json([{**VALID, **change}])
    assert problem in str(failure.value)


def test_absent_parts() -> None:
    """An entry may lack its time and its fields."""
    read = entries.from_json([{"manager": "m", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1"}])
    assert read == [Entry("m", "Apply", "v1", None, b"{}")]
    assert entries.to_json(read) == [
        {"manager": "m", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {}}
    ]
