"""Informer: the cache is what the server has, and handlers hear of every difference once."""

import asyncio

import pytest

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.informer.informer import Handler, Informer, drop_managed_fields
from kubewire.client.informer.mutation import CacheMutated, detecting_mutations
from kubewire.client.objects import ObjectKey
from kubewire.client.resources.options import Selection
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.machinery.errors import forbidden
from kubewire.machinery.gvk import GroupResource
from tests.unit.client.objects import pod
from tests.unit.client.running import running


class Told:
    """What a handler was told, as text."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @property
    def handler(self) -> Handler[Pod]:
        """The handler."""
        return Handler(self._added, self._updated, self._deleted)

    def take(self) -> list[str]:
        """What was told since the last time."""
        lines, self.lines = self.lines, []
        return lines

    def _added(self, obj: Pod) -> None:
        self.lines.append(f"+{obj.metadata.name}")

    def _updated(self, before: Pod, now: Pod) -> None:
        self.lines.append(f"{now.metadata.name}:{before.spec.nodeName}->{now.spec.nodeName}")

    def _deleted(self, last: Pod) -> None:
        self.lines.append(f"-{last.metadata.name}")


def told_by(informer: Informer[Pod]) -> Told:
    """What an informer tells from now on."""
    told = Told()
    informer.add_handler(told.handler)
    return told


async def settle() -> None:
    """Let everything that can happen without waiting long happen."""
    await asyncio.sleep(0.01)


async def test_first_state_then_changes() -> None:
    """What is there is told as additions, then changes as they come."""
    cluster = SimulatedCluster()
    cluster.add(pod("a"))
    informer = Informer(cluster.client().pods())
    told = told_by(informer)
    async with running(informer.run()):
        assert not informer.has_synced
        await informer.wait_synced()
        assert told.take() == ["+a"]
        created = cluster.add(pod("b"))
        created.spec.nodeName = "n1"
        cluster.put(created)
        cluster.remove(Pod, "a", "default")
        await settle()
        assert told.take() == ["+b", "b:->n1", "-a"]
        assert list(informer.cache.keys()) == [ObjectKey("default", "b")]
        assert informer.resource_version == "4"


async def test_an_empty_kind_is_synced() -> None:
    """There is nothing, and that is known."""
    informer = Informer(SimulatedCluster().client().pods())
    async with running(informer.run()):
        await informer.wait_synced()
        assert len(informer.cache) == 0


async def test_late_handlers_hear_of_what_is_there() -> None:
    """A handler added later is told of present objects, and of changes like all others."""
    cluster = SimulatedCluster()
    cluster.add(pod("a"))
    informer = Informer(cluster.client().pods())
    async with running(informer.run()):
        await informer.wait_synced()
        told = told_by(informer)
        assert told.take() == ["+a"]
        cluster.add(pod("b"))
        await settle()
        assert told.take() == ["+b"]


async def test_a_broken_stream_is_resumed() -> None:
    """What happened meanwhile is told once, and nothing is told again."""
    cluster, link = SimulatedCluster(), Link()
    cluster.add(pod("a"))
    informer = Informer(cluster.client(link).pods())
    told = told_by(informer)
    async with running(informer.run()):
        await informer.wait_synced()
        told.take()
        link.take_down()
        cluster.add(pod("b"))
        cluster.remove(Pod, "a", "default")
        await asyncio.sleep(60)
        assert told.take() == []
        link.is_up = True
        await asyncio.sleep(20)
        assert told.take() == ["+b", "-a"]
        calls = len(cluster.calls)
        await asyncio.sleep(100)
        assert len(cluster.calls) == calls


async def test_a_stream_that_ends_is_resumed() -> None:
    """The end of a watch's time goes unnoticed."""
    cluster = SimulatedCluster()
    informer = Informer(cluster.client().pods())
    told = told_by(informer)
    async with running(informer.run()):
        await informer.wait_synced()
        for number in range(5):
            await asyncio.sleep(700)
            cluster.add(pod(f"p{number}"))
            await settle()
            assert told.take() == [f"+p{number}"]
        assert 5 < len(cluster.calls) < 15


