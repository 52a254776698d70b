"""The loop that keeps the network between nodes as the Node objects have it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.client.informer.informer import Informer
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.cluster.errors import StartFailed
from kubewire.cluster.nodes import pod_network
from kubewire.cluster.nodes.pod_network import PodNetwork
from kubewire.cluster.nodes.routes import Router
from tests.unit.cluster.nodes.places import fabric, place

SECONDS = 10


class Kernel:
    """Which routes were asked for; refuses as often as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[dict[str, str]] = []
        self.refusals = 0
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        monkeypatch.setattr(Router, "sync", lambda _router, routes: self._sync(routes))
        monkeypatch.setattr(pod_network, "_RETRY_SECONDS", 0)

    def _sync(self, routes: dict[str, str]) -> None:
        self.asked.append(routes)
        self._loop.call_soon_threadsafe(self._changed.set)
        if self.refusals:
            self.refusals -= 1
            raise StartFailed("the kernel refused")

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for a moment at which something holds."""
        async with asyncio.timeout(SECONDS):
            while not holds():
                self._changed.clear()
                await self._changed.wait()


def node(name: str, pods: str, address: str) -> Node:
    """A node as the API server has it."""
    made = Node()
    made.metadata.name, made.spec.podCIDR = name, pods
    made.status.addresses.add(type="InternalIP", address=address)
    return made


@asynccontextmanager
async def running(network: PodNetwork, informer: Informer[Node]) -> AsyncIterator[None]:
    """Both at work."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(informer.run()), group.create_task(network.run())]
        yield
        for task in tasks:
            task.cancel()


async def test_routes_follow_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's routes are set when all nodes are known, and again when one comes, changes or goes."""
    kernel, cluster = Kernel(monkeypatch), SimulatedCluster()
    cluster.add(node("one", "10.244.0.0/24", "10.243.0.11"))
    informer = Informer(cluster.client().resource(Node))
    async with running(PodNetwork(informer, fabric(), None), informer):
        await kernel.until(lambda: kernel.asked[-1:] == [{"10.244.0.0/24": "10.243.0.11"}])
        two = cluster.add(node("two", "10.244.1.0/24", "10.243.0.12"))
        await kernel.until(lambda: kernel.asked[-1].get("10.244.1.0/24") == "10.243.0.12")
        two.status.addresses[0].address = "10.243.0.99"
        cluster.put(two)
        await kernel.until(lambda: kernel.asked[-1].get("10.244.1.0/24") == "10.243.0.99")
        cluster.remove(Node, "one")
        await kernel.until(lambda: kernel.asked[-1] == {"10.244.1.0/24": "10.243.0.99"})
    assert all(kernel.asked), "before the nodes are known no route is taken away"


async def test_refusals_are_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the kernel refuses is asked for again; the node's own pod network comes after its routes."""
    kernel, cluster = Kernel(monkeypatch), SimulatedCluster()
    kernel.refusals = 2
    cluster.add(node("node-1", "10.244.0.0/24", "10.243.0.11"))
    informer = Informer(cluster.client().resource(Node))
    own = place(path=tmp_path)
    async with running(PodNetwork(informer, own.fabric, own), informer), asyncio.timeout(SECONDS):
        while not (own.cni_configuration / "10-kubewire.conflist").exists():  # noqa: ASYNC110  # a file
            await asyncio.sleep(0.005)
    assert kernel.asked == [{}, {}, {}]
