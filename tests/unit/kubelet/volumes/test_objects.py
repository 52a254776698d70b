"""ConfigMaps and Secrets, watched while pods name them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.client.objects import ObjectKey
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.kubelet.volumes.objects import ReferencedObjects
from kubewire.machinery.errors import Reason, StatusError
from tests.unit.kubelet.manifests import NAMESPACE, config_map, pod_of, secret

POD = pod_of("{volumes: [{name: a, configMap: {name: a}}, {name: b, secret: {secretName: b}}]}")
OTHER = pod_of("{volumes: [{name: a, configMap: {name: a}}]}", name="other", uid="uid-2")


class Node:
    """The objects of a node, and what its owner was told."""

    def __init__(self, cluster: SimulatedCluster, link: Link | None = None) -> None:
        self.cluster = cluster
        self.changed: list[str] = []
        self.objects = ReferencedObjects(cluster.client(link), self.changed.append)

    def count(self, verb: str) -> int:
        """Calls of a verb that reached the server."""
        return sum(call.path.rpartition("/")[2].startswith(verb) for call in self.cluster.calls)


def change(cluster: SimulatedCluster, name: str, value: str) -> None:
    """Give a ConfigMap another value."""
    found = cluster.get(ConfigMap, name, NAMESPACE)
    assert found is not None
    found.data["k"] = value
    cluster.put(found)


@asynccontextmanager
async def node(*objects: ConfigMap | Secret, link: Link | None = None) -> AsyncIterator[Node]:
    """A node that runs, in a cluster with these objects."""
    cluster = SimulatedCluster()
    for obj in objects:
        cluster.add(obj)
    made = Node(cluster, link)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.objects.run())
        await asyncio.sleep(0)
        yield made
        task.cancel()


async def test_a_held_object_costs_one_read() -> None:
    """The first to ask reads it from the server; once the watch has it nobody does."""
    async with node(config_map("a", k="1")) as made:
        made.objects.hold(POD)
        first = await made.objects.config_map(NAMESPACE, "a")
        await asyncio.sleep(1)
        second = await made.objects.config_map(NAMESPACE, "a")
        assert first.data["k"] == second.data["k"] == "1"
        assert made.count("Get") == 1


async def test_changes_are_told_to_the_pods_that_name_it() -> None:
    """Each pod hears of it, after the object is there; what it was given already is no change."""
    async with node(config_map("a", k="1"), secret("b", k=b"1")) as made:
        made.objects.hold(POD)
        made.objects.hold(OTHER)
        await made.objects.config_map(NAMESPACE, "a")
        await made.objects.secret(NAMESPACE, "b")
        await asyncio.sleep(1)
        assert made.changed == []
        change(made.cluster, "a", "2")
        await asyncio.sleep(1)
        assert sorted(made.changed) == ["uid-1", "uid-2"]
        assert (await made.objects.config_map(NAMESPACE, "a")).data["k"] == "2"


async def test_an_object_that_comes_late_is_told() -> None:
    """A pod that waits for a missing object hears when it is made, and when it is gone again."""
    async with node() as made:
        made.objects.hold(OTHER)
        for _ in range(2):
            with pytest.raises(StatusError) as raised:
                await made.objects.config_map(NAMESPACE, "a")
            assert raised.value.reason == Reason.NOT_FOUND
            await asyncio.sleep(1)
        made.cluster.add(config_map("a", k="1"))
        await asyncio.sleep(1)
        assert made.changed == ["uid-2"]
        await made.objects.config_map(NAMESPACE, "a")
        made.cluster.remove(ConfigMap, "a", NAMESPACE)
        await asyncio.sleep(1)
        assert made.changed == ["uid-2", "uid-2"]


async def test_a_change_while_it_is_read_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that was overtaken by the watch is not handed out: nobody would hear of the difference again."""

    async def late(key: ObjectKey) -> None:
        await asyncio.sleep(5)

    async with node() as made:
        monkeypatch.setattr(made.objects._config_maps, "_read_or_none", late)
        made.objects.hold(OTHER)
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(made.objects.config_map(NAMESPACE, "a"))
            await asyncio.sleep(1)
            made.cluster.add(config_map("a", k="1"))
        assert asked.result().data["k"] == "1"


async def test_only_the_named_object_is_watched() -> None:
    """Other objects of the namespace are not told of, and not read."""
    async with node(config_map("a", k="1")) as made:
        made.objects.hold(OTHER)
        await made.objects.config_map(NAMESPACE, "a")
        made.cluster.add(config_map("other", k="1"))
        await asyncio.sleep(1)
        assert made.changed == []


async def test_released_objects_are_watched_no_longer() -> None:
    """The last pod that names an object ends its watch; until then the others have it."""
    async with node(config_map("a", k="1")) as made:
        made.objects.hold(POD)
        made.objects.hold(OTHER)
        await made.objects.config_map(NAMESPACE, "a")
        made.objects.release("uid-1")
        made.objects.release("uid-1")
        change(made.cluster, "a", "2")
        await asyncio.sleep(1)
        assert made.changed == ["uid-2"]
        made.objects.release("uid-2")
        change(made.cluster, "a", "3")
        await asyncio.sleep(1)
        assert made.changed == ["uid-2"]
        reads = made.count("Get")
        assert (await made.objects.config_map(NAMESPACE, "a")).data["k"] == "3"
        assert made.count("Get") == reads + 1


async def test_a_pod_that_names_something_else_now() -> None:
    """An ephemeral container may bring names along, and nothing is lost of the others."""
    async with node(config_map("a", k="1"), config_map("c", k="1")) as made:
        made.objects.hold(OTHER)
        more = pod_of(
            "{volumes: [{name: a, configMap: {name: a}}],"
            " ephemeralContainers: [{name: x, envFrom: [{configMapRef: {name: c}}]}]}",
            uid="uid-2",
        )
        made.objects.hold(more)
        for name in ("a", "c"):
            await made.objects.config_map(NAMESPACE, name)
            await asyncio.sleep(1)
            change(made.cluster, name, "2")
            await asyncio.sleep(1)
        assert made.changed == ["uid-2", "uid-2"]


async def test_immutable_objects_are_watched_no_longer() -> None:
    """What cannot change costs nothing once it is known."""
    final = config_map("a", k="1")
    final.immutable = True
    async with node(final) as made:
        made.objects.hold(OTHER)
        await asyncio.sleep(1)
        change(made.cluster, "a", "2")
        await asyncio.sleep(1)
        assert (await made.objects.config_map(NAMESPACE, "a")).data["k"] == "1"
        assert made.changed == []


async def test_what_was_known_is_known_while_the_server_is_away() -> None:
    """Containers are restarted with what they had, server or not."""
    link = Link()
    async with node(config_map("a", k="1"), link=link) as made:
        made.objects.hold(OTHER)
        await made.objects.config_map(NAMESPACE, "a")
        await asyncio.sleep(1)
        link.take_down()
        await asyncio.sleep(60)
        assert (await made.objects.config_map(NAMESPACE, "a")).data["k"] == "1"


async def test_pods_may_be_held_before_it_runs() -> None:
    """Start order does not matter."""
    cluster = SimulatedCluster()
    cluster.add(config_map("a", k="1"))
    made = Node(cluster)
    made.objects.hold(OTHER)
    await made.objects.config_map(NAMESPACE, "a")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(made.objects.run())
        await asyncio.sleep(1)
        change(cluster, "a", "2")
        await asyncio.sleep(1)
        assert made.changed == ["uid-2"]
        task.cancel()
