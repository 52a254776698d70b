"""Deployments, DaemonSets and Jobs, as far as they are particular."""

from kubewire.machinery.json_value import JsonObject
from tests.unit.apiserver.strategy.writes import at, created, generation, updated

TEMPLATE = "metadata.annotations"
DAEMON_SET = "apps/v1 DaemonSet"
DEPLOYMENT = "apps/v1 Deployment"
JOB = "batch/v1 Job"
COUNTER = {"deprecated.daemonset.template.generation": "1"}


def test_deployments_count_annotations() -> None:
    """They are copied to ReplicaSets, so the controller has to see them; labels are not."""
    old = created(DEPLOYMENT, {})
    assert generation(updated(DEPLOYMENT, old, {"metadata": {"annotations": {"a": "b"}}})) == 2
    assert generation(updated(DEPLOYMENT, old, {"metadata": {"labels": {"a": "b"}}})) == 1


def test_a_deployments_status_update_keeps_labels() -> None:
    """Annotations may change."""
    old = created(DEPLOYMENT, {"metadata": {"labels": {"a": "b"}}})
    change = {"metadata": {"labels": {"c": "d"}, "annotations": {"e": "f"}}}
    new = updated(DEPLOYMENT, old, change, via="status")
    assert (at(new, "metadata.labels"), at(new, "metadata.annotations")) == ({"a": "b"}, {"e": "f"})


def test_daemon_sets_count_templates_in_an_annotation() -> None:
    """A new template counts twice over, another change once; the author's own count is not asked."""
    old = created(DAEMON_SET, {})
    assert at(old, TEMPLATE) == COUNTER
    other = updated(DAEMON_SET, old, {"spec": {"minReadySeconds": 5}, "metadata": {"annotations": None}})
    assert (at(other, TEMPLATE), generation(other)) == (COUNTER, 2)
    change = {
        "spec": {"template": {"metadata": {"labels": {"a": "b"}}}},
        "metadata": {"annotations": {**COUNTER, "x": "y"}},
    }
    new = updated(DAEMON_SET, old, change)
    assert at(new, TEMPLATE) == {"deprecated.daemonset.template.generation": "2", "x": "y"}
    assert generation(new) == 2


GENERATED: JsonObject = {
    "batch.kubernetes.io/controller-uid": "u",
    "batch.kubernetes.io/job-name": "x",
    "controller-uid": "u",
    "job-name": "x",
}


def test_jobs_find_their_pods_by_uid() -> None:
    """Labels and the selector are generated; a job without labels of its own shares its template's."""
    made = created(JOB, {"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}})
    assert at(made, "spec.template.metadata.labels") == {"a": "b", **GENERATED}
    assert at(made, "metadata.labels") == {"a": "b", **GENERATED}
    assert at(made, "spec.selector") == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}}


def test_jobs_keep_labels_of_their_own() -> None:
    """They are no one else's."""
    made = created(JOB, {"metadata": {"labels": {"c": "d"}}})
    assert at(made, "metadata.labels") == {"c": "d"}


def test_jobs_with_a_selector_of_their_authors() -> None:
    """Nothing is generated."""
    spec: JsonObject = {"manualSelector": True, "selector": {"matchLabels": {"a": "b"}}}
    made = created(JOB, {"spec": spec})
    assert at(made, "spec.selector") == {"matchLabels": {"a": "b"}}
    assert at(made, "spec.template.metadata.labels") is None
