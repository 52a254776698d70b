"""A controller of its own, as a user would write one, on a simulated cluster in trouble: it converges all the same."""

import asyncio
from random import Random

import pytest

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.event_pb2 import Event
from kubewire.api.core.v1.node_pb2 import Node
from kubewire.client.client import Client
from kubewire.client.controller import Controller, key_of_controller
from kubewire.client.events.recorder import EventRecorder
from kubewire.client.informer.index import by_controller_uid
from kubewire.client.informer.shared import SharedInformers
from kubewire.client.objects import ObjectKey
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster

TROUBLE_SECONDS = 120


class Copies:
    """Keeps as many copies of a ConfigMap as its data says under `copies`."""

    def __init__(self, client: Client, informers: SharedInformers) -> None:
        self._maps = client.resource(ConfigMap)
        self._cache = informers.informer(ConfigMap)
        self._cache.add_index("controller", by_controller_uid)
        self.recorder = EventRecorder(client, "copies")
        self.controller = Controller("copies", self.reconcile, workers=2)
        self.controller.watch(self._cache)
        self.controller.watch(self._cache, key_of_controller("ConfigMap"))

    async def reconcile(self, key: ObjectKey) -> None:
        """Create or delete what is missing or too much."""
        original = self._cache.cache.get(key)
        if original is None or "copies" not in original.data:
            return
        have = {copy.metadata.name for copy in self._cache.cache.by_index("controller", original.metadata.uid)}
        want = {f"{key.name}-copy{number}" for number in range(int(original.data["copies"]))}
        for name in sorted(want - have):
            copy = ConfigMap()
            copy.metadata.namespace, copy.metadata.name = key.namespace, name
            copy.metadata.ownerReferences.add(
                apiVersion="v1", kind="ConfigMap", name=key.name, uid=original.metadata.uid, controller=True
            )
            await self._maps.create(copy)
            self.recorder.normal(original, "Copied", f"created {name}")
        await self._maps.in_namespace(key.namespace).delete_many(sorted(have - want))


def original(name: str, copies: int) -> ConfigMap:
    """What is to be copied."""
    made = ConfigMap(data={"copies": str(copies)})
    made.metadata.namespace, made.metadata.name = "default", name
    return made


async def make_trouble(cluster: SimulatedCluster, link: Link, random: Random) -> None:
    """Break the controller's way to the server, lose history, and undo some of its work."""
    for _ in range(TROUBLE_SECONDS):
        await asyncio.sleep(1)
        match random.choice(["down", "up", "loses", "finds", "break", "forget", "delete", "scale"]):
            case "down":
                link.take_down()
            case "up" | "finds":
                link.is_up, link.loses_answers = True, False
            case "loses":
                link.loses_answers = True
            case "break":
                link.break_watches()
            case "forget":
                cluster.forget_history(ConfigMap)
            case "delete":
                chosen = random.choice(cluster.all(ConfigMap))
                if chosen.metadata.ownerReferences:
                    cluster.remove(ConfigMap, chosen.metadata.name, "default")
            case "scale":
                found = cluster.get(ConfigMap, random.choice("abc"), "default")
                assert found is not None
                found.data["copies"] = str(random.randrange(6))
                cluster.put(found)
    link.is_up, link.loses_answers = True, False


@pytest.mark.parametrize("seed", range(10))
async def test_it_converges(seed: int) -> None:
    """Once the trouble is over, there is what there should be, and nothing else."""
    random, cluster, link = Random(seed), SimulatedCluster(), Link()
    for name in "abc":
        cluster.add(original(name, 3))
    client = cluster.client(link, user_agent="copies/1.0")
    informers = SharedInformers(client)
    copies = Copies(client, informers)
    async with asyncio.TaskGroup() as group:
        parts = (informers.run(), copies.controller.run(), copies.recorder.run())
        running = [group.create_task(part) for part in parts]
        await make_trouble(cluster, link, random)
        await asyncio.sleep(60)
        wanted = {
            f"{found.metadata.name}-copy{number}"
            for found in cluster.all(ConfigMap)
            if found.data
            for number in range(int(found.data["copies"]))
        }
        assert {found.metadata.name for found in cluster.all(ConfigMap) if not found.data} == wanted
        quiet = len(cluster.calls)
        await asyncio.sleep(120)
        assert len(cluster.calls) == quiet, "it goes on although there is nothing to do"
        await copies.recorder.flush()
        for part in running:
            part.cancel()
    assert cluster.all(Event)
    writes = [call for call in cluster.calls if "CreateConfigMap" in call.path]
    assert all(call.cause.startswith("ConfigMap/default/") for call in writes)


async def test_the_controller_of_the_readme() -> None:
    """Labels every node, the ones that come later included."""
    cluster = SimulatedCluster()
    client = cluster.client()
    informers = SharedInformers(client)
    nodes = informers.informer(Node)

    async def reconcile(key: ObjectKey) -> None:
        node = nodes.cache.get(key)
        if node is not None and "seen" not in node.metadata.labels:
            await client.nodes().patch(key.name, {"metadata": {"labels": {"seen": "yes"}}})

    controller = Controller("labeller", reconcile, workers=2)
    controller.watch(nodes)
    async with asyncio.TaskGroup() as group:
        parts = [group.create_task(informers.run()), group.create_task(controller.run())]
        for name in ("n1", "n2"):
            made = Node()
            made.metadata.name = name
            cluster.add(made)
            await asyncio.sleep(1)
            stored = cluster.get(Node, name)
            assert stored is not None
            assert stored.metadata.labels["seen"] == "yes"
        for part in parts:
            part.cancel()
