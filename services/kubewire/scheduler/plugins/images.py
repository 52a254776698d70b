"""Images that nodes have already: a pod starts sooner where its own need not be pulled."""

from __future__ import annotations

from typing import Final

import numpy as np

from kubewire.scheduler.plugins.contracts import SCORE_AT_MOST, Evaluator
from kubewire.scheduler.pods.pod import PodInfo
from kubewire.scheduler.snapshot.arrays import Bools, Int64s
from kubewire.scheduler.snapshot.snapshot import Snapshot

LEAST_BYTES: Final = 23 << 20
"""Images that are smaller in sum make no difference."""

MOST_BYTES: Final = 1000 << 20
"""A container's images beyond this make no more difference."""


class ImageLocality:
    """Puts pods rather where large images of theirs are; what few nodes have counts less, lest all pods go there."""

    name = "ImageLocality"

    def __init__(self, weight: int) -> None:
        self.weight = weight

    def evaluator(self, snapshot: Snapshot, pod: PodInfo) -> Evaluator | None:
        """See `Plugin`."""
        sums = np.zeros(snapshot.capacity, dtype=np.int64)
        for image in pod.shape.images:
            sizes = snapshot.images.sizes(image)
            spread = len(sizes) / max(snapshot.node_count, 1)
            for row, size in sizes.items():
                sums[row] += int(size * spread)
        if not (sums > LEAST_BYTES).any():
            return None
        most = MOST_BYTES * max(pod.shape.containers, 1)
        scores = SCORE_AT_MOST * (np.clip(sums, LEAST_BYTES, most) - LEAST_BYTES) // (most - LEAST_BYTES)
        return _Present(scores)


class _Present(Evaluator):
    scores = True

    def __init__(self, by_row: Int64s) -> None:
        self._by_row = by_row

    def scores_among(self, feasible: Bools) -> Int64s | None:  # noqa: ARG002 - the same whoever else is feasible
        return self._by_row
