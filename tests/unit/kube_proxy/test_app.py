"""kube-proxy as a whole on a simulated cluster, its ports left out: what it programs, and how it looks after it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from kubewire.api.core.v1.service_pb2 import Service
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.kube_proxy.app import KubeProxy
from kubewire.kube_proxy.backends.memory import MemoryBackend, MemoryTable
from kubewire.kube_proxy.config import KubeProxyConfig
from kubewire.kube_proxy.desired.model import Rules
from kubewire.kube_proxy.errors import BackendFailed
from kubewire.kube_proxy.table import Edge
from tests.kube_proxy_tables import NODE, all_told, service, slice_of

READY = "10.0.0.1 n1 ready serving"
BOTH = f"{READY}\n10.0.1.1 n2 ready serving"
TOLD = ["TCP 10.96.0.1:80 -> 10.0.0.1:8080* outside"]
TOLD_BOTH = ["TCP 10.96.0.1:80 -> 10.0.0.1:8080* 10.0.1.1:8080 outside"]


@dataclass
class RecordedFlows:
    """Remembers what it was asked to forget."""

    asked: list[frozenset[tuple[str, int]]] = field(default_factory=list)
    failure: str = ""

    async def forget_stale(self, places: frozenset[tuple[str, int]], rules: Rules) -> int:
        if self.failure:
            raise BackendFailed(self.failure)
        self.asked.append(places)
        return 1

    def close(self) -> None:
        """Nothing is held."""


@dataclass
class World:
    """A cluster, and what the node's kernel would hold."""

    cluster: SimulatedCluster = field(default_factory=SimulatedCluster)
    table: MemoryTable = field(default_factory=MemoryTable)
    flows: RecordedFlows = field(default_factory=RecordedFlows)
    link: Link = field(default_factory=Link)

    @asynccontextmanager
    async def proxy(self, config: Mapping[str, float] | None = None) -> AsyncIterator[KubeProxy]:
        """A proxy at work, without its ports."""
        made = KubeProxy(
            KubeProxyConfig(node_name=NODE, mode="memory", **(config or {})),  # type: ignore[arg-type]  # numbers
            self.cluster.transport(self.link),
            edge=lambda _: Edge(MemoryBackend(self.table), self.flows),
            wall_clock=lambda: 1000.0 + asyncio.get_running_loop().time(),
        )
        async with asyncio.TaskGroup() as group:
            task = group.create_task(made.run_rules(lambda: None))
            await asyncio.sleep(1)
            yield made
            task.cancel()

    @property
    def programmed(self) -> list[str]:
        """Rules in words."""
        return all_told(self.table.rules.values())

    def add(self, description: str = "web 10.96.0.1 80", endpoints: str = READY) -> None:
        """A Service with endpoints."""
        made = service(description)
        self.cluster.add(made)
        protocol = made.spec.ports[0].protocol
        self.cluster.add(slice_of(made.metadata.name, endpoints, protocol=protocol))


def metric(proxy: KubeProxy, name: str) -> float:
    """A number of what `/metrics` shows."""
    found = [line for line in proxy._registry.render().decode().splitlines() if line.startswith(name)]
    return float(found[0].rpartition(" ")[2])


async def test_services_are_programmed_as_they_come_and_go() -> None:
    """What is there at first is programmed, and so is every change of a Service or its endpoints."""
    world = World()
    world.add()
    async with world.proxy():
        assert world.programmed == TOLD
        world.cluster.put(slice_of("web", BOTH))
        await asyncio.sleep(1)
        assert world.programmed == TOLD_BOTH
        world.cluster.remove(Service, "web", "default")
        await asyncio.sleep(1)
        assert world.programmed == []


async def test_a_service_that_becomes_anothers() -> None:
    """A Service that gets another proxy's label is given up, and taken back when it loses it."""
    world = World()
    world.add()
    async with world.proxy():
        world.cluster.put(service("web 10.96.0.1 80 proxy=other"))
        await asyncio.sleep(1)
        assert world.programmed == []
        world.cluster.put(service("web 10.96.0.1 80"))
        await asyncio.sleep(1)
        assert world.programmed == TOLD


async def test_a_slice_that_becomes_anothers() -> None:
    """A slice that is given to another Service is taken from the one that had it."""
    world = World()
    world.add()
    world.cluster.add(service("other 10.96.0.2 80"))
    async with world.proxy():
        moved = slice_of("web", READY)
        moved.metadata.labels["kubernetes.io/service-name"] = "other"
        world.cluster.put(moved)
        await asyncio.sleep(1)
        assert world.programmed == ["TCP 10.96.0.1:80 reject", "TCP 10.96.0.2:80 -> 10.0.0.1:8080* outside"]


async def test_changes_that_come_together_go_together() -> None:
    """Many Services that come at once are one transaction or two, and not one each."""
    world = World()
    async with world.proxy():
        before = world.table.version
        for number in range(50):
            world.add(f"web{number} 10.96.0.{number + 1} 80")
        await asyncio.sleep(1)
        assert len(world.programmed) == 50
        assert world.table.version - before <= 3


