"""All plugins' answers about one shape of pods, remembered and brought up to date.

Pods come in bursts of one shape. Between two of them one row has changed, so one row is evaluated anew; answers that
follow from nodes alone are kept until a node changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from kubewire.scheduler.plugins.contracts import Evaluator, Plugin, Scope
from kubewire.scheduler.pods.pod import PodInfo
from kubewire.scheduler.snapshot.arrays import ALL, Bools, Int64s, Rows
from kubewire.scheduler.snapshot.snapshot import Snapshot

ROWS_APART: Final = 256
"""Up to this many changed rows are evaluated by themselves; more, and all rows are, in one sweep."""

NOWHERE: Final = -1
"""The rank of rows that cannot take the pod."""


class View(NamedTuple):
    """One plugin that has something to say."""

    plugin: Plugin
    evaluator: Evaluator


class Evaluation:
    """What plugins say about a pod, as of `snapshot` when `refresh` was last called."""

    def __init__(self, snapshot: Snapshot, pod: PodInfo, plugins: Sequence[Plugin]) -> None:
        self._snapshot = snapshot
        self.views = [
            View(plugin, found) for plugin in plugins if (found := plugin.evaluator(snapshot, pod)) is not None
        ]
        self._generation = snapshot.node_generation
        self._seen = len(snapshot.changes)
        self._had_standing = bool(snapshot.counts.standing)
        self._of_row = [view for view in self.views if view.evaluator.scope is Scope.ROW]
        self._among = [view for view in self.views if view.evaluator.scope is not Scope.ROW and view.evaluator.scores]
        self._wide = [
            view.evaluator for view in self.views if view.evaluator.scope is Scope.CLUSTER and view.evaluator.filters
        ]
        self._node_mask = self._nodes_feasible()
        self._ranks = self._ranked(ALL)

    @property
    def is_stale(self) -> bool:
        """Whether a node has changed since, or the first pod came that says something about others: make another."""
        if self._generation != self._snapshot.node_generation:
            return True
        return not self._had_standing and bool(self._snapshot.counts.standing)

    def refresh(self) -> None:
        """Take in what pods have changed."""
        changes, seen = self._snapshot.changes, self._seen
        self._seen = len(changes)
        if self._seen == seen:
            return
        rows = set(changes[seen:])
        if len(rows) > ROWS_APART:
            self._ranks = self._ranked(ALL)
        elif len(rows) == 1:
            [row] = rows
            self._ranks[row] = self._ranked(slice(row, row + 1))[0]
        else:
            changed = np.fromiter(rows, dtype=np.intp, count=len(rows))
            self._ranks[changed] = self._ranked(changed)

    def ranks(self) -> Int64s:
        """The sum of all scores by row, `NOWHERE` where the pod cannot go."""
        ranks = self._ranks
        if self._wide:
            ranks = ranks.copy()
            for evaluator in self._wide:
                for failure in evaluator.failures(ALL):
                    ranks[failure.rows] = NOWHERE
        if not self._among:
            return ranks
        feasible = ranks != NOWHERE
        total = ranks.copy()
        for plugin, evaluator in self._among:
            scores = evaluator.scores_among(feasible)
            if scores is not None:
                total += plugin.weight * scores
        total[~feasible] = NOWHERE
        return total

    def _nodes_feasible(self) -> Bools:
        feasible = self._snapshot.valid.copy()
        for _, evaluator in self.views:
            if evaluator.scope is Scope.NODE and evaluator.filters:
                for failure in evaluator.failures(ALL):
                    feasible &= ~failure.rows
        return feasible

    def _ranked(self, rows: Rows) -> Int64s:
        """Scores that rows have by themselves, `NOWHERE` where filters of nodes and of rows refuse them."""
        feasible = self._node_mask[rows].copy()
        total = np.zeros(len(feasible), dtype=np.int64)
        for plugin, evaluator in self._of_row:
            if evaluator.filters:
                for failure in evaluator.failures(rows):
                    feasible &= ~failure.rows
            if evaluator.scores:
                total += plugin.weight * evaluator.row_scores(rows)
        total[~feasible] = NOWHERE
        return total
