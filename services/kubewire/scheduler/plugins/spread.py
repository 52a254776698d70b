"""Spreading pods that are alike over zones, hosts or whatever nodes are labelled with (KEP-895)."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from kubewire.scheduler.plugins.contracts import SCORE_AT_MOST, Evaluator, Failure, Scope
from kubewire.scheduler.plugins.domains import Domains
from kubewire.scheduler.plugins.nodes import untolerated_rows
from kubewire.scheduler.pods.pod import PodInfo
from kubewire.scheduler.pods.terms import PodSelector, Spread
from kubewire.scheduler.snapshot.arrays import Bools, Floats, Int64s, Rows
from kubewire.scheduler.snapshot.counts import Question
from kubewire.scheduler.snapshot.snapshot import Snapshot

TOO_SKEWED: Final = "node(s) didn't match pod topology spread constraints"
NO_LABEL: Final = "node(s) didn't match pod topology spread constraints (missing required label)"
HOSTNAME: Final = "kubernetes.io/hostname"


class PodTopologySpread:
    """Keeps pods off domains that have too many of them, and rather where there are few."""

    name = "PodTopologySpread"

    def __init__(self, weight: int) -> None:
        self.weight = weight

    def evaluator(self, snapshot: Snapshot, pod: PodInfo) -> Evaluator | None:
        """See `Plugin`."""
        return _Spreading(snapshot, pod) if pod.shape.spreads else None


class _Constraint(NamedTuple):
    spread: Spread
    domains: Domains
    question: Question
    self_match: int


class _Spreading(Evaluator):
    scope = Scope.CLUSTER

    def __init__(self, snapshot: Snapshot, pod: PodInfo) -> None:
        self._snapshot = snapshot
        spreads = pod.shape.spreads
        self._hard = _constraints(snapshot, pod, [one for one in spreads if one.is_hard])
        self._soft = _constraints(snapshot, pod, [one for one in spreads if not one.is_hard])
        self.filters = bool(self._hard)
        self.scores = bool(self._soft)

    def failures(self, rows: Rows) -> list[Failure]:
        """A row fails for the first constraint it does not meet."""
        found: list[Failure] = []
        left = self._snapshot.valid.copy()
        for constraint in self._hard:
            domains = constraint.domains
            missing = left & ~domains.has
            left &= domains.has
            skewed = left & self._too_skewed(constraint)
            left &= ~skewed
            found += [Failure(NO_LABEL, missing[rows]), Failure(TOO_SKEWED, skewed[rows])]
        return found

    def _too_skewed(self, constraint: _Constraint) -> Bools:
        """Rows whose domain would have too many more pods than the one with fewest."""
        spread, domains = constraint.spread, constraint.domains
        sums = domains.sums(self._snapshot.counts.count(constraint.question))
        present = sums[domains.present]
        least = int(present.min()) if len(present) and len(present) >= spread.min_domains else 0
        skew = domains.by_row(sums) + constraint.self_match - least
        found: Bools = skew > spread.max_skew
        return found

    def scores_among(self, feasible: Bools) -> Int64s | None:
        """The fewer pods alike in a row's domains, the better; few domains weigh less than many."""
        scored = feasible.copy()
        for constraint in self._soft:
            scored &= constraint.domains.has
        if not scored.any():
            return None
        total = np.zeros(len(feasible), dtype=np.float64)
        for constraint in self._soft:
            total += self._cost(constraint, scored)
        return _fewest_best(np.floor(total + 0.5).astype(np.int64), scored)

    def _cost(self, constraint: _Constraint, scored: Bools) -> Floats:
        spread, domains = constraint.spread, constraint.domains
        counts = self._snapshot.counts.count(constraint.question)
        if spread.topology_key == HOSTNAME:
            pods, size = counts.astype(np.float64), int(np.count_nonzero(scored))
        else:
            pods, size = domains.totals(counts).astype(np.float64), domains.distinct(scored)
        return pods * math.log(size + 2) + (spread.max_skew - 1)


def _fewest_best(costs: Int64s, scored: Bools) -> Int64s:
    """100 for the lowest cost, less for more; 0 for rows that are not scored."""
    among = costs[scored]
    most, least = int(among.max()), int(among.min())
    if most == 0:
        return np.where(scored, SCORE_AT_MOST, 0)
    return np.where(scored, SCORE_AT_MOST * (most + least - costs) // most, 0)


def _constraints(snapshot: Snapshot, pod: PodInfo, spreads: list[Spread]) -> list[_Constraint]:
    """Rows that lack one of the keys do not count for any of these constraints."""
    has_all = snapshot.valid.copy()
    for spread in spreads:
        has_all &= Domains(snapshot, spread.topology_key).has
    return [_constraint(snapshot, pod, spread, has_all) for spread in spreads]


def _constraint(snapshot: Snapshot, pod: PodInfo, spread: Spread, has_all: Bools) -> _Constraint:
    counted = has_all
    if spread.honors_node_wish:
        counted = counted & snapshot.labels.wanted(pod.shape.node_wish)
    if spread.honors_taints:
        counted = counted & ~untolerated_rows(snapshot, pod)
    alike = PodSelector(frozenset((pod.key.namespace,)), spread.selector)
    return _Constraint(
        spread,
        Domains(snapshot, spread.topology_key, counted),
        Question((alike,), counts_terminating=False),
        int(spread.selector.matches(pod.shape.labels)),
    )