async def test_rules_outlive_the_proxy() -> None:
    """A proxy that ends leaves its rules; the next one changes what differs alone."""
    world = World()
    world.add()
    world.add("other 10.96.0.2 80")
    async with world.proxy():
        pass
    assert len(world.programmed) == 2
    version = world.table.version
    async with world.proxy():
        assert world.table.version == version
    world.cluster.remove(Service, "other", "default")
    async with world.proxy():
        assert world.programmed == TOLD
        assert world.table.version == version + 1


async def test_nothing_is_programmed_before_the_cluster_is_known() -> None:
    """A proxy that cannot reach the API server leaves rules as they are."""
    world = World()
    world.add()
    async with world.proxy():
        pass
    world.link.take_down()
    async with world.proxy() as proxy:
        await asyncio.sleep(60)
        assert world.programmed == TOLD
        assert proxy._sync_problem()
        world.link.is_up = True
        await asyncio.sleep(60)
        assert not proxy._sync_problem()
        assert not proxy._node_health.problem()


async def test_rules_of_a_foreign_hand() -> None:
    """Rules that somebody removes or adds are put right within the time between two checks."""
    world = World()
    world.add()
    async with world.proxy({"check_seconds": 5}) as proxy:
        world.table.rules.clear()
        world.table.version += 1
        await asyncio.sleep(6)
        assert world.programmed == TOLD
        assert metric(proxy, "kubewire_kube_proxy_repairs_total") == 1
        version = world.table.version
        await asyncio.sleep(60)
        assert world.table.version == version


async def test_a_kernel_that_refuses() -> None:
    """What is refused is tried again until it works; health turns in time, and back."""
    world = World()
    world.add()
    async with world.proxy({"unhealthy_seconds": 20}) as proxy:
        assert not proxy._node_health.problem()
        world.table.failure = "no memory"
        world.cluster.put(slice_of("web", BOTH))
        await asyncio.sleep(10)
        assert not proxy._node_health.problem()
        await asyncio.sleep(15)
        assert "wait for" in proxy._node_health.problem()
        assert metric(proxy, "kubeproxy_sync_proxy_rules_nftables_sync_failures_total") > 3
        assert world.programmed == TOLD
        world.table.failure = ""
        await asyncio.sleep(35)
        assert world.programmed == TOLD_BOTH
        assert not proxy._node_health.problem()


async def test_datagrams_of_endpoints_that_went_are_forgotten() -> None:
    """Changes of UDP rules have their connections looked through; those of TCP rules have not."""
    world = World()
    world.add()
    world.add("dns 10.96.0.10 53 protocol=UDP")
    async with world.proxy() as proxy:
        world.flows.asked.clear()
        world.cluster.put(slice_of("web", BOTH))
        await asyncio.sleep(1)
        assert not world.flows.asked
        world.cluster.put(slice_of("dns", BOTH, protocol="UDP"))
        await asyncio.sleep(1)
        assert world.flows.asked == [frozenset([("10.96.0.10", 53)])]
        assert metric(proxy, "kubeproxy_conntrack_reconciler_deleted_entries_total") == 2


async def test_connections_that_cannot_be_forgotten() -> None:
    """Rules are programmed all the same, and connections looked through when that works again; once."""
    world = World()
    world.add("dns 10.96.0.10 53 protocol=UDP")
    async with world.proxy():
        world.flows.failure = "busy"
        world.cluster.put(slice_of("dns", BOTH, protocol="UDP"))
        await asyncio.sleep(1)
        assert world.programmed == ["UDP 10.96.0.10:53 -> 10.0.0.1:8080* 10.0.1.1:8080 outside"]
        world.flows.asked.clear()
        world.flows.failure = ""
        await asyncio.sleep(20)
        assert world.flows.asked == [frozenset([("10.96.0.10", 53)])]


async def test_connections_from_before_the_start() -> None:
    """A proxy that starts looks through connections of all its UDP frontends, although their rules are right."""
    world = World()
    world.add("dns 10.96.0.10 53 protocol=UDP")
    async with world.proxy():
        pass
    world.flows.asked.clear()
    async with world.proxy():
        assert world.flows.asked == [frozenset([("10.96.0.10", 53)])]


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("1970-01-01T00:16:40.5Z", 1),
        ("1970-01-01T00:16:40.500000123Z", 1),
        ("1970-01-01T00:16:39Z", 0),
        ("yesterday", 0),
        ("", 0),
    ],
)
async def test_how_late_it_is(text: str, counted: int) -> None:
    """A slice that tells when its change happened is measured to its being programmed, unless that was before us."""
    world = World()
    world.add()
    async with world.proxy() as proxy:
        changed = slice_of("web", BOTH)
        changed.metadata.annotations["endpoints.kubernetes.io/last-change-trigger-time"] = text
        world.cluster.put(changed)
        await asyncio.sleep(1)
        assert metric(proxy, "kubeproxy_network_programming_duration_seconds_count") == counted


async def test_connections_that_are_dropped_are_counted() -> None:
    """Frontends without local targets are told by traffic policy."""
    world = World()
    world.add("web 10.96.0.1 80 node=30080 external=Local internal=Local", "10.0.1.1 n2 ready")
    async with world.proxy() as proxy:
        assert {labels: value for (labels,), value in proxy._missing_locally()} == {"internal": 1.0, "external": 1.0}
