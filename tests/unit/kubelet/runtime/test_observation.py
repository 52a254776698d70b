"""What runs, as it is seen: events, looks and lists."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from kubewire.cri.v1 import api_pb2 as cri
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.runtime import labels
from kubewire.kubelet.runtime.contracts import Container, Listed, OnChange, PodIdentity, RuntimePod
from kubewire.kubelet.runtime.observation import Observation
from kubewire.kubelet.runtime.simulated import Ending, SimulatedRuntime

POD = PodIdentity("u1", "default", "web")


class Window:
    """An observation of a simulated runtime."""

    def __init__(self, runtime: SimulatedRuntime | None = None, relist_seconds: float = 1000) -> None:
        self.runtime = runtime or SimulatedRuntime(wall_clock=asyncio.get_running_loop().time)
        self.told: list[str] = []
        self.lists = 0
        self.observation = Observation(
            self.runtime,
            lambda identity: self.told.append(identity.uid),
            complete=lambda one: replace(one, message=f"end of {one.name}") if one.is_ended else one,
            relist_seconds=relist_seconds,
            metrics=self,
        )

    def relisted(self, seconds: float, interval_seconds: float) -> None:
        self.lists += 1

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """It is kept fresh."""
        async with asyncio.TaskGroup() as group:
            up = asyncio.Event()
            task = group.create_task(self.observation.run(up.set))
            await up.wait()
            await asyncio.sleep(0.01)
            yield
            task.cancel()

    async def start(self) -> str:
        """Something starts in the runtime; the container's id."""
        sandbox = cri.PodSandboxConfig(metadata=cri.PodSandboxMetadata(uid="u1"), labels=labels.pod_labels(POD))
        sandbox_id = await self.runtime.run_sandbox(sandbox, "")
        config = cri.ContainerConfig(metadata=cri.ContainerMetadata(name="app"), image=cri.ImageSpec(image="a:1"))
        container_id = await self.runtime.create_container(sandbox_id, config, sandbox)
        await self.runtime.start_container(container_id)
        return container_id

    @property
    def container(self) -> Container:
        """The container as it was last seen."""
        return self.observation.pod(POD).containers[0]


async def test_what_runs_at_the_start_is_seen_first() -> None:
    """Nobody decides before everything was seen once."""
    window = Window()
    await window.start()
    async with window.open():
        assert window.container.is_running
        assert window.told == ["u1"]


async def test_an_end_is_seen_at_once() -> None:
    """By its event, without waiting for the list; what lies in files is read then."""
    window = Window()
    container_id = await window.start()
    async with window.open():
        window.runtime.end(container_id, 3)
        await asyncio.sleep(0.01)
        assert (window.container.exit_code, window.container.message) == (3, "end of app")


async def test_an_end_before_its_start_was_seen_is_not_lost() -> None:
    """An event about something unknown has everything listed."""
    window = Window()
    async with window.open():
        window.runtime.script = lambda _, __: Ending(0.0, 3)
        await window.start()
        await asyncio.sleep(0.1)
        assert window.container.exit_code == 3


async def test_an_end_that_the_books_have_late_is_looked_for_again() -> None:
    """The event comes before the runtime itself knows: it is asked until it does."""

    class Slow(SimulatedRuntime):
        """Tells of an end half a second late."""

        async def pod(self, identity: PodIdentity) -> RuntimePod:
            found = await super().pod(identity)
            now = asyncio.get_running_loop().time()
            late = tuple(
                replace(one, phase=one.phase.RUNNING) if one.is_ended and now - one.finished_at < 0.5 else one
                for one in found.containers
            )
            return replace(found, containers=late)

    window = Window(Slow(wall_clock=asyncio.get_running_loop().time))
    container_id = await window.start()
    async with window.open():
        window.runtime.end(container_id, 3)
        await asyncio.sleep(0.2)
        assert window.container.is_running
        await asyncio.sleep(1)
        assert window.container.is_ended


async def test_the_list_shows_what_events_missed() -> None:
    """Whatever gets lost is seen with the next list, and told once."""

    class Deaf(SimulatedRuntime):
        """Tells of nothing."""

        async def follow(self, on_change: OnChange) -> None:
            await asyncio.get_running_loop().create_future()

    window = Window(Deaf(wall_clock=asyncio.get_running_loop().time), relist_seconds=10)
    container_id = await window.start()
    async with window.open():
        window.told.clear()
        window.runtime.end(container_id, 3)
        await asyncio.sleep(5)
        assert window.container.is_running
        await asyncio.sleep(30)
        assert window.container.is_ended
        assert window.told == ["u1"]


async def test_a_runtime_without_events_is_listed_every_second() -> None:
    """CRI does not demand them."""

    class Silent(SimulatedRuntime):
        """Has no events."""

        async def follow(self, on_change: OnChange) -> None:
            raise RuntimeCallError("GetContainerEvents", "UNIMPLEMENTED", "no")

    window = Window(Silent(), relist_seconds=10)
    async with window.open():
        await asyncio.sleep(30)
        assert window.lists >= 20


async def test_a_runtime_that_is_away_is_waited_for_and_what_was_seen_stays() -> None:
    """At the start, and later."""

    class Absent(SimulatedRuntime):
        """Away when it is said to be."""

        is_away = True

        async def list(self) -> Sequence[Listed]:
            if self.is_away:
                raise RuntimeCallError("ListPodSandbox", "UNAVAILABLE", "no socket")
            return await super().list()

    runtime = Absent(wall_clock=asyncio.get_running_loop().time)
    window = Window(runtime, relist_seconds=10)
    await window.start()
    asyncio.get_running_loop().call_later(20, setattr, runtime, "is_away", False)
    async with window.open():
        assert asyncio.get_running_loop().time() >= 20
        assert window.observation.failure == ""
        runtime.is_away = True
        await asyncio.sleep(30)
        assert window.observation.failure == "ListPodSandbox: no socket (UNAVAILABLE)"
        assert window.container.is_running


async def test_an_older_look_does_not_replace_a_later_one() -> None:
    """Looks may overtake each other; what was begun last counts."""

    class Uneven(SimulatedRuntime):
        """The first answer takes longest."""

        waits = [5.0, 0.0]  # noqa: RUF012 - this one test's

        async def pod(self, identity: PodIdentity) -> RuntimePod:
            found = await super().pod(identity)
            if self.waits:
                await asyncio.sleep(self.waits.pop(0))
            return found

    window = Window(Uneven(wall_clock=asyncio.get_running_loop().time))
    container_id = await window.start()
    slow = asyncio.gather(window.observation.refresh(POD))
    await asyncio.sleep(0.01)
    window.runtime.end(container_id, 3)
    await window.observation.refresh(POD)
    await slow
    assert window.container.is_ended


async def test_what_is_gone_is_forgotten() -> None:
    """And told about once more."""
    window = Window(relist_seconds=10)
    await window.start()
    async with window.open():
        window.told.clear()
        sandbox_id = window.observation.pod(POD).sandboxes[0].id
        await window.runtime.remove_sandbox(sandbox_id)
        await asyncio.sleep(20)
        assert window.observation.pods == {}
        assert window.told == ["u1"]