async def test_lost_history_is_made_up_for() -> None:
    """After Expired the new state is compared with the old: handlers hear of what they missed, and only of that."""
    cluster, link = SimulatedCluster(), Link()
    for name in ("gone", "changed", "same", "reborn"):
        cluster.add(pod(name))
    informer = Informer(cluster.client(link).pods())
    told = told_by(informer)
    async with running(informer.run()):
        await informer.wait_synced()
        told.take()
        link.take_down()
        changed = cluster.get(Pod, "changed", "default")
        assert changed is not None
        changed.spec.nodeName = "n1"
        cluster.put(changed)
        cluster.remove(Pod, "gone", "default")
        cluster.remove(Pod, "reborn", "default")
        cluster.add(pod("reborn"))
        cluster.add(pod("new"))
        cluster.forget_history(Pod)
        link.is_up = True
        await asyncio.sleep(20)
        assert sorted(told.take()) == sorted(["changed:->n1", "-gone", "-reborn", "+reborn", "+new"])
        assert {key.name for key in set(informer.cache.keys())} == {"changed", "same", "reborn", "new"}


async def test_a_stream_that_breaks_within_the_first_state() -> None:
    """Half a state is never shown."""
    cluster, link = SimulatedCluster(), Link()
    for number in range(1200):
        cluster.add(pod(f"p{number}"))
    informer = Informer(cluster.client(link).pods())
    told = told_by(informer)
    async with running(informer.run()):
        await asyncio.sleep(0)
        link.break_watches()
        await informer.wait_synced()
        assert len(informer.cache) == len(told.take()) == 1200


async def test_a_refused_watch_is_tried_again() -> None:
    """Without permission the informer says so and goes on trying; with it, it syncs."""
    cluster, link = SimulatedCluster(), Link()
    link.refusals += [forbidden(GroupResource("", "pods"), "", "not yet")] * 3
    informer = Informer(cluster.client(link).pods())
    async with running(informer.run()):
        await settle()
        assert informer.failure is not None
        assert informer.failure.reason == "Forbidden"
        await informer.wait_synced()
        await settle()
        assert informer.failure is None


async def test_a_selection_is_kept_to() -> None:
    """Objects that cease to match are told as deleted."""
    cluster = SimulatedCluster()
    stored = cluster.add(pod("a", app="web"))
    cluster.add(pod("b"))
    informer = Informer(cluster.client().pods(), Selection("app=web"))
    told = told_by(informer)
    async with running(informer.run()):
        await informer.wait_synced()
        del stored.metadata.labels["app"]
        cluster.put(stored)
        await settle()
        assert told.take() == ["+a", "-a"]


async def test_a_transform_comes_first() -> None:
    """Objects are cached as the transform leaves them."""
    cluster = SimulatedCluster()
    wanted = pod("a")
    wanted.metadata.managedFields.add(manager="kubectl")
    cluster.add(wanted)
    informer = Informer(cluster.client().pods(), transform=drop_managed_fields)
    async with running(informer.run()):
        await informer.wait_synced()
        assert not informer.cache.list()[0].metadata.managedFields


async def test_changing_a_cached_object_is_found() -> None:
    """Whoever changes what is read-only fails the test."""
    cluster = SimulatedCluster()
    cluster.add(pod("a"))

    async def misbehave() -> None:
        with detecting_mutations():
            informer = Informer(cluster.client().pods())
            async with running(informer.run()):
                await informer.wait_synced()
                informer.cache.list()[0].spec.nodeName = "n1"

    with pytest.raises(CacheMutated, match="Pod default/a"):
        await misbehave()


async def test_indexes_of_an_informer() -> None:
    """Indexes may be added before and after the cache is filled."""
    cluster = SimulatedCluster()
    cluster.add(pod("a", node="n1"))
    informer = Informer(cluster.client().pods())
    async with running(informer.run()):
        await informer.wait_synced()
        informer.add_index("node", lambda obj: (obj.spec.nodeName,))
        cluster.add(pod("b", node="n1"))
        await settle()
        assert [obj.metadata.name for obj in informer.cache.by_index("node", "n1")] == ["a", "b"]
