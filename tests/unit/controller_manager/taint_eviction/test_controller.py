"""The taint eviction controller against the simulated cluster."""

import asyncio

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.controller_manager.taint_eviction.controller import TaintEvictionController
from tests.unit.controller_manager.running import EPOCH, context_of, now, running


def pod(name: str, seconds: int | None = None, *, tolerates: bool = True) -> Pod:
    """A pod on n1 that tolerates everything, for ever or for some seconds, or nothing."""
    made = Pod()
    made.metadata.name, made.metadata.namespace = name, "default"
    made.spec.nodeName = "n1"
    if tolerates:
        toleration = made.spec.tolerations.add(operator="Exists")
        if seconds is not None:
            toleration.tolerationSeconds = seconds
    return made


def names(cluster: SimulatedCluster) -> str:
    """The pods that are there and were not asked to go."""
    stay = [one.metadata.name for one in cluster.all(Pod) if not one.metadata.HasField("deletionTimestamp")]
    return " ".join(stay)


async def test_pods_leave_when_their_patience_ends() -> None:
    """A taint evicts at once who does not tolerate it, later who does for a time; who always does stays."""
    cluster = SimulatedCluster(wall_clock=now)
    node = Node()
    node.metadata.name = "n1"
    cluster.add(node)
    for made in (pod("always"), pod("never", tolerates=False), pod("minute", 60)):
        cluster.add(made)
    async with running(TaintEvictionController, context_of(cluster)):
        await asyncio.sleep(5)
        assert names(cluster) == "always minute never"
        node.spec.taints.add(key="a", effect="NoExecute").timeAdded.seconds = int(EPOCH) + 5
        cluster.put(node)
        await asyncio.sleep(5)
        assert names(cluster) == "always minute"
        await asyncio.sleep(50)
        assert names(cluster) == "always minute"
        await asyncio.sleep(10)
        assert names(cluster) == "always"
