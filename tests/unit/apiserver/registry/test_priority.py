"""Pods get the priority of their class."""

import json

import pytest

from kubewire.apiserver.contracts import Patch, PatchType
from kubewire.apiserver.options import WriteOptions
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import Cluster, Json, to_json

CLASS: Json = {"metadata": {"name": "high"}, "value": 1000, "preemptionPolicy": "Never"}


def pod(**spec: object) -> Json:
    """A pod of class `high`."""
    containers = [{"name": "c", "image": "i"}]
    return {"metadata": {"name": "p"}, "spec": {"containers": containers, "priorityClassName": "high", **spec}}


async def test_the_class_gives_number_and_policy(cluster: Cluster) -> None:
    """Those of the PriorityClass object."""
    await cluster.create("priorityclasses.scheduling.k8s.io", "", CLASS)
    spec = (await cluster.create("pods", "default/", pod()))["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (1000, "Never")


async def test_a_class_must_exist(cluster: Cluster) -> None:
    """403 naming it."""
    with pytest.raises(StatusError, match='pods "p" is forbidden: no PriorityClass with name high was found'):
        await cluster.create("pods", "default/", pod())


async def test_the_author_may_not_say_otherwise(cluster: Cluster) -> None:
    """403 with both values."""
    await cluster.create("priorityclasses.scheduling.k8s.io", "", CLASS)
    with pytest.raises(StatusError, match=r"the integer value of priority \(7\) must not be provided in pod spec; "):
        await cluster.create("pods", "default/", pod(priority=7))
    with pytest.raises(StatusError, match="computed Never from the given PriorityClass name"):
        await cluster.create("pods", "default/", pod(preemptionPolicy="PreemptLowerPriority"))


async def test_applied_pods_get_it_too(cluster: Cluster) -> None:
    """Whichever way a pod is created."""
    await cluster.create("priorityclasses.scheduling.k8s.io", "", CLASS)
    config = b'{"apiVersion": "v1", "kind": "Pod", ' + json.dumps(pod()).encode()[1:]
    call = cluster.call("pods", "default/p")
    options = WriteOptions(field_manager="me")
    written = await cluster.objects.patch(call, Patch(PatchType.APPLY_YAML, config), options)
    assert to_json(written.item)["spec"]["priority"] == 1000
