"""What kube-proxy's own service answers."""

import asyncio
from dataclasses import dataclass

import pytest

from kubewire.api.core.v1.service_pb2 import Service
from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice
from kubewire.client.informer.informer import Informer
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.component.metrics.registry import Registry
from kubewire.kube_proxy.backends.memory import MemoryBackend
from kubewire.kube_proxy.cycle.board import Board
from kubewire.kube_proxy.cycle.loop import Loop, Times
from kubewire.kube_proxy.desired.difference import Difference
from kubewire.kube_proxy.desired.services import Settings
from kubewire.kube_proxy.flows.contracts import NoFlows
from kubewire.kube_proxy.metrics import KubeProxyMetrics
from kubewire.kube_proxy.rpc.service import KubeProxyService
from kubewire.kube_proxy.table import Edge
from kubewire.kube_proxy.v1 import kube_proxy_service_pb2 as messages
from kubewire.machinery.errors import StatusError
from tests.kube_proxy_tables import NODE, rule, service, slice_of


@dataclass
class Told:
    """A proxy."""

    mode: str = "memory"
    node_name: str = NODE
    loop: Loop | None = None


class Programmed:
    """A proxy that has programmed a Service, `web`."""

    def __init__(self) -> None:
        cluster = SimulatedCluster()
        cluster.add(service("web 10.96.0.1 80/http node=30080"))
        cluster.add(slice_of("web", "10.0.0.1 n1 ready", port_name="http"))
        client, clock = cluster.client(), asyncio.get_running_loop().time
        self.services = Informer(client.resource(Service))
        self.slices = Informer(client.resource(EndpointSlice))
        metrics = KubeProxyMetrics(Registry())
        board = Board(self.services, self.slices, metrics, clock=clock, wall_clock=lambda: 1000.0)
        self.backend = MemoryBackend()
        times = Times(min_sync_seconds=0, check_seconds=5, clock=clock, wall_clock=lambda: 1000.0)
        self.loop = Loop(board, Edge(self.backend, NoFlows()), Settings(NODE), metrics, times)
        self.service = KubeProxyService(Told(loop=self.loop))

    async def start(self) -> None:
        """Fill caches, and program once."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(informer.run()) for informer in (self.services, self.slices)]
            await self.services.wait_synced()
            await self.slices.wait_synced()
            for task in tasks:
                task.cancel()
        await self.loop.round()


async def test_rules() -> None:
    """Desired and programmed rules are the same while all is well, and are found by Service."""
    made = Programmed()
    await made.start()
    desired = await made.service.list_desired_rules(messages.ListDesiredRulesRequest())
    programmed = await made.service.list_programmed_rules(messages.ListProgrammedRulesRequest())
    for one in programmed.rules:
        assert one.programmed_at == 1000.0
        one.ClearField("programmed_at")
    assert list(desired.rules) == list(programmed.rules)
    assert {(one.service, one.address, one.port, one.masquerade) for one in desired.rules} == {
        ("default/web:http", "10.96.0.1", 80, "outside"),
        ("default/web:http", "", 30080, "always"),
    }
    assert desired.rules[0].targets[0] == messages.Target(address="10.0.0.1", port=8080, local=True)
    for namespace, name, count in (("default", "web", 2), ("default", "we", 0), ("default", "", 2), ("defaul", "", 0)):
        request = messages.ListDesiredRulesRequest(namespace=namespace, name=name)
        assert len((await made.service.list_desired_rules(request)).rules) == count


async def test_difference() -> None:
    """What somebody else has changed is told as what remains to be done."""
    made = Programmed()
    await made.start()
    assert await made.service.get_difference(messages.GetDifferenceRequest()) == messages.GetDifferenceResponse()
    other = rule("TCP 10.96.0.9:80 reject")
    await made.backend.apply(Difference((other,), tuple(key for key in made.backend.table.rules if key.is_node_port)))
    told = await made.service.get_difference(messages.GetDifferenceRequest())
    assert [one.port for one in told.put] == [30080]
    assert [one.address for one in told.remove] == ["10.96.0.9"]


async def test_status() -> None:
    """Counts and times, before the first round and after."""
    made = Programmed()
    assert (await made.service.get_status(messages.GetStatusRequest())).desired_rules == 0
    await made.start()
    told = await made.service.get_status(messages.GetStatusRequest())
    assert (told.mode, told.node_name, told.last_synced, told.waiting_seconds) == ("memory", NODE, 1000.0, 0.0)
    assert (told.services, told.desired_rules, told.programmed_rules) == (1, 2, 2)


async def test_before_it_has_started() -> None:
    """Rules cannot be told before there are any; the status can."""
    starting = KubeProxyService(Told())
    assert (await starting.get_status(messages.GetStatusRequest())).mode == "memory"
    with pytest.raises(StatusError, match="starting"):
        await starting.list_desired_rules(messages.ListDesiredRulesRequest())


async def test_rules_that_cannot_be_read() -> None:
    """The caller is told why."""
    made = Programmed()
    await made.start()
    made.backend.table.failure = "no memory"
    with pytest.raises(StatusError, match="no memory"):
        await made.service.list_programmed_rules(messages.ListProgrammedRulesRequest())
