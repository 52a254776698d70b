"""The decision core: `schedule(snapshot, pod) -> Decision`. No clock, no I/O; chance comes in as a generator."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from random import Random
from typing import Final, NamedTuple

import numpy as np

from kubewire.scheduler.decision.diagnosis import Diagnosis, diagnose
from kubewire.scheduler.decision.evaluation import NOWHERE, Evaluation
from kubewire.scheduler.plugins.contracts import Plugin
from kubewire.scheduler.pods.pod import PodInfo, Shape
from kubewire.scheduler.snapshot.snapshot import Snapshot

SHAPES_AT_MOST: Final = 64
"""Shapes whose evaluation is kept: those of the workloads that grow at the same time."""


class Decision(NamedTuple):
    """The node to bind to; or none, and why."""

    node_name: str
    score: int
    feasible: int
    diagnosis: Diagnosis | None


class Scheduling:
    """Decides over one snapshot. Deciding changes nothing but what is remembered."""

    def __init__(self, snapshot: Snapshot, plugins: Sequence[Plugin], random: Random) -> None:
        self._snapshot = snapshot
        self._plugins = plugins
        self._random = random
        self._evaluations: OrderedDict[Shape, Evaluation] = OrderedDict()

    def schedule(self, pod: PodInfo) -> Decision:
        """Where a pod should run, now."""
        evaluation = self.evaluation(pod)
        ranks = evaluation.ranks()
        best = int(ranks.max(initial=NOWHERE))
        if best == NOWHERE:
            return Decision("", 0, 0, diagnose(self._snapshot, evaluation.views))
        [equals] = (ranks == best).nonzero()
        row = int(equals[self._random.randrange(len(equals))] if len(equals) > 1 else equals[0])
        return Decision(self._snapshot.name(row), best, int(np.count_nonzero(ranks != NOWHERE)), None)

    def evaluation(self, pod: PodInfo) -> Evaluation:
        """What plugins say about a pod, up to date. Pods of one shape share it."""
        if pod.node_name:
            return Evaluation(self._snapshot, pod, self._plugins)
        found = self._evaluations.get(pod.shape)
        if found is None or found.is_stale:
            found = self._evaluations[pod.shape] = Evaluation(self._snapshot, pod, self._plugins)
            if len(self._evaluations) > SHAPES_AT_MOST:
                self._evaluations.popitem(last=False)
        else:
            found.refresh()
        self._evaluations.move_to_end(pod.shape)
        return found


def schedule(snapshot: Snapshot, pod: PodInfo, plugins: Sequence[Plugin], random: Random) -> Decision:
    """One decision by itself."""
    return Scheduling(snapshot, plugins, random).schedule(pod)
