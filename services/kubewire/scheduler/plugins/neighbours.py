"""Pods that want to be near others, or far from them; and what pods that run want of those that come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np

from kubewire.scheduler.plugins.contracts import SCORE_AT_MOST, Evaluator, Failure, Scope
from kubewire.scheduler.plugins.domains import Domains
from kubewire.scheduler.pods.pod import PodInfo
from kubewire.scheduler.pods.terms import PodTerm
from kubewire.scheduler.snapshot.arrays import Bools, Int32s, Int64s, Rows
from kubewire.scheduler.snapshot.counts import Question, StandingTerm
from kubewire.scheduler.snapshot.snapshot import Snapshot

NOT_NEAR: Final = "node(s) didn't match pod affinity rules"
NOT_FAR: Final = "node(s) didn't match pod anti-affinity rules"
NOT_WANTED: Final = "node(s) didn't satisfy existing pods anti-affinity rules"


class InterPodAffinity:
    """Puts pods in the domains of pods they want to be near, and keeps them off those of others."""

    name = "InterPodAffinity"

    def __init__(self, weight: int) -> None:
        self.weight = weight

    def evaluator(self, snapshot: Snapshot, pod: PodInfo) -> Evaluator | None:
        """See `Plugin`. A pod without wishes may meet those of pods that run, or of pods of its own kind to come."""
        wish = pod.shape.pod_wish
        if not (wish.affinity or wish.anti_affinity or wish.preferred or snapshot.counts.standing):
            return None
        return _Neighbours(snapshot, pod)


class _Weighted(NamedTuple):
    """Pods by row, the domains they are summed up in, and how much each is worth."""

    domains: Domains
    counts: Int32s
    weight: int


class _Neighbours(Evaluator):
    scope = Scope.CLUSTER
    filters = True
    scores = True

    def __init__(self, snapshot: Snapshot, pod: PodInfo) -> None:
        self._snapshot = snapshot
        self._pod = pod
        self._wish = pod.shape.pod_wish
        self._domains: dict[str, Domains] = {}
        # Whether terms of pods that run mean this pod.
        self._meant: dict[StandingTerm, bool] = {}
        near = self._wish.affinity
        self._near = Question(tuple(term.pods for term in near))
        self._is_own_neighbour = all(snapshot.counts.matches(term.pods, pod.shape) for term in near)

    def failures(self, rows: Rows) -> list[Failure]:
        """A row fails for the first of the three that it does not meet."""
        found: list[Failure] = []
        left = self._snapshot.valid.copy()
        for reason, failing in self._refusals():
            found.append(Failure(reason, (failing & left)[rows]))
            left &= ~failing
        return found

    def _refusals(self) -> Iterator[tuple[str, Bools]]:
        wish = self._wish
        if wish.affinity:
            yield NOT_NEAR, ~self._is_near()
        if wish.anti_affinity:
            questions = ((term, self._count(term)) for term in wish.anti_affinity)
            yield NOT_FAR, self._has_any((self._of(term.topology_key), counts) for term, counts in questions)
        standing = self._standing(is_required=True, sign=-1)
        yield NOT_WANTED, self._has_any((self._of(one.term.topology_key), counts) for one, counts in standing)

    def _is_near(self) -> Bools:
        """Rows with a pod that is wanted in each of the domains; the first pod of its kind may go anywhere."""
        counts = self._snapshot.counts.count(self._near)
        near = self._snapshot.valid.copy()
        has_all = near.copy()
        total = 0
        for term in self._wish.affinity:
            domains = self._of(term.topology_key)
            sums = domains.sums(counts)
            total += int(sums.sum())
            near &= domains.has & (domains.by_row(sums) > 0)
            has_all &= domains.has
        return has_all if total == 0 and self._is_own_neighbour else near

    def _has_any(self, counted: Iterable[tuple[Domains, Int32s]]) -> Bools:
        found = np.zeros(self._snapshot.capacity, dtype=np.bool_)
        for domains, counts in counted:
            found |= domains.has & (domains.totals(counts) > 0)
        return found

    def scores_among(self, feasible: Bools) -> Int64s | None:
        """The sum of all preferences, from the lowest feasible one (0) to the highest (100)."""
        total = np.zeros(len(feasible), dtype=np.int64)
        for domains, counts, weight in self._preferences():
            total += weight * np.where(domains.has, domains.totals(counts), 0)
        among = total[feasible]
        if not among.any():
            return None
        most, least = int(among.max()), int(among.min())
        if most == least:
            return None
        return (SCORE_AT_MOST * (total - least) / (most - least)).astype(np.int64)

    def _preferences(self) -> Iterator[_Weighted]:
        for term, weight in self._wish.preferred:
            yield _Weighted(self._of(term.topology_key), self._count(term), weight)
        for one, counts in (*self._standing(is_required=True, sign=1), *self._standing(is_required=False, sign=0)):
            yield _Weighted(self._of(one.term.topology_key), counts, one.weight)

    def _standing(self, *, is_required: bool, sign: int) -> Iterator[tuple[StandingTerm, Int32s]]:
        """Terms of pods that run and mean this pod; `sign` 1: those that want it near, -1: far, 0: either."""
        for one, counts in self._snapshot.counts.standing.items():
            if one.is_required is is_required and (not sign or (one.weight > 0) is (sign > 0)) and self._means(one):
                yield one, counts

    def _means(self, one: StandingTerm) -> bool:
        meant = self._meant.get(one)
        if meant is None:
            meant = self._meant[one] = self._snapshot.counts.matches(one.term.pods, self._pod.shape)
        return meant

    def _count(self, term: PodTerm) -> Int32s:
        return self._snapshot.counts.count(Question((term.pods,)))

    def _of(self, key: str) -> Domains:
        found = self._domains.get(key)
        if found is None:
            found = self._domains[key] = Domains(self._snapshot, key)
        return found
