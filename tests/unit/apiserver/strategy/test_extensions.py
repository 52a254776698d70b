"""Definitions of kinds, aggregated services, devices."""

from kubewire.machinery.json_value import JsonObject
from tests.unit.apiserver.strategy.writes import at, created, updated

DEFINITION = "apiextensions.k8s.io/v1 CustomResourceDefinition"
SERVICE = "apiregistration.k8s.io/v1 APIService"
SLICE = "resource.k8s.io/v1 ResourceSlice"


def test_definitions_remember_versions_objects_were_stored_in() -> None:
    """A new storage version is added to those before."""
    old = created(DEFINITION, {"spec": {"versions": [{"name": "v1", "storage": True}, {"name": "v2"}]}})
    assert at(old, "status.storedVersions") == ["v1"]
    new = updated(DEFINITION, old, {"spec": {"versions": [{"name": "v1"}, {"name": "v2", "storage": True}]}})
    assert at(new, "status.storedVersions") == ["v1", "v2"]


def test_local_services_are_available() -> None:
    """What this server serves itself needs no probing."""
    local = created(SERVICE, {"spec": {"group": "a.b"}})
    assert at(local, "status.conditions.0.type") == "Available"
    assert at(local, "status.conditions.0.reason") == "Local"
    assert at(created(SERVICE, {"spec": {"service": {"name": "s"}}}), "status") == {}


def test_taints_count_from_now() -> None:
    """Unless their author says since when; an update stamps new ones only."""
    taints: list[JsonObject] = [{"key": "a"}, {"key": "b", "timeAdded": "2026-01-01T00:00:00Z"}]
    devices: JsonObject = {"devices": [{"name": "d", "taints": [*taints]}]}
    old = created(SLICE, {"spec": devices})
    assert at(old, "spec.devices.0.taints.0.timeAdded") == "1970-01-01T00:16:40Z"
    assert at(old, "spec.devices.0.taints.1.timeAdded") == "2026-01-01T00:00:00Z"
    kept = {"key": "a", "timeAdded": "1970-01-01T00:16:40Z"}
    new = updated(SLICE, old, {"spec": {"devices": [{"name": "d", "taints": [kept, {"key": "c"}]}]}})
    assert at(new, "spec.devices.0.taints.0.timeAdded") == "1970-01-01T00:16:40Z"
    assert at(new, "spec.devices.0.taints.1.timeAdded") == "1970-01-01T00:33:20Z"
