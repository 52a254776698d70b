"""The garbage collector against the simulated cluster."""

import asyncio

import pytest

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.controller_manager.garbage.controller import GarbageCollector
from tests.unit.controller_manager.running import context_of, now, running


def owner(cluster: SimulatedCluster, finalizer: str = "") -> ReplicaSet:
    """A ReplicaSet."""
    made = ReplicaSet()
    made.metadata.name, made.metadata.namespace = "web", "default"
    if finalizer:
        made.metadata.finalizers.append(finalizer)
    return cluster.add(made)


def dependent(cluster: SimulatedCluster, name: str, uid: str) -> None:
    """A pod of it."""
    made = Pod()
    made.metadata.name, made.metadata.namespace = name, "default"
    made.metadata.ownerReferences.add(
        apiVersion="apps/v1", kind="ReplicaSet", name="web", uid=uid, controller=True, blockOwnerDeletion=True
    )
    cluster.add(made)


async def test_dependents_of_what_is_gone_go() -> None:
    """Those of an owner that goes while we look, and those of one that went before, or never was."""
    cluster = SimulatedCluster(wall_clock=now)
    dependent(cluster, "of-nobody", "gone-before")
    there = owner(cluster)
    dependent(cluster, "a", there.metadata.uid)
    free = ConfigMap()
    free.metadata.name, free.metadata.namespace = "free", "default"
    cluster.add(free)
    async with running(GarbageCollector, context_of(cluster)):
        await asyncio.sleep(30)
        assert [one.metadata.name for one in cluster.all(Pod)] == ["a"]
        cluster.remove(ReplicaSet, "web", "default")
        await asyncio.sleep(30)
        assert cluster.all(Pod) == []
        assert len(cluster.all(ConfigMap)) == 1


@pytest.mark.parametrize(("finalizer", "left"), [("foregroundDeletion", []), ("orphan", ["a", "b"])])
async def test_deletion_as_it_was_asked_for(finalizer: str, left: list[str]) -> None:
    """In the foreground dependents go first, and then their owner; orphaned they stay, without an owner."""
    cluster = SimulatedCluster(wall_clock=now)
    there = owner(cluster, finalizer)
    for name in ("a", "b"):
        dependent(cluster, name, there.metadata.uid)
    async with running(GarbageCollector, context_of(cluster)):
        await asyncio.sleep(30)
        assert len(cluster.all(Pod)) == 2
        cluster.remove(ReplicaSet, "web", "default")
        await asyncio.sleep(60)
        assert cluster.all(ReplicaSet) == []
        assert [one.metadata.name for one in cluster.all(Pod)] == left
        assert not any(one.metadata.ownerReferences for one in cluster.all(Pod))
