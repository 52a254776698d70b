"""Namespaces, volumes, claims, secrets and service accounts, as far as they are particular."""

from kubewire.apiserver.strategy.metadata import clear_field
from kubewire.apiserver.strategy.table import strategy_for
from kubewire.machinery.json_value import JsonObject
from tests.unit.apiserver.strategy.writes import CONTEXT, at, created, message_of, updated
from tests.unit.apiserver.validation.objects import resource_of

NAMESPACE = "v1 Namespace"
CLAIM = "v1 PersistentVolumeClaim"
VOLUME = "v1 PersistentVolume"


def test_namespaces_are_held_by_a_finalizer_of_the_spec() -> None:
    """It changes through `finalize` alone, which leaves the status."""
    made = created(NAMESPACE, {"status": {"phase": "Terminating"}})
    assert at(made, "spec.finalizers") == ["kubernetes"]
    assert at(made, "status.phase") == "Active"
    strategy = strategy_for(resource_of(NAMESPACE))
    assert strategy.is_held(made)
    assert at(updated(NAMESPACE, made, {"spec": {"finalizers": None}}), "spec.finalizers") == ["kubernetes"]
    change = {"spec": {"finalizers": None}, "status": {"phase": "Terminating"}}
    free = updated(NAMESPACE, made, change, via="finalize")
    assert (at(free, "spec.finalizers"), at(free, "status.phase")) == (None, "Active")
    assert not strategy.is_held(free)


def test_deleted_namespaces_are_terminating() -> None:
    """Their phase says so."""
    made = created(NAMESPACE, {})
    strategy_for(resource_of(NAMESPACE)).mark_terminating(made)
    assert at(made, "status.phase") == "Terminating"


def test_volumes_note_when_their_phase_changed() -> None:
    """Creation and every change of the phase are noted, unless the author knows a better time."""
    made = created(VOLUME, {"status": {"phase": "Bound"}})
    assert at(made, "status") == {"phase": "Pending", "lastPhaseTransitionTime": "1970-01-01T00:16:40Z"}
    same = updated(VOLUME, made, {"status": {"message": "x"}}, via="status")
    assert at(same, "status.lastPhaseTransitionTime") == "1970-01-01T00:16:40Z"
    bound = updated(VOLUME, made, {"status": {"phase": "Bound"}}, via="status")
    assert at(bound, "status.lastPhaseTransitionTime") == "1970-01-01T00:33:20Z"
    told: JsonObject = {"phase": "Bound", "lastPhaseTransitionTime": "2026-01-01T00:00:00Z"}
    assert at(updated(VOLUME, made, {"status": told}, via="status"), "status") == told


def test_claims_name_their_source_in_both_fields() -> None:
    """Old and new field say the same, unless the source is in another namespace."""
    source: JsonObject = {"apiGroup": "a.b", "kind": "K", "name": "n"}
    for given in ("dataSource", "dataSourceRef"):
        made = created(CLAIM, {"spec": {given: source}})
        assert at(made, "spec.dataSource") == at(made, "spec.dataSourceRef") == source
    far = created(CLAIM, {"spec": {"dataSourceRef": {**source, "namespace": "m"}}})
    assert at(far, "spec.dataSource") is None
    near = created(CLAIM, {"spec": {"dataSourceRef": {"kind": "K", "name": "n", "namespace": ""}}})
    assert at(near, "spec.dataSource") == {"apiGroup": None, "kind": "K", "name": "n"}


def test_service_accounts_keep_names_of_secrets() -> None:
    """Where the secret is goes without saying."""
    account = created("v1 ServiceAccount", {"secrets": [{"name": "s", "namespace": "n", "kind": "Secret"}, {}]})
    assert at(account, "secrets") == [{"name": "s"}, {}]


def test_secrets_keep_their_type() -> None:
    """A type that is left out of an update is the old one, if defaults have not named another."""
    old = created("v1 Secret", {"type": "a/b"})
    new = message_of("v1 Secret", {"metadata": {"name": "x"}})
    clear_field(new, "type")
    strategy_for(resource_of("v1 Secret")).prepare_update(new, old, CONTEXT)
    assert at(new, "type") == "a/b"
