"""What nodes may put into the objects that they may write."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pytest

from kubewire.apiserver.admission.table import Admission
from kubewire.apiserver.auth.authentication import as_member
from kubewire.apiserver.contracts import Call
from kubewire.apiserver.options import DeleteOptions
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import ADMIN, PLAIN, Cluster, Json, body

N1 = as_member("system:node:n1", groups=["system:nodes", "system:masters"])
"""Authorized by being a master, so that admission alone can refuse."""

CONTAINERS = [{"name": "c", "image": "i"}]


def as_node(cluster: Cluster, name: str, path: str = "") -> Call:
    """A call by node n1."""
    return cluster.call(name, path, identity=N1)


def pod(name: str, node: str, meta: Json = MappingProxyType({}), volumes: Sequence[Json] = ()) -> Json:
    """A pod."""
    spec = {"nodeName": node, "containers": CONTAINERS, "volumes": [*volumes]}
    return {"metadata": {"name": name, **meta}, "spec": spec}


def mirror(node: str = "n1", volumes: Sequence[Json] = ()) -> Json:
    """The picture of a static pod of node n1."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "u", "controller": True}
    meta = {"annotations": {"kubernetes.io/config.mirror": "x"}, "ownerReferences": [owner]}
    return pod("m", node, meta, volumes)


async def refusal(cluster: Cluster, name: str, path: str, obj: Mapping[str, Any]) -> str:
    """Why a create or, with a name in the path, an update by the node is refused; empty if it is not."""
    call = as_node(cluster, name, path)
    try:
        if call.name:
            await cluster.objects.update(call, body(obj), PLAIN)
        else:
            await cluster.objects.create(call, body(obj), PLAIN)
    except StatusError as error:
        return error.message
    return ""


async def test_it_creates_mirrors_of_its_own_pods(cluster: Cluster) -> None:
    """And nothing else."""
    assert "only create mirror pods" in await refusal(cluster, "pods", "default/", pod("x", "n1"))
    assert "spec.nodeName set to itself" in await refusal(cluster, "pods", "default/", mirror("n2"))
    secret = {"name": "v", "secret": {"secretName": "s"}}
    assert "pods that reference secrets" in await refusal(cluster, "pods", "default/", mirror(volumes=[secret]))
    stray = {**mirror(), "metadata": {"name": "m", "annotations": {"kubernetes.io/config.mirror": "x"}}}
    assert "single owner reference" in await refusal(cluster, "pods", "default/", stray)
    assert await refusal(cluster, "pods", "default/", mirror()) == ""


async def test_it_reports_on_its_own_pods(cluster: Cluster) -> None:
    """Not on others', and without moving them by their labels."""
    mine = await cluster.create("pods", "default/", pod("mine", "n1"))
    theirs = await cluster.create("pods", "default/", pod("theirs", "n2"))
    running = {"status": {"phase": "Running"}}
    assert await refusal(cluster, "pods/status", "default/mine", {**mine, **running}) == ""
    assert "spec.nodeName set to itself" in await refusal(
        cluster, "pods/status", "default/theirs", {**theirs, **running}
    )
    latest = await cluster.get("pods", "default/mine")
    labelled = {**latest, "metadata": {**latest["metadata"], "labels": {"app": "other"}}}
    assert "cannot update labels" in await refusal(cluster, "pods/status", "default/mine", labelled)
    assert "through their status" in await refusal(cluster, "pods", "default/mine", labelled)


async def test_it_deletes_its_own_pods(cluster: Cluster) -> None:
    """Not others'."""
    await cluster.create("pods", "default/", pod("mine", "n1"))
    await cluster.create("pods", "default/", pod("theirs", "n2"))
    at_once = DeleteOptions(grace_period_seconds=0)
    assert (await cluster.objects.delete(as_node(cluster, "pods", "default/mine"), at_once)).is_gone
    with pytest.raises(StatusError, match=r"can only delete pods with spec\.nodeName set to itself"):
        await cluster.objects.delete(as_node(cluster, "pods", "default/theirs"), at_once)


async def test_it_writes_its_own_node(cluster: Cluster) -> None:
    """But not its taints, nor labels that are not its own."""
    assert "not allowed to modify node" in await refusal(cluster, "nodes", "", {"metadata": {"name": "n2"}})
    trusted = {"metadata": {"name": "n1", "labels": {"node-restriction.kubernetes.io/a": "b", "mine": "x"}}}
    assert "set the following labels: node-restriction.kubernetes.io/a" in await refusal(cluster, "nodes", "", trusted)
    own = {"kubernetes.io/hostname": "n1", "node.kubernetes.io/x": "y", "mine": "x", "example.org/z": ""}
    taint = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    node = {"metadata": {"name": "n1", "labels": own}, "spec": {"taints": [taint]}}
    assert await refusal(cluster, "nodes", "", node) == ""
    stored = await cluster.get("nodes", "n1")
    assert "modify taints" in await refusal(cluster, "nodes", "n1", {**stored, "spec": {}})
    role = {**stored, "metadata": {**stored["metadata"], "labels": {**own, "node-role.kubernetes.io/worker": ""}}}
    assert "modify labels: node-role.kubernetes.io/worker" in await refusal(cluster, "nodes", "n1", role)
    await cluster.objects.update(cluster.call("nodes", "n1", identity=ADMIN), body(role), PLAIN)
    stored = await cluster.get("nodes", "n1")
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    assert await refusal(cluster, "nodes/status", "n1", {**stored, "status": ready}) == ""


async def test_it_renews_its_own_lease(cluster: Cluster) -> None:
    """By the name of the node."""
    leases = "leases.coordination.k8s.io"
    assert await refusal(cluster, leases, "default/", {"metadata": {"name": "n1"}}) == ""
    assert "of its own name" in await refusal(cluster, leases, "default/", {"metadata": {"name": "n2"}})


async def test_a_disabled_plugin_refuses_nothing() -> None:
    """As its setting says."""
    assert not Admission(("NodeRestriction",)).runs("NodeRestriction")
