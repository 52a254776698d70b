"""Images are removed when the disk is full, and only then."""

import asyncio

import pytest

from kubewire.component.metrics.registry import Registry
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.images.collection import Disk, Marks
from kubewire.kubelet.images.collector import COLLECT_SECONDS, ImageCollector, Usage
from kubewire.kubelet.runtime.contracts import Filesystem, Image
from kubewire.kubelet.runtime.simulated import SimulatedRuntime


class Runtime(SimulatedRuntime):
    """Images on a disk of 1,000 bytes."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.there = {name: Image(name, (f"{name}:1",), (f"{name}@sha256:1",), 100) for name in names}
        self.stuck: set[str] = set()
        self.is_away = False

    async def images(self) -> list[Image]:
        if self.is_away:
            raise RuntimeCallError("ListImages", "UNAVAILABLE", "away")
        return list(self.there.values())

    async def remove_image(self, image_id: str) -> None:
        if image_id in self.stuck:
            raise RuntimeCallError("RemoveImage", "FAILED_PRECONDITION", "in use")
        del self.there[image_id]

    async def image_filesystem(self) -> Filesystem | None:
        return Filesystem("/images", 0)

    async def sandbox_image(self) -> str:
        return "pause:1"

    def disk_of(self, place: str) -> Disk:
        assert place == "/images"
        return Disk(1000, 1000 - 100 * len(self.there))


class Node:
    """A collector, what it is told and what it tells."""

    def __init__(self, runtime: Runtime, *in_use: str) -> None:
        self.runtime = runtime
        self.in_use = set(in_use)
        self.used_at: dict[str, float] = {}
        self.told: list[tuple[str, str]] = []
        self.registry = Registry()
        self.collector = ImageCollector(
            runtime,
            Usage(lambda: self.in_use, self.used_at, lambda reason, message: self.told.append((reason, message))),
            Marks(85, 70, 120),
            self.registry,
            disk_of=runtime.disk_of,
            clock=asyncio.get_running_loop().time,
        )

    async def later(self) -> None:
        """Look, and look again when every image is old."""
        await self.collector.collect()
        await asyncio.sleep(200)
        await self.collector.collect()


@pytest.fixture
def nine() -> Runtime:
    """A disk that is 90 % full."""
    return Runtime(*"abcdefgh", "pause")


async def test_unused_images_go_down_to_the_low_mark(nine: Runtime) -> None:
    """Those that were used last stay, and those of containers and of sandboxes."""
    node = Node(nine, "a:1")
    await node.collector.collect()
    node.told.clear()
    node.used_at.update(b=100.0)
    await asyncio.sleep(300)
    await node.collector.collect()
    assert node.told == []
    assert sorted(nine.there) == ["a", "b", "e", "f", "g", "h", "pause"]
    assert b'kubelet_image_garbage_collected_total{reason="space"} 2' in node.registry.render()


async def test_a_disk_with_room_is_left_alone() -> None:
    """Unused images are of use: the next container starts at once."""
    runtime = Runtime(*"abcdefgh")
    await Node(runtime).later()
    assert len(runtime.there) == 8


async def test_images_that_were_not_seen_before_are_young(nine: Runtime) -> None:
    """A kubelet that has just begun removes nothing."""
    node = Node(nine)
    await node.collector.collect()
    assert len(nine.there) == 9
    assert node.told[0][0] == "FreeDiskSpaceFailed"


async def test_a_disk_that_stays_full_is_told(nine: Runtime) -> None:
    """With how much there was and how much there should be."""
    node = Node(nine, *(f"{name}:1" for name in "bcdefgh"))
    await node.later()
    assert node.told[-1] == (
        "FreeDiskSpaceFailed",
        "the disk of images is full: 200 bytes should go, unused images had 100",
    )


async def test_an_image_that_cannot_go_holds_up_nothing(nine: Runtime) -> None:
    """The others go."""
    nine.stuck = {"a"}
    await Node(nine).later()
    assert "a" in nine.there
    assert "b" not in nine.there


async def test_a_runtime_that_is_away_is_asked_again(nine: Runtime) -> None:
    """It goes on with the next look."""
    nine.is_away = True
    node = Node(nine)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(node.collector.run())
        await asyncio.sleep(1)
        nine.is_away = False
        await asyncio.sleep(3 * COLLECT_SECONDS)
        assert len(nine.there) == 7
        task.cancel()
