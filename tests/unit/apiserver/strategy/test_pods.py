"""Pods begin Pending, are nearly fixed, and take time to go."""

from typing import cast

import pytest

from kubewire.apiserver.options import DeleteOptions
from kubewire.apiserver.strategy.metadata import metadata_of
from kubewire.apiserver.strategy.table import strategy_for
from kubewire.machinery.json_value import JsonObject
from tests.unit.apiserver.strategy.writes import at, created, generation, message_of, updated
from tests.unit.apiserver.validation.objects import resource_of

POD = "v1 Pod"
CONTAINER: JsonObject = {"name": "c", "image": "x"}


def pod(**spec: object) -> JsonObject:
    """A pod with one container."""
    return cast("JsonObject", {"spec": {"containers": [CONTAINER], **spec}})


def test_a_new_pod_is_pending() -> None:
    """Whatever its author says of its status."""
    assert at(created(POD, {**pod(), "status": {"phase": "Running"}}), "status") == {
        "phase": "Pending",
        "qosClass": "BestEffort",
    }


def test_a_gated_pod_says_why_it_waits() -> None:
    """The condition is there from the start."""
    made = created(POD, pod(schedulingGates=[{"name": "g"}]))
    assert at(made, "status.conditions.0.type") == "PodScheduled"
    assert at(made, "status.conditions.0.reason") == "SchedulingGated"


def test_changes_of_the_spec_are_counted() -> None:
    """A new image counts; a status does not."""
    old = created(POD, pod())
    assert generation(updated(POD, old, {"spec": {"containers": [{**CONTAINER, "image": "y"}]}})) == 2
    assert generation(updated(POD, old, {"status": {"phase": "Running"}}, via="status")) == 1


def test_a_status_update_keeps_owners_and_class() -> None:
    """Kubelets do not change who owns a pod, and may leave out its class of service."""
    owner: JsonObject = {"apiVersion": "v1", "kind": "K", "name": "n", "uid": "u"}
    old = created(POD, {**pod(), "metadata": {"ownerReferences": [owner]}})
    change = {"metadata": {"ownerReferences": None}, "status": {"phase": "Running", "qosClass": None}}
    new = updated(POD, old, change, via="status")
    assert at(new, "metadata.ownerReferences") == [owner]
    assert at(new, "status") == {"phase": "Running", "qosClass": "BestEffort"}


def test_ephemeral_containers_alone_are_taken() -> None:
    """Through their subresource nothing else changes, and the pod counts it."""
    old = created(POD, pod())
    change = {"metadata": {"labels": {"a": "b"}}, "spec": {"hostNetwork": True, "ephemeralContainers": [{"name": "e"}]}}
    new = updated(POD, old, change, via="ephemeralcontainers")
    assert at(new, "metadata.labels") is None
    assert at(new, "spec.hostNetwork") is None
    assert at(new, "spec.ephemeralContainers.0.name") == "e"
    assert generation(new) == 2


def test_resources_alone_are_resized() -> None:
    """Through their subresource nothing else changes, and the pod counts it."""
    old = created(POD, pod())
    change = {"spec": {"containers": [{**CONTAINER, "image": "y", "resources": {"requests": {"cpu": "1"}}}]}}
    new = updated(POD, old, change, via="resize")
    assert at(new, "spec.containers.0.image") == "x"
    assert at(new, "spec.containers.0.resources") == {"requests": {"cpu": "1"}}
    assert generation(new) == 2


@pytest.mark.parametrize(
    ("spec", "phase", "asked", "expected"),
    [
        ({}, "Pending", None, 0),
        ({"nodeName": "n"}, "Running", None, 30),
        ({"nodeName": "n"}, "Running", 5, 5),
        ({"nodeName": "n"}, "Running", 0, 0),
        ({"nodeName": "n", "terminationGracePeriodSeconds": 7}, "Running", None, 7),
        ({"nodeName": "n", "terminationGracePeriodSeconds": -7}, "Running", None, 1),
        ({"nodeName": "n"}, "Succeeded", None, 0),
        ({"nodeName": "n"}, "Failed", 30, 0),
    ],
)
def test_how_long_a_pod_takes_to_go(spec: JsonObject, phase: str, asked: int | None, expected: int) -> None:
    """As long as it or the caller asks for, unless there is nothing to end."""
    message = message_of(POD, {**pod(**spec), "status": {"phase": phase}})
    options = DeleteOptions(grace_period_seconds=asked)
    assert strategy_for(resource_of(POD)).graceful_deletion(message, options) == expected


def test_finalizers_hold_a_pod() -> None:
    """A pod with finalizers does not go before they do."""
    strategy, message = strategy_for(resource_of(POD)), message_of(POD, pod())
    assert not strategy.is_held(message)
    metadata_of(message).finalizers.append("a.b/c")
    assert strategy.is_held(message)
