"""Every kind is written with status, generation and leniency as a stock server writes it."""

import pytest
from google.protobuf.message import Message

from kubewire.apiserver.options import DeleteOptions
from kubewire.apiserver.strategy.contracts import Strategy
from kubewire.apiserver.strategy.metadata import metadata_of, snapshot
from kubewire.apiserver.strategy.table import STRATEGIES, strategy_for
from kubewire.machinery.resources import Resource, builtin
from tests.unit.apiserver.strategy.writes import CONTEXT, created

OBJECTS = [resource for resource in builtin().served() if resource.storage is not None]

COUNTED = [
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "CustomResourceDefinition",
    "DaemonSet",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "CronJob",
    "Job",
    "Pod",
    "PodTemplate",
    "ReplicationController",
    "EndpointSlice",
    "FlowSchema",
    "PriorityLevelConfiguration",
    "Ingress",
    "IngressClass",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "DeviceClass",
    "ResourceSlice",
    "PriorityClass",
]
UPSERTED = [
    "Endpoints",
    "Event",
    "LimitRange",
    "Service",
    "Lease",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
]
STRICT = [
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "CustomResourceDefinition",
    "APIService",
    "Lease",
    "RuntimeClass",
    "PodDisruptionBudget",
    "CSIDriver",
    "CSINode",
    "CSIStorageCapacity",
    "VolumeAttachment",
]


def names(resources: list[Resource]) -> set[str]:
    """Kinds of resources."""
    return {resource.kind for resource in resources}


def test_generations() -> None:
    """These kinds count changes from 1 on; all others have no generation when they are created."""
    counted = [item for item in OBJECTS if metadata_of(created_of(item)).generation == 1]
    assert names(counted) == set(COUNTED)
    assert all(strategy_for(item).has_generation for item in counted)


def created_of(resource: Resource) -> Message:
    """An empty object of a kind, created."""
    return created(f"{resource.api_version} {resource.kind}", {})


def test_upserts() -> None:
    """An update creates objects of these kinds only."""
    assert names([item for item in OBJECTS if strategy_for(item).allow_create_on_update]) == set(UPSERTED)


def test_unconditional_updates() -> None:
    """An update of these kinds has to name a version."""
    assert names([item for item in OBJECTS if not strategy_for(item).allow_unconditional_update]) == set(STRICT)


def test_orphans() -> None:
    """Old workloads leave what they own alive unless told otherwise."""
    orphaning = names([item for item in OBJECTS if strategy_for(item).orphans_dependents_by_default])
    assert orphaning == {"Job", "ReplicationController"}


@pytest.mark.parametrize("resource", OBJECTS, ids=lambda item: f"{item.api_version}.{item.kind}")
def test_status_has_a_strategy_where_it_is_a_subresource(resource: Resource) -> None:
    """The resource table and the strategies agree on which kinds have a status of its own."""
    strategy: Strategy = strategy_for(resource)
    assert ("status" in strategy.subresources) == ("status" in resource.subresources)
    assert strategy.reset_fields("") == ((("status",),) if "status" in resource.subresources else ())


@pytest.mark.parametrize("resource", OBJECTS, ids=lambda item: f"{item.api_version}.{item.kind}")
def test_an_update_that_changes_nothing_changes_nothing(resource: Resource) -> None:
    """An object written back as it was read is the same, generation included."""
    kind = f"{resource.api_version} {resource.kind}"
    old = created(kind, {})
    strategy = strategy_for(resource)
    for way in (strategy, *strategy.subresources.values()):
        new = snapshot(old)
        way.prepare_update(new, old, CONTEXT)
        assert new == old
    assert strategy.graceful_deletion(old, DeleteOptions(grace_period_seconds=30)) == 0
    assert strategy.is_held(old) == (resource.kind == "Namespace")


def test_strategies_are_about_kinds_that_are_served() -> None:
    """No strategy stands in the table under a kind that is not there."""
    assert set(STRATEGIES) <= {(resource.group, resource.kind) for resource in OBJECTS}
