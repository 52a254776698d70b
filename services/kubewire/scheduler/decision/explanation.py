"""A decision told plugin by plugin: who refused which nodes, and what the feasible ones scored."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from kubewire.scheduler.decision.diagnosis import Diagnosis, diagnose
from kubewire.scheduler.decision.evaluation import NOWHERE, Evaluation, View
from kubewire.scheduler.plugins.contracts import Scope
from kubewire.scheduler.snapshot.arrays import ALL, Bools, Int64s
from kubewire.scheduler.snapshot.snapshot import Snapshot

EXAMPLES_AT_MOST: Final = 10


class Score(NamedTuple):
    """What one plugin gave a node, 0 to 100, before its weight."""

    plugin: str
    score: int
    weight: int


class Candidate(NamedTuple):
    """A feasible node."""

    node_name: str
    score: int
    scores: tuple[Score, ...]


class Refusal(NamedTuple):
    """Nodes that one plugin refused for one reason, of those that the plugins before it let through."""

    plugin: str
    reason: str
    examples: tuple[str, ...]
    refused: int


class Explanation(NamedTuple):
    """Everything about one decision."""

    nodes: int
    feasible: int
    best: tuple[Candidate, ...]
    refusals: tuple[Refusal, ...]
    diagnosis: Diagnosis | None


def explain(snapshot: Snapshot, evaluation: Evaluation, limit: int) -> Explanation:
    """The explanation of what `evaluation` says, with at most `limit` feasible nodes."""
    ranks = evaluation.ranks()
    feasible = ranks != NOWHERE
    count = int(np.count_nonzero(feasible))
    rows = np.argsort(-ranks, kind="stable")[: min(limit, count)]
    scored = [(view, scores) for view in evaluation.views if (scores := _scores(view, feasible)) is not None]
    best = tuple(
        Candidate(
            snapshot.name(int(row)),
            int(ranks[row]),
            tuple(Score(view.plugin.name, int(scores[row]), view.plugin.weight) for view, scores in scored),
        )
        for row in rows
    )
    diagnosis = None if count else diagnose(snapshot, evaluation.views)
    return Explanation(snapshot.node_count, count, best, _refusals(snapshot, evaluation), diagnosis)


def _scores(view: View, feasible: Bools) -> Int64s | None:
    evaluator = view.evaluator
    if not evaluator.scores:
        return None
    return evaluator.row_scores(ALL) if evaluator.scope is Scope.ROW else evaluator.scores_among(feasible)


def _refusals(snapshot: Snapshot, evaluation: Evaluation) -> tuple[Refusal, ...]:
    left = snapshot.valid.copy()
    found = []
    for plugin, evaluator in evaluation.views:
        refused = np.zeros_like(left)
        for failure in evaluator.failures(ALL) if evaluator.filters else ():
            rows = np.flatnonzero(failure.rows & left)
            if len(rows):
                names = tuple(snapshot.name(int(row)) for row in rows[:EXAMPLES_AT_MOST])
                found.append(Refusal(plugin.name, failure.reason, names, len(rows)))
            refused |= failure.rows
        left &= ~refused
    return tuple(found)
