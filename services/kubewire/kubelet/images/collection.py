"""Which images go when the disk is full. Pure.

Above the high mark unused images go, those that were used longest ago first, until the low mark is reached. Images of
containers stay, ended ones included, and the runtime's own; so do young ones, which may be wanted in a moment; and so
do those that were never pulled: an image that was imported by hand has no digest, and nobody could fetch it again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kubewire.kubelet.runtime.contracts import Image


@dataclass(frozen=True, slots=True)
class Marks:
    """When images go: percentages of the disk in use, and how young an unused image is kept."""

    high_percent: float
    low_percent: float
    minimum_age_seconds: float


class Disk(NamedTuple):
    """The file system that images are on, in bytes."""

    total: int
    free: int


class Plan(NamedTuple):
    """What is to go, in this order, and how many bytes too few that is."""

    remove: Sequence[Image]
    missing_bytes: int


class Known(NamedTuple):
    """What is known of images besides themselves.

    Attributes:
        in_use: names, digests and ids that containers run, or that the runtime itself needs.
        used_at: when each was last wanted or first seen, by its id; on the clock of `now`.
    """

    in_use: Collection[str]
    used_at: Mapping[str, float]
    now: float


def bytes_to_free(disk: Disk, marks: Marks) -> int:
    """How much has to go to come down to the low mark; 0 below the high one."""
    if disk.total <= 0 or (disk.total - disk.free) * 100 < disk.total * marks.high_percent:
        return 0
    return max(0, round(disk.total * (100 - marks.low_percent) / 100) - disk.free)


def plan(images: Sequence[Image], known: Known, marks: Marks, wanted_bytes: int) -> Plan:
    """What to remove for so many bytes."""
    chosen, left = [], wanted_bytes
    for image in sorted(images, key=lambda one: known.used_at.get(one.id, known.now)):
        if left <= 0:
            break
        if is_removable(image, known, marks):
            chosen.append(image)
            left -= image.size
    return Plan(chosen, max(0, left))


def is_removable(image: Image, known: Known, marks: Marks) -> bool:
    """Whether nobody misses it, and it can be fetched again."""
    names = {image.id, *image.tags, *image.digests}
    age = known.now - known.used_at.get(image.id, known.now)
    return (
        bool(image.digests) and not image.pinned and names.isdisjoint(known.in_use) and age >= marks.minimum_age_seconds
    )
