"""Removes unused images when the disk is full."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple

from kubewire.component.log import Logger
from kubewire.component.metrics.registry import Registry
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.images.collection import Disk, Known, Marks, Plan, bytes_to_free, plan
from kubewire.kubelet.runtime.contracts import Image, Images

_LOG: Final = Logger("kubelet.images")

COLLECT_SECONDS: Final = 300.0
"""How often the disk is looked at."""

SHORT_REASON: Final = "FreeDiskSpaceFailed"


class Usage(NamedTuple):
    """What is in use, and who hears of a disk that stays full.

    Attributes:
        in_use: names, digests and ids of images that containers have, ended ones included.
        used_at: when images were last wanted, by id, by `time.monotonic`.
        tell: told a reason and a message, for an Event about the node.
    """

    in_use: Callable[[], Collection[str]]
    used_at: Mapping[str, float]
    tell: Callable[[str, str], None]


def disk_of(place: str) -> Disk:
    """The file system of a folder."""
    found = os.statvfs(place)
    return Disk(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)


class ImageCollector:
    """Looks at the disk every few minutes. Run it in a TaskGroup."""

    def __init__(
        self,
        runtime: Images,
        usage: Usage,
        marks: Marks,
        registry: Registry,
        *,
        disk_of: Callable[[str], Disk] = disk_of,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runtime = runtime
        self._usage = usage
        self._marks = marks
        self._disk_of = disk_of
        self._clock = clock
        # When images were first seen that nobody has wanted since this kubelet began.
        self._seen_at: dict[str, float] = {}
        self._removed = registry.counter(
            "kubelet_image_garbage_collected_total", "Images that were removed because the disk was full.", ("reason",)
        )

    async def run(self) -> None:
        """Collect until cancelled; a runtime that is away is asked again the next time."""
        while True:
            try:
                await self.collect()
            except (RuntimeCallError, OSError) as error:
                _LOG.warning("images not looked at", why=error)
            await asyncio.sleep(COLLECT_SECONDS)

    async def collect(self) -> Plan:
        """Look once, and remove what has to go; returns what that was.

        Raises:
            RuntimeCallError: the runtime is away.
            OSError: the disk cannot be looked at.
        """
        images = await self._runtime.images()
        self._see(images)
        wanted = await self._wanted_bytes()
        if not wanted:
            return Plan((), 0)
        decided = plan(images, await self._known(), self._marks, wanted)
        freed = await self._remove(decided)
        if freed < wanted:
            message = f"the disk of images is full: {wanted} bytes should go, unused images had {freed}"
            self._usage.tell(SHORT_REASON, message)
        return decided

    def _see(self, images: Collection[Image]) -> None:
        now = self._clock()
        self._seen_at = {image.id: self._seen_at.get(image.id, now) for image in images}

    async def _wanted_bytes(self) -> int:
        place = await self._runtime.image_filesystem()
        if place is None:
            return 0
        return bytes_to_free(self._disk_of(place.mountpoint), self._marks)

    async def _known(self) -> Known:
        own = await self._runtime.sandbox_image()
        used_at = {one: max(at, self._usage.used_at.get(one, at)) for one, at in self._seen_at.items()}
        return Known({*self._usage.in_use(), own}, used_at, self._clock())

    async def _remove(self, decided: Plan) -> int:
        """Remove one after the other; returns the bytes of those that could be."""
        freed = 0
        for image in decided.remove:
            # A container may have been made of it since it was chosen.
            if not {image.id, *image.tags, *image.digests}.isdisjoint(self._usage.in_use()):
                continue
            try:
                await self._runtime.remove_image(image.id)
            except RuntimeCallError as error:
                _LOG.warning("image not removed", image=image.ref, why=error)
                continue
            freed += image.size
            self._removed.labels("space").inc()
            _LOG.info("image removed", image=next(iter(image.tags), image.ref), size_bytes=image.size)
        return freed
