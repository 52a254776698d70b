"""The node IPAM controller against the simulated cluster."""

import asyncio

from kubewire.api.core.v1.event_pb2 import Event
from kubewire.api.core.v1.node_pb2 import Node
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.controller_manager.config import ControllerManagerConfig
from kubewire.controller_manager.node_ipam.controller import NodeIpamController
from tests.unit.controller_manager.running import context_of, now, running


def node(name: str, given: str = "") -> Node:
    """A node, with a range or without."""
    made = Node()
    made.metadata.name = name
    if given:
        made.spec.podCIDR = given
    return made


def ranges(cluster: SimulatedCluster) -> list[str]:
    """What all nodes have."""
    return sorted(one.spec.podCIDR for one in cluster.all(Node))


async def test_every_node_gets_one_of_its_own() -> None:
    """Also when answers are lost and the controller starts anew in between: none is given twice, none is changed."""
    cluster, link = SimulatedCluster(wall_clock=now), Link()
    cluster.add(node("old", "10.244.1.0/24"))
    for number in range(10):
        cluster.add(node(f"a{number}"))
    async with running(NodeIpamController, context_of(cluster, link)):
        await asyncio.sleep(0.001)
        link.loses_answers = True
        await asyncio.sleep(5)
        link.loses_answers = False
    for number in range(10):
        cluster.add(node(f"b{number}"))
    async with running(NodeIpamController, context_of(cluster)):
        await asyncio.sleep(60)
    assert ranges(cluster) == sorted(f"10.244.{number}.0/24" for number in range(21))
    old = cluster.get(Node, "old")
    assert old is not None
    assert old.spec.podCIDR == "10.244.1.0/24"


async def test_when_all_are_given_out() -> None:
    """The node is told of, and gets the range of one that goes."""
    cluster = SimulatedCluster(wall_clock=now)
    for name in ("a", "b", "c"):
        cluster.add(node(name))
    config = ControllerManagerConfig(cluster_cidr="10.0.0.0/23", node_cidr_mask_size=24)
    async with running(NodeIpamController, context_of(cluster, config=config)):
        await asyncio.sleep(5)
        assert ranges(cluster) == ["", "10.0.0.0/24", "10.0.1.0/24"]
        assert {one.reason for one in cluster.all(Event)} == {"CIDRNotAvailable"}
        cluster.remove(Node, next(one.metadata.name for one in cluster.all(Node) if one.spec.podCIDR))
        await asyncio.sleep(120)
        assert ranges(cluster) == ["10.0.0.0/24", "10.0.1.0/24"]
