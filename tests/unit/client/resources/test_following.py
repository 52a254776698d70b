"""A watch that does not end: what each batch means for the receiver, and which failures end it."""

import asyncio
from contextlib import aclosing

import pytest

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.resources.following import follow
from kubewire.client.resources.results import Changed, Replaced, Update
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.machinery.errors import StatusError, forbidden, too_many_requests
from kubewire.machinery.gvk import GroupResource
from tests.unit.client.objects import pod


def line(update: Update[Pod]) -> str:
    """An update as text."""
    if isinstance(update, Replaced):
        return f"all: {' '.join(sorted(key.name for key in update.objects))} @{update.resource_version}"
    events = " ".join(f"{event.type}:{event.object.metadata.name}" for event in update.events)
    return f"{events} @{update.resource_version}"


async def test_all_objects_then_changes() -> None:
    """The first update is complete, even if it is empty; the following ones are differences."""
    cluster = SimulatedCluster()
    cluster.add(pod("a"))
    cluster.add(pod("b"))
    async with aclosing(follow(cluster.client().pods())) as updates:
        assert line(await anext(updates)) == "all: a b @2"
        cluster.remove(Pod, "a", "default")
        assert line(await anext(updates)) == "DELETED:a @3"
    async with aclosing(follow(SimulatedCluster().client().pods())) as updates:
        assert isinstance(await anext(updates), Replaced)


async def test_lost_history_starts_again_with_all() -> None:
    """What was missed is in the new state."""
    cluster, link = SimulatedCluster(), Link()
    cluster.add(pod("a"))
    async with aclosing(follow(cluster.client(link).pods())) as updates:
        await anext(updates)
        link.break_watches()
        cluster.add(pod("b"))
        cluster.forget_history(Pod)
        assert line(await anext(updates)) == "all: a b @2"
        cluster.add(pod("c"))
        update = await anext(updates)
        assert isinstance(update, Changed)
        assert line(update) == "ADDED:c @3"


async def test_a_busy_server_is_asked_when_it_said() -> None:
    """Retry-After is a lower bound of the wait."""
    cluster, link = SimulatedCluster(), Link()
    link.refusals.append(too_many_requests("busy", 30))
    async with aclosing(follow(cluster.client(link).pods())) as updates:
        await anext(updates)
    assert asyncio.get_running_loop().time() == 30


async def test_failures_that_stay() -> None:
    """Without permission there is no point in asking again; the caller is told."""
    link = Link(refusals=[forbidden(GroupResource("", "pods"), "", "no")])
    async with aclosing(follow(SimulatedCluster().client(link).pods())) as updates:
        with pytest.raises(StatusError):
            await anext(updates)


async def test_a_server_that_ends_every_stream_at_once() -> None:
    """It is not asked in a tight circle."""
    cluster, link = SimulatedCluster(), Link()

    async def break_always() -> None:
        while True:
            await asyncio.sleep(0.01)
            link.break_watches()

    async with asyncio.TaskGroup() as group:
        breaking = group.create_task(break_always())
        async with aclosing(follow(cluster.client(link).pods())) as updates:
            await anext(updates)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(60):
                    await anext(updates)
        breaking.cancel()
    assert len(cluster.calls) < 25
