"""The pod garbage collector against the simulated cluster."""

import asyncio

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.controller_manager.config import ControllerManagerConfig
from kubewire.controller_manager.pod_gc.controller import PodGarbageCollector
from tests.unit.controller_manager.running import context_of, now, running


def pod(name: str, on: str = "", phase: str = "Running", *, age: int = 0) -> Pod:
    """A pod."""
    made = Pod()
    made.metadata.name, made.metadata.namespace = name, "default"
    made.metadata.creationTimestamp.seconds = 1000 - age
    made.spec.nodeName, made.status.phase = on, phase
    return made


def node(name: str) -> Node:
    """A node."""
    made = Node()
    made.metadata.name = name
    return made


def names(cluster: SimulatedCluster) -> list[str]:
    """The pods that are there."""
    return [one.metadata.name for one in cluster.all(Pod)]


async def test_pods_of_nodes_that_are_gone_go() -> None:
    """After a quarantine; those of nodes that are there, or come back in time, stay."""
    cluster = SimulatedCluster(wall_clock=now)
    cluster.add(node("n1"))
    for made in (pod("a", "n1"), pod("b", "n2"), pod("c", "n3"), pod("d")):
        cluster.add(made)
    async with running(PodGarbageCollector, context_of(cluster)):
        await asyncio.sleep(45)
        assert names(cluster) == ["a", "b", "c", "d"]
        cluster.add(node("n3"))
        await asyncio.sleep(60)
        assert names(cluster) == ["a", "c", "d"]


async def test_ended_pods_are_kept_up_to_a_number() -> None:
    """The oldest beyond it go; running ones never."""
    cluster = SimulatedCluster(wall_clock=now)
    cluster.add(node("n1"))
    cluster.add(pod("running", "n1"))
    for age in (3, 1, 2):
        cluster.put(pod(f"ended-{age}", "n1", "Succeeded", age=age))
    config = ControllerManagerConfig(terminated_pod_gc_threshold=2)
    async with running(PodGarbageCollector, context_of(cluster, config=config)):
        await asyncio.sleep(60)
    assert names(cluster) == ["ended-1", "ended-2", "running"]
