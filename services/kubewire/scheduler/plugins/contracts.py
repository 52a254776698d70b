"""What a plugin is. It looks at a snapshot and a pod once, and leaves an evaluator that answers for rows of nodes.

How far an answer reaches decides how often it is asked again: what follows from nodes alone holds until a node changes;
what follows from a row's own pods changes with that row; what follows from pods anywhere changes with every pod.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple, Protocol

from kubewire.scheduler.pods.pod import PodInfo
from kubewire.scheduler.snapshot.arrays import Bools, Int64s, Rows
from kubewire.scheduler.snapshot.snapshot import Snapshot

SCORE_AT_MOST: Final = 100
"""Scores of one plugin go from 0 to this, before its weight."""


class Scope(Enum):
    """What an evaluator's answers follow from."""

    NODE = "node"
    ROW = "row"
    CLUSTER = "cluster"


class Failure(NamedTuple):
    """Rows that are no place for the pod, and why, in Kubernetes' words."""

    reason: str
    rows: Bools


class Evaluator:
    """One plugin's view of one pod. What it does not answer it has no opinion on.

    Answers have one entry for each of the rows that are asked about.
    """

    scope: Scope = Scope.NODE
    filters: bool = False
    scores: bool = False

    def failures(self, rows: Rows) -> list[Failure]:  # noqa: ARG002 - overridden by those that filter
        """Rows that cannot take the pod. A row may fail for several reasons."""
        return []

    def row_scores(self, rows: Rows) -> Int64s:
        """How good rows are, 0 to 100, each by itself: for the scope ROW."""
        raise NotImplementedError(f"{type(self).__name__} does not score rows by themselves: {rows}")

    def scores_among(self, feasible: Bools) -> Int64s | None:  # noqa: ARG002 - overridden by those that score
        """How good all rows are, 0 to 100, among those that are feasible; None: all alike. For other scopes."""
        return None


class Plugin(Protocol):
    """One line of the table."""

    name: str
    weight: int

    def evaluator(self, snapshot: Snapshot, pod: PodInfo) -> Evaluator | None:
        """What to ask about the pod; None if the plugin has nothing to say about it."""
        ...


def scaled_to_best(raw: Int64s, feasible: Bools, *, is_reversed: bool = False) -> Int64s | None:
    """Raw scores so that the best feasible one becomes 100 (or, reversed, so that 0 does); None: all are 0."""
    best = int(raw.max(initial=0, where=feasible))
    if best == 0:
        return None
    scaled: Int64s = raw * SCORE_AT_MOST // best
    return SCORE_AT_MOST - scaled if is_reversed else scaled
