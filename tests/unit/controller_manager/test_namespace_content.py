"""What every namespace is to contain, against the simulated cluster."""

import asyncio

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.namespace_pb2 import Namespace
from kubewire.api.core.v1.service_account_pb2 import ServiceAccount
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.controller_manager.root_ca import controller as root_ca
from kubewire.controller_manager.service_account import controller as service_account
from tests.unit.controller_manager.running import context_of, now, running


def namespace(name: str, *, phase: str = "Active") -> Namespace:
    """A namespace."""
    made = Namespace()
    made.metadata.name = name
    made.status.phase = phase
    return made


async def test_every_namespace_gets_them() -> None:
    """Namespaces that are there, come, or lose them have a service account and the CA; those that go get nothing."""
    cluster = SimulatedCluster(wall_clock=now)
    cluster.add(namespace("a"))
    cluster.add(namespace("going", phase="Terminating"))
    async with (
        running(service_account.make, context_of(cluster)),
        running(root_ca.make, context_of(cluster)),
    ):
        await asyncio.sleep(5)
        cluster.add(namespace("b"))
        await asyncio.sleep(5)
        for name in ("a", "b"):
            assert cluster.get(ServiceAccount, "default", name) is not None
            found = cluster.get(ConfigMap, "kube-root-ca.crt", name)
            assert found is not None
            assert dict(found.data) == {"ca.crt": "the cluster's CA"}
        cluster.remove(ServiceAccount, "default", "a")
        cluster.remove(ConfigMap, "kube-root-ca.crt", "a")
        await asyncio.sleep(5)
        assert [one.metadata.namespace for one in cluster.all(ServiceAccount)] == ["a", "b"]
        assert [one.metadata.namespace for one in cluster.all(ConfigMap)] == ["a", "b"]


async def test_a_wrong_ca_is_put_right() -> None:
    """Somebody who changes the CA changes it back; what else stands in the service account is its user's."""
    cluster = SimulatedCluster(wall_clock=now)
    cluster.add(namespace("a"))
    async with running(root_ca.make, context_of(cluster)):
        await asyncio.sleep(5)
        found = cluster.get(ConfigMap, "kube-root-ca.crt", "a")
        assert found is not None
        found.data["ca.crt"] = "another"
        cluster.put(found)
        await asyncio.sleep(5)
        mended = cluster.get(ConfigMap, "kube-root-ca.crt", "a")
        assert mended is not None
        assert dict(mended.data) == {"ca.crt": "the cluster's CA"}
