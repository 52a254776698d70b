"""The ReplicaSet controller against the simulated cluster."""

import asyncio
from random import Random

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.api.core.v1.event_pb2 import Event
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.controller_manager.replica_set.controller import ReplicaSetController
from kubewire.controller_manager.replica_set.pods import make_pods
from kubewire.machinery import errors
from kubewire.machinery.gvk import GroupResource
from tests.unit.controller_manager.running import context_of, now, running


def replica_set(replicas: int) -> ReplicaSet:
    """A ReplicaSet `web` of pods with app=web."""
    made = ReplicaSet()
    made.metadata.name, made.metadata.namespace = "web", "default"
    made.spec.replicas = replicas
    made.spec.selector.matchLabels["app"] = "web"
    made.spec.template.metadata.labels["app"] = "web"
    made.spec.template.spec.containers.add(name="web", image="web:1")
    return made


def creations(cluster: SimulatedCluster) -> int:
    """Calls that create pods."""
    return sum(call.path.endswith("PodService/CreatePods") for call in cluster.calls)


async def test_slow_start() -> None:
    """Pods are created in batches of 1, 2, 4 and so on; the status and events tell of them."""
    cluster = SimulatedCluster(wall_clock=now)
    cluster.add(replica_set(10))
    async with running(ReplicaSetController, context_of(cluster)):
        await asyncio.sleep(60)
    assert creations(cluster) == 4
    assert len(cluster.all(Pod)) == 10
    found = cluster.get(ReplicaSet, "web", "default")
    assert found is not None
    assert found.status.replicas == 10
    assert {event.reason for event in cluster.all(Event)} == {"SuccessfulCreate"}


async def test_a_server_that_leaves_zeros_out_is_told_of_ready_pods() -> None:
    """Zero counts that come back unset are no news; pods that become ready later are."""
    cluster = SimulatedCluster(wall_clock=now)
    cluster.add(replica_set(1))
    async with running(ReplicaSetController, context_of(cluster)):
        await asyncio.sleep(10)
        found = cluster.get(ReplicaSet, "web", "default")
        assert found is not None
        for name in ("readyReplicas", "availableReplicas"):
            found.status.ClearField(name)
        cluster.put(found)
        await asyncio.sleep(10)
        writes = len(cluster.calls)
        [pod] = cluster.all(Pod)
        pod.status.conditions.add(type="Ready", status="True").lastTransitionTime.seconds = 1
        cluster.put(pod)
        await asyncio.sleep(10)
        found = cluster.get(ReplicaSet, "web", "default")
        assert found is not None
        assert (found.status.readyReplicas, len(cluster.calls) - writes) == (1, 1)


async def test_lost_answers_make_no_pod_twice() -> None:
    """Creations whose answers are lost are repeated under the same names: there are never more pods than asked for."""
    cluster, link = SimulatedCluster(wall_clock=now), Link()
    cluster.add(replica_set(20))
    async with running(ReplicaSetController, context_of(cluster, link)):
        for _ in range(30):
            await asyncio.sleep(0.7)
            link.loses_answers = not link.loses_answers
            assert len(cluster.all(Pod)) <= 20
        link.loses_answers = False
        await asyncio.sleep(600)
        assert len(cluster.all(Pod)) == 20


async def test_a_pod_that_vanishes_unseen_is_replaced() -> None:
    """A pod that was created and is gone before any watch showed it is missed in the end."""
    cluster = SimulatedCluster(wall_clock=now)
    cluster.add(replica_set(1))
    async with running(ReplicaSetController, context_of(cluster)):
        await asyncio.sleep(10)
        [first] = cluster.all(Pod)
        cluster.remove(Pod, first.metadata.name, "default")
        await asyncio.sleep(10)
        [second] = cluster.all(Pod)
        assert second.metadata.name != first.metadata.name


async def test_a_name_that_a_stranger_has_is_given_up() -> None:
    """A pod of somebody else under the name we chose is left alone, and another name is chosen."""
    cluster = SimulatedCluster(wall_clock=now)
    context = context_of(cluster)
    [stranger] = make_pods(replica_set(1), 1, (), Random(1))
    del stranger.metadata.ownerReferences[:]
    stranger.metadata.labels["app"] = "other"
    cluster.add(stranger)
    cluster.add(replica_set(2))
    async with running(ReplicaSetController, context):
        await asyncio.sleep(60)
    owned = [one for one in cluster.all(Pod) if one.metadata.ownerReferences]
    assert len(owned) == 2
    assert len(cluster.all(Pod)) == 3


async def test_refusals_are_told() -> None:
    """A pod that is refused is told in an event, and tried again."""
    cluster, link = SimulatedCluster(wall_clock=now), Link()
    cluster.add(replica_set(4))
    async with running(ReplicaSetController, context_of(cluster, link)):
        refused = errors.forbidden(GroupResource("", "pods"), "web-x", "no quota is left")
        await asyncio.sleep(5)
        assert len(cluster.all(Pod)) == 4
        cluster.remove(Pod, cluster.all(Pod)[0].metadata.name, "default")
        link.refusals.append(refused)
        await asyncio.sleep(60)
    assert len(cluster.all(Pod)) == 4
    assert "FailedCreate" in {event.reason for event in cluster.all(Event)}
