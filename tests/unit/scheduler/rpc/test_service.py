"""The scheduler's own service: explanations, the queue, nodes, the leader."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from kubewire.client.events.recorder import EventRecorder
from kubewire.client.leader_election.leadership import FencingToken, Leadership
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.component.metrics.registry import Registry
from kubewire.machinery.errors import Reason, StatusError
from kubewire.scheduler.config import SchedulerConfig
from kubewire.scheduler.cycle.term import Term
from kubewire.scheduler.metrics import SchedulerMetrics
from kubewire.scheduler.rpc.service import SchedulerService
from kubewire.scheduler.v1.scheduler_service_pb2 import (
    ExplainPodRequest,
    GetLeaderRequest,
    GetNodeRequest,
    ListQueueRequest,
)
from tests.scheduler_tables import node_message, pod_message


@dataclass
class Told:
    """What the service tells about."""

    term: Term | None = None
    identity: str = "me"
    leader: str = "me"
    lease: str = "kube-system/kube-scheduler"


@asynccontextmanager
async def leading(nodes: tuple[str, ...], pods: tuple[str, ...]) -> AsyncIterator[SchedulerService]:
    """The service of a leader that has decided about all pods."""
    cluster = SimulatedCluster()
    for line in nodes:
        cluster.add(node_message(line))
    for line in pods:
        cluster.add(pod_message(line))
    recorder = EventRecorder(cluster.client(), "default-scheduler")
    term = Term(SchedulerConfig(seed=1), SchedulerMetrics(Registry(), "default-scheduler"), recorder)
    leadership = Leadership("me", FencingToken("", 1, ""), 1e9, asyncio.get_running_loop().time)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(term.run(leadership, cluster.transport()))
        await asyncio.sleep(1)
        yield SchedulerService(Told(term))
        task.cancel()


async def test_explains_who_refuses() -> None:
    """Each plugin that refused nodes is told with its reason and examples, in order."""
    async with leading(("n1 cordoned", "n2 cpu=1", "n3 cpu=1"), ("a cpu=2",)) as service:
        told = await service.explain_pod(ExplainPodRequest(namespace="default", name="a"))
    assert told.message == "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu."
    assert [(one.plugin, one.nodes, sorted(one.examples)) for one in told.refusals] == [
        ("NodeUnschedulable", 1, ["n1"]),
        ("NodeResourcesFit", 2, ["n2", "n3"]),
    ]
    assert told.feasible_nodes == 0


async def test_explains_scores() -> None:
    """Feasible nodes are told with what each plugin gave them; the weighted sum is the node's score."""
    async with leading(("n1 cpu=2", "n2 cpu=8"), ("a cpu=1 prefer=host:n1",)) as service:
        told = await service.explain_pod(ExplainPodRequest(namespace="default", name="a", limit=2))
    assert told.bound_to == told.best[0].node == "n1"
    assert [one.node for one in told.best] == ["n1", "n2"]
    for one in told.best:
        assert one.score == sum(part.score * part.weight for part in one.plugins)
    assert {part.plugin: part.score for part in told.best[0].plugins}["NodeAffinity"] == 100


async def test_lists_the_queue() -> None:
    """Pods that wait are told with their place and why."""
    async with leading(("n1 cpu=1",), ("a cpu=2 priority=3", "b gate=quota")) as service:
        told = await service.list_queue(ListQueueRequest())
    assert [(one.name, one.place, one.priority, one.attempts, list(one.plugins)) for one in told.pods] == [
        ("a", "unschedulable", 3, 1, ["NodeResourcesFit"]),
        ("b", "gated", 0, 0, []),
    ]
    assert dict(told.counts) == {"active": 0, "backoff": 0, "unschedulable": 1, "gated": 1}


async def test_tells_of_a_node() -> None:
    """A node is told as it is counted, with its pods; one that is not there is NotFound."""
    async with leading(("n1 cpu=2 taint=t=:NoSchedule",), ("a cpu=1 tolerate=t",)) as service:
        told = await service.get_node(GetNodeRequest(name="n1"))
        with pytest.raises(StatusError) as failure:
            await service.get_node(GetNodeRequest(name="n2"))
    assert failure.value.reason == Reason.NOT_FOUND
    assert (told.allocatable["cpu"], told.requested["cpu"], told.requested["pods"]) == (2000, 1000, 1)
    assert list(told.taints) == ["t=:NoSchedule"]
    assert [(one.name, one.assumed) for one in told.pods] == [("a", False)]


async def test_a_standby_says_who_leads() -> None:
    """Who does not lead has no queue to tell of, and says who has."""
    service = SchedulerService(Told(leader="another"))
    with pytest.raises(StatusError, match="another"):
        await service.list_queue(ListQueueRequest())
    told = await service.get_leader(GetLeaderRequest())
    assert (told.identity, told.is_self) == ("another", False)
