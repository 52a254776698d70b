"""The node lifecycle controller against the simulated cluster."""

import asyncio

from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.controller_manager.node_lifecycle.controller import LEASES, NodeLifecycleController
from kubewire.controller_manager.pods.facts import is_ready
from tests.unit.controller_manager.running import context_of, now, running


def node(name: str) -> Node:
    """A ready node."""
    made = Node()
    made.metadata.name = name
    made.status.conditions.add(type="Ready", status="True")
    return made


def lease(name: str) -> Lease:
    """Its heartbeat."""
    made = Lease()
    made.metadata.name, made.metadata.namespace = name, LEASES
    return made


def pod(name: str, on: str) -> Pod:
    """A ready pod."""
    made = Pod()
    made.metadata.name, made.metadata.namespace = name, "default"
    made.spec.nodeName = on
    made.status.conditions.add(type="Ready", status="True")
    return made


async def beat(cluster: SimulatedCluster, name: str) -> None:
    """Renew a node's Lease every ten seconds."""
    for number in range(1, 1_000):
        found = lease(name)
        found.spec.leaseTransitions = number
        cluster.put(found)
        await asyncio.sleep(10)


def ready(cluster: SimulatedCluster, name: str) -> str:
    """What a node's condition Ready says."""
    found = cluster.get(Node, name)
    assert found is not None
    return found.status.conditions[0].status


def marks(cluster: SimulatedCluster, name: str) -> set[str]:
    """The effects of a node's taints."""
    found = cluster.get(Node, name)
    assert found is not None
    return {one.effect for one in found.spec.taints}


async def test_a_silent_node_is_lost_and_comes_back() -> None:
    """After the grace it is Unknown and tainted and its pods are not ready; heard of again, the taints go."""
    cluster = SimulatedCluster(wall_clock=now)
    for name in ("alive", "dead"):
        cluster.add(node(name))
        cluster.add(lease(name))
        cluster.add(pod(f"on-{name}", name))
    async with asyncio.TaskGroup() as group:
        hearts = [group.create_task(beat(cluster, "alive"))]
        async with running(NodeLifecycleController, context_of(cluster)):
            await asyncio.sleep(39)
            assert ready(cluster, "dead") == "True"
            await asyncio.sleep(10)
            assert (ready(cluster, "alive"), ready(cluster, "dead")) == ("True", "Unknown")
            assert marks(cluster, "dead") == {"NoSchedule", "NoExecute"}
            assert {one.metadata.name for one in cluster.all(Pod) if is_ready(one)} == {"on-alive"}
            hearts.append(group.create_task(beat(cluster, "dead")))
            back = cluster.get(Node, "dead")
            assert back is not None
            back.status.conditions[0].status = "True"
            cluster.put(back)
            await asyncio.sleep(10)
            assert marks(cluster, "dead") == set()
        for heart in hearts:
            heart.cancel()


async def test_when_all_fall_silent_nobody_is_evicted() -> None:
    """All nodes are marked, so that nothing is sent there, and none gets the taint that evicts."""
    cluster = SimulatedCluster(wall_clock=now)
    cluster.add(node("a"))
    cluster.add(node("b"))
    async with running(NodeLifecycleController, context_of(cluster)):
        await asyncio.sleep(300)
    for name in ("a", "b"):
        assert (ready(cluster, name), marks(cluster, name)) == ("Unknown", {"NoSchedule"})
