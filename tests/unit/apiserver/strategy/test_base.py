"""What most kinds share: metadata the server owns, status apart from the wanted state, counted changes."""

import pytest

from kubewire.apiserver.strategy.metadata import metadata_of
from tests.unit.apiserver.strategy.writes import at, created, generation, message_of, updated
from tests.unit.apiserver.validation.objects import Change

REPLICA_SET = "apps/v1 ReplicaSet"


def test_a_new_object_is_not_being_deleted_and_has_no_status() -> None:
    """What only the server may say is cleared."""
    made = created(
        REPLICA_SET,
        {
            "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 5, "generation": 7},
            "status": {"replicas": 3},
        },
    )
    assert at(made, "metadata.deletionTimestamp") is None
    assert at(made, "metadata.deletionGracePeriodSeconds") is None
    assert at(made, "status") == {"replicas": 0}
    assert generation(made) == 1


def test_an_update_keeps_the_status_and_counts_the_spec() -> None:
    """A change of the spec counts, a change of labels does not; the status is not the author's."""
    old = created(REPLICA_SET, {"spec": {"replicas": 1}})
    new = updated(REPLICA_SET, old, {"spec": {"replicas": 2}, "status": {"replicas": 9}})
    assert (at(new, "spec.replicas"), at(new, "status.replicas"), generation(new)) == (2, 0, 2)
    assert generation(updated(REPLICA_SET, new, {"metadata": {"labels": {"a": "b"}}})) == 2


def test_a_status_update_keeps_the_spec() -> None:
    """The status changes and, for most kinds, labels and annotations may; nothing is counted."""
    old = created(REPLICA_SET, {"spec": {"replicas": 1}})
    change = {"spec": {"replicas": 2}, "status": {"replicas": 9}, "metadata": {"labels": {"a": "b"}}}
    new = updated(REPLICA_SET, old, change, via="status")
    assert (at(new, "spec.replicas"), at(new, "status.replicas"), generation(new)) == (1, 9, 1)
    assert at(new, "metadata.labels") == {"a": "b"}


def test_some_status_updates_leave_metadata_alone() -> None:
    """Younger kinds are stricter."""
    kind = "resource.k8s.io/v1 ResourceClaim"
    old = created(kind, {"metadata": {"labels": {"a": "b"}, "finalizers": ["a.b/c"]}})
    change: Change = {"metadata": {"labels": {"c": "d"}, "annotations": {"e": "f"}, "finalizers": None}}
    new = updated(kind, old, change, via="status")
    assert at(new, "metadata.labels") == {"a": "b"}
    assert at(new, "metadata.annotations") is None
    assert at(new, "metadata.finalizers") == ["a.b/c"]


@pytest.mark.parametrize(
    ("change", "path", "expected"),
    [
        ({"metadata": {"uid": None}}, "metadata.uid", "u"),
        ({"metadata": {"generation": 9}}, "metadata.generation", 1),
        (
            {"metadata": {"creationTimestamp": "2030-01-01T00:00:00Z"}},
            "metadata.creationTimestamp",
            "2026-01-01T00:00:00Z",
        ),
        ({"metadata": {"deletionTimestamp": None}}, "metadata.deletionTimestamp", "2026-01-02T00:00:00Z"),
        ({"metadata": {"deletionGracePeriodSeconds": None}}, "metadata.deletionGracePeriodSeconds", 5),
    ],
)
def test_what_an_update_leaves_out_stays(change: Change, path: str, expected: object) -> None:
    """Identity, origin and a deletion that has begun do not go away."""
    old = created(REPLICA_SET, {"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"}})
    deleted = message_of(
        REPLICA_SET, {"metadata": {"deletionTimestamp": "2026-01-02T00:00:00Z", "deletionGracePeriodSeconds": 5}}
    )
    metadata_of(old).MergeFrom(metadata_of(deleted))
    assert at(updated(REPLICA_SET, old, change), path) == expected


@pytest.mark.parametrize(
    ("kind", "change", "expected"),
    [
        ("discovery.k8s.io/v1 EndpointSlice", {"ports": [{"port": 80}]}, 2),
        ("discovery.k8s.io/v1 EndpointSlice", {"metadata": {"labels": {"a": "b"}}}, 1),
        ("v1 PodTemplate", {"template": {"metadata": {"labels": {"a": "b"}}}}, 2),
        ("scheduling.k8s.io/v1 PriorityClass", {"description": "x"}, 1),
        ("admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration", {"webhooks": [{"name": "x"}]}, 2),
        ("storage.k8s.io/v1 CSIDriver", {"spec": {"requiresRepublish": True}}, 1),
        ("v1 ConfigMap", {"data": {"a": "b"}}, 0),
    ],
)
def test_what_is_counted(kind: str, change: Change, expected: int) -> None:
    """Each kind counts the part that is wanted, wherever it stands."""
    assert generation(updated(kind, created(kind, {}), change)) == expected


def test_nodes_bring_their_status() -> None:
    """A kubelet registers its node with what it knows; later only status updates change it."""
    node = created("v1 Node", {"status": {"phase": "Running"}})
    assert at(node, "status.phase") == "Running"
    assert at(updated("v1 Node", node, {"status": {"phase": "x"}}), "status.phase") == "Running"
