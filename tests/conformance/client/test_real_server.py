"""What a client may count on of a real API server and the simulated one does not have."""

import pytest

from kubewire.api.apps.v1.deployment_pb2 import Deployment
from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.namespace_pb2 import Namespace
from kubewire.client.cause import caused_by
from kubewire.client.client import Client
from kubewire.client.resources.options import Deleting, Propagation, Writing
from kubewire.machinery.errors import Reason, StatusError
from kubewire.machinery.gvk import GroupVersionResource
from tests.conformance.client.objects import NAMESPACE, config_map, deployment, pod

MANIFESTS = b"""
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {color: red}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: NotAName}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: busybox}]}
"""


async def test_apply(real_client: Client) -> None:
    """Applying makes an object, changes it, and drops what is left out; other managers' fields are theirs."""
    maps, ours = real_client.resource(ConfigMap, namespace=NAMESPACE), Writing(field_manager="ours")
    await maps.apply(config_map("a", color="red", size="10"), ours)
    changed = await maps.apply(config_map("a", color="blue"), ours)
    assert dict(changed.data) == {"color": "blue"}
    with pytest.raises(StatusError) as failure:
        await maps.apply(config_map("a", color="green"), Writing(field_manager="theirs"))
    assert failure.value.reason == Reason.CONFLICT
    forced = await maps.apply(config_map("a", color="green"), Writing(field_manager="theirs", force=True))
    assert dict(forced.data) == {"color": "green"}


async def test_apply_manifests(real_client: Client) -> None:
    """Each document has a result; one that fails does not keep the next from being applied."""
    results = await real_client.dynamic.apply_manifests(MANIFESTS, Writing(field_manager="ours"), namespace=NAMESPACE)
    assert results[0].unwrap().decode(ConfigMap).data["color"] == "red"
    assert results[1].error is not None
    assert results[1].error.reason == Reason.INVALID
    assert results[2].unwrap().kind == "Deployment"
    assert (await real_client.resource(Deployment, namespace=NAMESPACE).get("web")).spec.replicas == 1


async def test_dry_run(real_client: Client) -> None:
    """Everything is done but stored."""
    maps = real_client.resource(ConfigMap, namespace=NAMESPACE)
    tried = await maps.create(config_map("a"), Writing(dry_run=True))
    assert tried.metadata.uid
    with pytest.raises(StatusError):
        await maps.get("a")


async def test_who_wrote(real_client: Client) -> None:
    """The server remembers who wrote an object, with which program, and what made them."""
    maps = real_client.resource(ConfigMap, namespace=NAMESPACE)
    with caused_by("Pod/default/web@42"):
        created = await maps.create(config_map("a"))
    await maps.delete("a")
    resource = GroupVersionResource("", "v1", "configmaps")
    writes = await real_client.dynamic.list_writes(resource, namespace=NAMESPACE, name="a")
    assert [(write.verb, write.user, write.cause) for write in writes] == [
        ("create", "admin", "Pod/default/web@42"),
        ("delete", "admin", ""),
    ]
    assert writes[0].resource_version == created.metadata.resourceVersion
    assert writes[0].manager == "conformance"


async def test_defaults_and_validation(real_client: Client) -> None:
    """What is left out is filled in; what is wrong is refused with the path of the field."""
    pods = real_client.pods(NAMESPACE)
    assert (await pods.create(pod("a"))).spec.restartPolicy == "Always"
    wrong = pod("b")
    wrong.spec.containers[0].name = "Not A Name"
    with pytest.raises(StatusError) as failure:
        await pods.create(wrong)
    assert failure.value.reason == Reason.INVALID
    assert failure.value.details is not None
    assert failure.value.details.causes[0].field == "spec.containers[0].name"


async def test_eviction(real_client: Client) -> None:
    """A pod that no budget protects may go."""
    pods = real_client.pods(NAMESPACE)
    await pods.create(pod("a"))
    await pods.evict("a", Deleting(grace_period_seconds=0))
    with pytest.raises(StatusError) as failure:
        await pods.get("a")
    assert failure.value.reason == Reason.NOT_FOUND


async def test_finalize(real_client: Client) -> None:
    """A namespace's own finalizers are replaced through their subresource."""
    namespaces = real_client.resource(Namespace)
    wanted = Namespace()
    wanted.metadata.name = "short"
    created = await namespaces.create(wanted)
    assert list(created.spec.finalizers) == ["kubernetes"]
    del created.spec.finalizers[:]
    assert list((await namespaces.finalize(created)).spec.finalizers) == []


async def test_foreground_deletion_holds_the_object(real_client: Client) -> None:
    """Until its dependents are gone, which is the garbage collector's work."""
    deployments = real_client.resource(Deployment, namespace=NAMESPACE)
    await deployments.create(deployment("web", 1))
    held = await deployments.delete("web", Deleting(propagation=Propagation.FOREGROUND))
    assert list(held.metadata.finalizers) == ["foregroundDeletion"]
    assert held.metadata.HasField("deletionTimestamp")
