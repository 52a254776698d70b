"""SharedInformers: one watch for all who look at the same objects."""

import asyncio

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.informer.shared import SharedInformers
from kubewire.client.resources.options import Selection
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.machinery.gvk import GroupVersionResource
from tests.unit.client.objects import pod
from tests.unit.client.running import running


async def test_the_same_objects_are_watched_once() -> None:
    """Kind, selection and namespace make an informer."""
    cluster = SimulatedCluster()
    shared = SharedInformers(cluster.client())
    pods = shared.informer(Pod)
    assert shared.informer(Pod) is pods
    assert shared.informer(Pod, Selection("a=b")) is not pods
    assert shared.informer(Pod, namespace="x") is not pods
    shared.metadata(GroupVersionResource("", "v1", "pods"))
    shared.informer(Node)
    async with running(shared.run()):
        await shared.wait_synced()
        assert len(cluster.calls) == len(list(shared.informers)) == 5


async def test_informers_may_be_asked_for_later() -> None:
    """An informer asked for while others run is started at once."""
    cluster = SimulatedCluster()
    cluster.add(pod("a"))
    shared = SharedInformers(cluster.client())
    async with running(shared.run()):
        await asyncio.sleep(1)
        informer = shared.informer(Pod)
        await informer.wait_synced()
        assert len(informer.cache) == 1


async def test_metadata_informers() -> None:
    """Metadata alone is cached, for any kind."""
    cluster = SimulatedCluster()
    cluster.add(pod("a", node="n1", owner="u1"))
    shared = SharedInformers(cluster.client())
    informer = shared.metadata(GroupVersionResource("", "v1", "pods"))
    async with running(shared.run()):
        await informer.wait_synced()
        found = informer.cache.list()[0]
        assert found.metadata.ownerReferences[0].uid == "u1"
        assert b"n1" not in found.SerializeToString()
        cluster.remove(Pod, "a", "default")
        await asyncio.sleep(1)
        assert len(informer.cache) == 0
