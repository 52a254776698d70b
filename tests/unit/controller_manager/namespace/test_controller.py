"""The namespace controller against the simulated cluster."""

import asyncio

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.namespace_pb2 import Namespace
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.controller_manager.namespace.controller import NamespaceController
from tests.unit.controller_manager.running import context_of, now, running


def filled(cluster: SimulatedCluster, *, held: bool) -> None:
    """A namespace that is being deleted, with a pod, which a finalizer may hold, and two ConfigMaps."""
    namespace = Namespace()
    namespace.metadata.name = "shop"
    namespace.metadata.deletionTimestamp.seconds = 1
    namespace.spec.finalizers.append("kubernetes")
    # The simulated server does not know of the spec's.
    namespace.metadata.finalizers.append("example.com/kept")
    cluster.add(namespace)
    pod = Pod()
    pod.metadata.name, pod.metadata.namespace = "web", "shop"
    if held:
        pod.metadata.finalizers.append("example.com/hold")
    cluster.add(pod)
    for name, where in (("a", "shop"), ("b", "shop"), ("a", "other")):
        made = ConfigMap()
        made.metadata.name, made.metadata.namespace = name, where
        cluster.add(made)


async def test_it_is_emptied_and_goes() -> None:
    """All that is in the namespace goes, then its finalizer; other namespaces keep what they have."""
    cluster = SimulatedCluster(wall_clock=now)
    filled(cluster, held=False)
    async with running(NamespaceController, context_of(cluster)):
        await asyncio.sleep(30)
    assert cluster.all(Pod) == []
    assert [one.metadata.namespace for one in cluster.all(ConfigMap)] == ["other"]
    found = cluster.get(Namespace, "shop")
    assert found is not None
    assert not found.spec.finalizers


async def test_what_pods_need_waits_for_them() -> None:
    """While a pod is held nothing else goes, and conditions say why; when it is let go, all goes."""
    cluster = SimulatedCluster(wall_clock=now)
    filled(cluster, held=True)
    async with running(NamespaceController, context_of(cluster)):
        await asyncio.sleep(30)
        assert len(cluster.all(ConfigMap)) == 3
        found = cluster.get(Namespace, "shop")
        assert found is not None
        told = {one.type: one.message for one in found.status.conditions if one.status == "True"}
        assert told == {
            "NamespaceContentRemaining": "Still there: pods (1)",
            "NamespaceFinalizersRemaining": "Held by finalizers: example.com/hold (1)",
        }
        [pod] = cluster.all(Pod)
        await cluster.client().pods("shop").patch(pod.metadata.name, {"metadata": {"finalizers": None}})
        await asyncio.sleep(30)
        assert cluster.all(Pod) == []
        assert [one.metadata.namespace for one in cluster.all(ConfigMap)] == ["other"]
