"""Registration, Lease and status, against a simulated API server in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.api.core.v1.node_pb2 import Node
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.kubelet.config import KubeletConfig
from kubewire.kubelet.node.machine import Machine, Room
from kubewire.kubelet.node.reporter import NodeReporter
from kubewire.kubelet.pods.workers import NodeView
from kubewire.kubelet.runtime.contracts import Condition
from kubewire.kubelet.runtime.simulated import SimulatedRuntime

GIB = 1 << 30


class Sickly(SimulatedRuntime):
    """A runtime that may have no network."""

    has_network = True

    async def conditions(self) -> Sequence[Condition]:
        return [Condition("RuntimeReady", status=True), Condition("NetworkReady", status=self.has_network)]


class House:
    """A reporter of the node n1."""

    def __init__(self) -> None:
        self.cluster = SimulatedCluster()
        self.link = Link()
        self.runtime = Sickly()
        self.view = NodeView()
        self.reporter = NodeReporter(
            KubeletConfig(),
            self.cluster.client(self.link),
            self.runtime,
            self.view,
            Machine(4, 8 * GIB, "m", "s", "b", "6.1", "Debian", "amd64"),
            lambda: Room(4 * GIB, 50 * GIB, 100 * GIB, 1, 32768),
        )
        self.reporter.name, self.reporter.address, self.reporter.port = "n1", "192.0.2.1", 10350

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """All parts run."""
        async with asyncio.TaskGroup() as group:
            parts = (self.reporter.register(), self.reporter.run_status(), self.reporter.run_lease())
            tasks = [group.create_task(part) for part in parts]
            yield
            for task in tasks:
                task.cancel()

    def node(self) -> Node:
        """The node as the server has it."""
        found = self.cluster.get(Node, "n1")
        assert found is not None
        return found

    def ready(self) -> str:
        """What it says of itself."""
        return next(one.status for one in self.node().status.conditions if one.type == "Ready")

    def count(self, call: str) -> int:
        """How often the server was asked for something."""
        return sum(record.path.endswith(f"/{call}") for record in self.cluster.calls)


async def test_a_node_registers_reports_and_lives() -> None:
    """The Lease is the heartbeat; the status is written when it is news."""
    house = House()
    async with house.open():
        await asyncio.sleep(60)
        assert house.ready() == "True"
        lease = house.cluster.get(Lease, "n1", "kube-node-lease")
        assert lease is not None
        assert (lease.spec.holderIdentity, lease.spec.leaseDurationSeconds) == ("n1", 40)
        assert lease.metadata.ownerReferences[0].uid == house.node().metadata.uid
        assert 5 <= house.count("UpdateLease") <= 6
        assert house.count("UpdateNodeStatus") == 1


async def test_a_server_that_is_away_at_the_start_is_waited_for() -> None:
    """The node registers when it is back."""
    house = House()
    house.link.is_up = False
    async with house.open():
        await asyncio.sleep(30)
        house.link.is_up = True
        await asyncio.sleep(10)
        assert house.ready() == "True"


async def test_a_network_that_comes_later_is_told_at_once() -> None:
    """A node that is not ready is looked at more often."""
    house = House()
    house.runtime.has_network = False
    async with house.open():
        await asyncio.sleep(20)
        assert house.ready() == "False"
        house.runtime.has_network = True
        await asyncio.sleep(0.5)
        assert house.ready() == "True"


async def test_what_others_write_into_the_node_is_kept() -> None:
    """A conflict is read again; taints and labels of others stay."""
    house = House()
    async with house.open():
        await asyncio.sleep(5)
        node = house.node()
        node.spec.taints.add(key="busy", effect="NoSchedule")
        house.cluster.put(node)
        house.runtime.has_network = False
        await asyncio.sleep(20)
        assert house.ready() == "False"
        assert [one.key for one in house.node().spec.taints] == ["busy"]


async def test_a_node_that_was_deleted_registers_again() -> None:
    """Whoever runs pods is a node."""
    house = House()
    async with house.open():
        await asyncio.sleep(5)
        house.cluster.remove(Node, "n1")
        house.runtime.has_network = False
        await asyncio.sleep(20)
        assert house.ready() == "False"
