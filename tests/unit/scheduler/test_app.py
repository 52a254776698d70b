"""The scheduler as a whole, its ports left out: winning the lead, losing it, and winning it again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.api.core.v1.event_pb2 import Event
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.scheduler.app import Scheduler
from kubewire.scheduler.config import SchedulerConfig
from tests.scheduler_tables import node_message, pod_message


@asynccontextmanager
async def running(cluster: SimulatedCluster, *links: Link) -> AsyncIterator[list[Scheduler]]:
    """Schedulers that run for the lead, each on its own link."""
    schedulers = [Scheduler(SchedulerConfig(seed=1), cluster.transport(link)) for link in links]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one.run_election(lambda: None)) for one in schedulers]
        tasks += [group.create_task(one.run_events(lambda: None)) for one in schedulers]
        yield schedulers
        for task in tasks:
            task.cancel()


def where(cluster: SimulatedCluster) -> dict[str, str]:
    """Where pods are."""
    return {one.metadata.name: one.spec.nodeName for one in cluster.all(Pod)}


def leads(scheduler: Scheduler) -> bool:
    """Whether it has a term."""
    return scheduler.term is not None


async def test_schedules_and_tells() -> None:
    """A lone scheduler leads, binds, and writes an event for what it did and for what it could not do."""
    cluster = SimulatedCluster()
    cluster.add(node_message("n1 cpu=1"))
    async with running(cluster, Link()) as [scheduler]:
        cluster.add(pod_message("a cpu=1"))
        await asyncio.sleep(5)
        cluster.add(pod_message("b cpu=1"))
        await asyncio.sleep(5)
        assert scheduler.leader == scheduler.identity
    assert where(cluster) == {"a": "n1", "b": ""}
    told = {(one.involvedObject.name, one.type, one.reason, one.message) for one in cluster.all(Event)}
    assert told == {
        ("a", "Normal", "Scheduled", "Successfully assigned default/a to n1"),
        ("b", "Warning", "FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu."),
    }


async def test_lead_lost_and_won_again() -> None:
    """A scheduler that is cut off stops leading in time, and goes on when it is back: with what is true then."""
    cluster, link = SimulatedCluster(), Link()
    cluster.add(node_message("n1"))
    async with running(cluster, link) as [scheduler]:
        await asyncio.sleep(5)
        assert leads(scheduler)
        link.take_down()
        cluster.add(pod_message("a"))
        await asyncio.sleep(12)
        assert not leads(scheduler)
        assert where(cluster) == {"a": ""}
        link.is_up = True
        await asyncio.sleep(30)
        assert leads(scheduler)
    assert where(cluster) == {"a": "n1"}


async def test_another_takes_over() -> None:
    """Of two one leads; when it is cut off, the other does, and never both do at once."""
    cluster, first, second = SimulatedCluster(), Link(), Link()
    cluster.add(node_message("n1"))
    async with running(cluster, first) as [one]:
        await asyncio.sleep(5)
        async with running(cluster, second) as [other]:
            await asyncio.sleep(60)
            assert (leads(one), leads(other)) == (True, False)
            first.take_down()
            cluster.add(pod_message("a"))
            for _ in range(400):
                await asyncio.sleep(0.1)
                assert not (leads(one) and leads(other))
            assert leads(other)
            assert where(cluster) == {"a": "n1"}
    [lease] = cluster.all(Lease)
    assert lease.metadata.name == "kube-scheduler"
