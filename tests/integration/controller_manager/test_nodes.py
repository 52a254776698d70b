"""Nodes against a real etcd, API server and controller-manager."""

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.client.client import Client
from kubewire.machinery.errors import StatusError
from tests.controller_manager_process import ControllerManagerProcess
from tests.integration.controller_manager.workloads import eventually


def node(name: str) -> Node:
    """A node."""
    made = Node()
    made.metadata.name = name
    return made


async def ranges(client: Client) -> list[str]:
    """What all nodes have."""
    return [one.spec.podCIDR async for one in client.nodes().list()]


async def test_no_range_is_given_twice(manager: ControllerManagerProcess, client: Client) -> None:
    """Nodes get ranges of their own, also when the manager is killed in between and others have come meanwhile."""
    for number in range(8):
        await client.nodes().create(node(f"a{number}"))
    manager.kill()
    for number in range(8):
        await client.nodes().create(node(f"b{number}"))
    manager.start()

    async def all_have_one() -> bool:
        return all(await ranges(client))

    await eventually(all_have_one)
    found = await ranges(client)
    assert len(set(found)) == 16
    assert set(found) == {f"10.244.{number}.0/24" for number in range(16)}


async def test_a_silent_node_is_lost(client: Client, quick_manager: ControllerManagerProcess) -> None:
    """A node that never gives a sign of life becomes Unknown, and unreachable."""
    await client.nodes().create(node("n1"))

    async def is_lost() -> bool:
        try:
            found = await client.nodes().get("n1")
        except StatusError:
            return False
        told = {one.type: one.status for one in found.status.conditions}
        marks = {(one.key, one.effect) for one in found.spec.taints}
        return told.get("Ready") == "Unknown" and ("node.kubernetes.io/unreachable", "NoSchedule") in marks

    await eventually(is_lost)
