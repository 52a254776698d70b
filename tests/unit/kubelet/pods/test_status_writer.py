"""How statuses reach the API server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kubewire.api.core.v1.pod_pb2 import Pod, PodStatus
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.kubelet.pods.status_writer import StatusWriter
from tests.unit.kubelet.manifests import NAMESPACE, pod_of


class Desk:
    """A writer and the API server it writes to."""

    def __init__(self) -> None:
        self.cluster = SimulatedCluster()
        self.link = Link()
        self.pod = self.cluster.add(pod_of("{}"))
        client = self.cluster.client(self.link)
        self.writer = StatusWriter(client.pods(), wall_clock=lambda: 1000.0 + asyncio.get_running_loop().time())

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """The writer runs."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.writer.run())
            await asyncio.sleep(0)
            yield
            task.cancel()

    def put(self, phase: str, *, within: float = 0.0, ready: bool = False) -> None:
        """Have a status written."""
        status = PodStatus(phase=phase)
        status.conditions.add(type="Ready", status="True" if ready else "False")
        self.writer.put(self.pod, status, within_seconds=within)

    def stored(self) -> Pod:
        """The pod as the server has it."""
        found = self.cluster.get(Pod, "web", NAMESPACE)
        assert found is not None
        return found

    @property
    def writes(self) -> int:
        """How often the server was asked to write."""
        return sum(call.path.endswith("/UpdatePodStatus") for call in self.cluster.calls)


async def test_the_latest_is_written() -> None:
    """What comes while a write waits takes its place."""
    desk = Desk()
    async with desk.open():
        desk.put("Pending", within=0.4)
        await asyncio.sleep(0.1)
        desk.put("Running", within=0.4)
        await asyncio.sleep(1)
        assert (desk.stored().status.phase, desk.writes) == ("Running", 1)


async def test_what_is_urgent_takes_what_waits_along() -> None:
    """It is written at once, and nothing is written twice."""
    desk = Desk()
    async with desk.open():
        desk.put("Pending", within=0.4)
        desk.put("Running", ready=True)
        await asyncio.sleep(0.01)
        assert (desk.stored().status.phase, desk.writes) == ("Running", 1)
        await asyncio.sleep(1)
        assert desk.writes == 1


async def test_the_same_again_is_not_written() -> None:
    """Nor does it touch when conditions turned."""
    desk = Desk()
    async with desk.open():
        desk.put("Running")
        await asyncio.sleep(5)
        first = desk.stored()
        desk.put("Running")
        await asyncio.sleep(5)
        assert (desk.stored(), desk.writes) == (first, 1)


async def test_conditions_tell_when_they_turned() -> None:
    """And only when they do."""
    desk = Desk()
    async with desk.open():
        desk.put("Running")
        await asyncio.sleep(5)
        desk.put("Running", ready=True)
        await asyncio.sleep(5)
        desk.put("Failed", ready=True)
        await asyncio.sleep(5)
        assert [one.lastTransitionTime.seconds for one in desk.stored().status.conditions] == [1005]


async def test_what_others_wrote_stays() -> None:
    """Conditions of other types, and the rest of the object."""
    desk = Desk()
    async with desk.open():
        other = desk.stored()
        other.metadata.labels["seen"] = "yes"
        other.status.conditions.add(type="example.org/gate", status="True")
        desk.cluster.put(other)
        desk.put("Running", ready=True)
        await asyncio.sleep(5)
        stored = desk.stored()
        assert stored.metadata.labels["seen"] == "yes"
        assert [one.type for one in stored.status.conditions] == ["Ready", "example.org/gate"]


async def test_a_server_that_is_away_gets_the_latest_when_it_is_back() -> None:
    """Nothing is lost, and only the end is told."""
    desk = Desk()
    async with desk.open():
        desk.link.is_up = False
        desk.put("Pending")
        await asyncio.sleep(20)
        desk.put("Running")
        await asyncio.sleep(20)
        desk.link.is_up = True
        await asyncio.sleep(20)
        assert desk.stored().status.phase == "Running"


async def test_an_answer_that_was_lost_does_no_harm() -> None:
    """The write is done again on what is there."""
    desk = Desk()
    async with desk.open():
        desk.link.loses_answers = True
        desk.put("Running")
        await asyncio.sleep(1)
        desk.link.loses_answers = False
        await asyncio.sleep(20)
        desk.put("Failed")
        await asyncio.sleep(20)
        assert desk.stored().status.phase == "Failed"


async def test_a_pod_that_is_gone_needs_no_status() -> None:
    """Nor one that was made anew under its name."""
    desk = Desk()
    async with desk.open():
        desk.cluster.remove(Pod, "web", NAMESPACE)
        desk.put("Running")
        await asyncio.sleep(1)
        desk.cluster.add(pod_of("{}", uid="another"))
        desk.put("Failed")
        await asyncio.sleep(5)
        assert desk.stored().status.phase == ""


async def test_flushing_waits_for_what_was_put() -> None:
    """And does not wait as long as it might have."""
    desk = Desk()
    async with desk.open():
        desk.put("Failed", within=100)
        await desk.writer.flush(desk.pod.metadata.uid)
        assert desk.stored().status.phase == "Failed"


async def test_what_the_watch_tells_late_is_not_taken_for_news() -> None:
    """A version from before our own write does not have it written again."""
    desk = Desk()
    async with desk.open():
        before = desk.stored()
        desk.put("Running")
        await asyncio.sleep(1)
        desk.writer.seen(before)
        desk.put("Running")
        await asyncio.sleep(1)
        desk.writer.seen(desk.stored())
        desk.put("Running")
        await asyncio.sleep(1)
        assert desk.writes == 1
