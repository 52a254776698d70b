"""A term against a simulated API server: pods get nodes, failures have them tried again, and the lead's end ends it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.client import Client
from kubewire.client.events.recorder import EventRecorder
from kubewire.client.leader_election.leadership import FencingToken, Leadership, NotLeading
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.component.metrics.registry import Registry
from kubewire.machinery.errors import Reason, StatusError
from kubewire.scheduler.config import SchedulerConfig
from kubewire.scheduler.cycle.term import Term
from kubewire.scheduler.metrics import SchedulerMetrics
from tests.scheduler_tables import node_message, pod_message

FOREVER = 1e9


class Running:
    """A term that runs, and the cluster it runs in."""

    def __init__(self, *nodes: str, ends_at: float = FOREVER) -> None:
        clock = asyncio.get_running_loop().time
        self.cluster = SimulatedCluster()
        self.link = Link()
        self.registry = Registry()
        recorder = EventRecorder(Client(self.cluster.transport()), "default-scheduler")
        self.term = Term(SchedulerConfig(seed=1), SchedulerMetrics(self.registry, "default-scheduler"), recorder)
        self.leadership = Leadership("me", FencingToken("", 1, ""), ends_at, clock)
        for line in nodes:
            self.cluster.add(node_message(line))

    def add(self, *lines: str) -> None:
        """Pods come."""
        for line in lines:
            self.cluster.add(pod_message(line))

    def pod(self, name: str) -> Pod:
        """A pod as the server has it."""
        found = self.cluster.get(Pod, name, "default")
        assert found is not None
        return found

    def where(self) -> dict[str, str]:
        """Where pods are."""
        return {one.metadata.name: one.spec.nodeName for one in self.cluster.all(Pod)}

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Run it beside the body."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.term.run(self.leadership, self.cluster.transport(self.link)))
            yield
            task.cancel()


async def test_pods_get_nodes() -> None:
    """Pods that were there and pods that come get nodes; those of another scheduler do not."""
    running = Running("n1", "n2")
    running.add("a cpu=1", "b cpu=1")
    other = pod_message("other")
    other.spec.schedulerName = "another"
    running.cluster.add(other)
    async with running.run():
        await asyncio.sleep(1)
        running.add("c cpu=1")
        await asyncio.sleep(1)
    placed = running.where()
    assert placed.pop("other") == ""
    assert set(placed.values()) == {"n1", "n2"}
    assert b'scheduler_schedule_attempts_total{profile="default-scheduler",result="scheduled"} 3' in (
        running.registry.render()
    )


async def test_unschedulable_until_there_is_room() -> None:
    """A pod that fits nowhere gets its condition with the reason, once, and a node when another pod has gone."""
    running = Running("n1 cpu=1")
    running.add("a cpu=1")
    async with running.run():
        await asyncio.sleep(1)
        running.add("b cpu=1")
        await asyncio.sleep(1)
        [condition] = running.pod("b").status.conditions
        assert (condition.type, condition.status, condition.reason) == ("PodScheduled", "False", "Unschedulable")
        assert condition.message == "0/1 nodes are available: 1 Insufficient cpu."
        await asyncio.sleep(900)
        patches = [call for call in running.cluster.calls if "Patch" in call.path]
        assert len(patches) == 1
        running.cluster.remove(Pod, "a", "default")
        await asyncio.sleep(1)
    assert running.where() == {"b": "n1"}


async def test_failed_binding_is_tried_again() -> None:
    """A bind that is refused takes the assumption back; the pod is bound after its backoff."""
    running = Running("n1 cpu=1")
    async with running.run():
        await asyncio.sleep(1)
        running.link.refusals.append(StatusError(503, Reason.SERVICE_UNAVAILABLE, "no"))
        running.add("a cpu=1")
        await asyncio.sleep(0.5)
        assert running.where() == {"a": ""}
        assert not running.term.board.snapshot.placements
        await asyncio.sleep(1)
    assert running.where() == {"a": "n1"}


async def test_lost_answer_binds_once() -> None:
    """A bind that was done and whose answer was lost is not done again on another node."""
    running = Running("n1", "n2")
    async with running.run():
        await asyncio.sleep(1)
        running.link.loses_answers = True
        running.add("a cpu=1")
        await asyncio.sleep(0.5)
        bound_to = running.where()["a"]
        running.link.loses_answers = False
        await asyncio.sleep(30)
        assert running.where()["a"] == bound_to
        assert len(running.term.board.queue) == 0
        [placement] = running.term.board.snapshot.placements.values()
        assert (placement.node_name, placement.is_assumed) == (bound_to, False)


async def test_pod_deleted_while_it_waits() -> None:
    """A pod that is deleted, or on its way out, is not scheduled any more."""
    running = Running()
    running.add("a", "b")
    async with running.run():
        await asyncio.sleep(1)
        running.cluster.remove(Pod, "a", "default")
        leaving = running.pod("b")
        leaving.metadata.deletionTimestamp.seconds = 1
        running.cluster.put(leaving)
        running.cluster.add(node_message("n1"))
        await asyncio.sleep(30)
        assert len(running.term.board.queue) == 0
    assert running.where() == {"b": ""}


async def test_gate_is_waited_for() -> None:
    """A gated pod gets a node when its gates are gone."""
    running = Running("n1")
    running.add("a gate=quota")
    async with running.run():
        await asyncio.sleep(5)
        assert running.where() == {"a": ""}
        free = running.pod("a")
        free.spec.ClearField("schedulingGates")
        running.cluster.put(free)
        await asyncio.sleep(1)
    assert running.where() == {"a": "n1"}


async def test_a_node_that_frees_itself() -> None:
    """A node that is uncordoned takes the pods that waited for it."""
    running = Running("n1 cordoned")
    running.add("a")
    async with running.run():
        await asyncio.sleep(20)
        assert running.where() == {"a": ""}
        found = running.cluster.get(Node, "n1")
        assert found is not None
        found.spec.unschedulable = False
        running.cluster.put(found)
        await asyncio.sleep(1)
    assert running.where() == {"a": "n1"}


async def test_nothing_is_bound_after_the_term() -> None:
    """When the lead ends, the term does, and nothing is sent any more."""
    running = Running("n1", ends_at=5.0)

    async def late() -> None:
        async with running.run():
            await asyncio.sleep(6)
            running.add("a")
            await asyncio.sleep(60)

    with pytest.raises(ExceptionGroup) as failure:
        await late()
    assert failure.group_contains(NotLeading, depth=None)
    assert running.where() == {"a": ""}
