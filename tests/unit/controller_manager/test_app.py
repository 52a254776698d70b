"""The controller-manager as a whole, its ports left out: winning the lead, losing it, and winning it again."""

import asyncio

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.controller_manager.app import ControllerManager
from kubewire.controller_manager.config import ControllerManagerConfig
from kubewire.controller_manager.table import CONTROLLERS
from tests.unit.controller_manager.running import now


def replica_set(name: str) -> ReplicaSet:
    """A ReplicaSet of three."""
    made = ReplicaSet()
    made.metadata.name, made.metadata.namespace = name, "default"
    made.spec.replicas = 3
    made.spec.selector.matchLabels["app"] = name
    made.spec.template.metadata.labels["app"] = name
    return made


async def test_a_lost_lead_is_won_again() -> None:
    """While no server answers nothing works here; afterwards all of it does again. At the end the lead is given up."""
    cluster, link = SimulatedCluster(wall_clock=now), Link()
    manager = ControllerManager(ControllerManagerConfig(), cluster.transport(link))
    async with asyncio.TaskGroup() as group:
        election = group.create_task(manager.run_election(lambda: None))
        await asyncio.sleep(10)
        assert list(manager.working) == [entry.name for entry in CONTROLLERS]
        assert manager.leader == manager.identity
        link.take_down()
        await asyncio.sleep(60)
        assert not manager.working
        link.is_up = True
        await asyncio.sleep(60)
        assert list(manager.working) == [entry.name for entry in CONTROLLERS]
        cluster.add(replica_set("web"))
        await asyncio.sleep(10)
        assert len(cluster.all(Pod)) == 3
        election.cancel()
    lease = cluster.get(Lease, "kube-controller-manager", "kube-system")
    assert lease is not None
    assert lease.spec.holderIdentity == ""


async def test_only_what_was_asked_for_runs() -> None:
    """`--controllers` chooses."""
    cluster = SimulatedCluster(wall_clock=now)
    config = ControllerManagerConfig(controllers=("*", "-garbage-collector-controller"))
    manager = ControllerManager(config, cluster.transport())
    async with asyncio.TaskGroup() as group:
        election = group.create_task(manager.run_election(lambda: None))
        await asyncio.sleep(10)
        assert "garbage-collector-controller" not in manager.working
        assert len(manager.working) == len(CONTROLLERS) - 1
        election.cancel()
