"""How many pods of some kind each node runs, kept up as pods come and go.

Spreading and affinity ask again and again how many pods a selector matches in each domain. A question is counted over
all pods once, when it is first asked; from then on each pod that comes or goes changes one entry.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from kubewire.machinery.selectors.labels import Selector
from kubewire.scheduler.pods.pod import Shape
from kubewire.scheduler.pods.terms import PodSelector, PodTerm
from kubewire.scheduler.snapshot.arrays import Int32s, grown

QUESTIONS_AT_MOST = 2048
"""Questions that are kept up; the longest unasked is dropped and counted anew if it is asked again."""


class Question(NamedTuple):
    """Pods that all of the selectors match; those that are being deleted may not count."""

    selectors: tuple[PodSelector, ...]
    counts_terminating: bool = True


class StandingTerm(NamedTuple):
    """What pods that run already say about those that may come: they want them near (`weight` over 0) or not.

    `is_required`: a pod that is not wanted may not come at all.
    """

    term: PodTerm
    weight: int
    is_required: bool


class Placed(NamedTuple):
    """Pods of one shape that run."""

    shape: Shape
    is_terminating: bool


class PodCounts:
    """Counts by row.

    Attributes:
        standing: terms of pods that run, and how many of them each row has.
    """

    def __init__(self, rows: int, namespace_labels: Callable[[str], Mapping[str, str]]) -> None:
        self._rows = rows
        self._namespace_labels = namespace_labels
        self._placed: dict[Placed, Counter[int]] = {}
        self._answers: OrderedDict[Question, Int32s] = OrderedDict()
        # The questions that pods of a shape count for; emptied when questions come or go.
        self._concerned: dict[Placed, list[Int32s]] = {}
        self.standing: dict[StandingTerm, Int32s] = {}

    def grow(self, rows: int) -> None:
        """Make room."""
        self._rows = rows
        for question, counts in self._answers.items():
            self._answers[question] = grown(counts, rows)
        for term, counts in self.standing.items():
            self.standing[term] = grown(counts, rows)
        self._concerned.clear()

    def add(self, row: int, placed: Placed) -> None:
        """A pod comes to a node."""
        self._placed.setdefault(placed, Counter())[row] += 1
        self._change(row, placed, 1)

    def remove(self, row: int, placed: Placed) -> None:
        """A pod leaves it."""
        rows = self._placed[placed]
        rows[row] -= 1
        if not rows[row]:
            del rows[row]
        self._change(row, placed, -1)
        if not rows:
            del self._placed[placed]
            self._concerned.pop(placed, None)

    def count(self, question: Question) -> Int32s:
        """Pods by row; kept up, so read it before pods change, and do not change it."""
        answer = self._answers.get(question)
        if answer is None:
            answer = self._answers[question] = self._counted(question)
            if len(self._answers) > QUESTIONS_AT_MOST:
                self._answers.popitem(last=False)
            self._concerned.clear()
        else:
            self._answers.move_to_end(question)
        return answer

    def forget_answers(self) -> None:
        """Namespaces' labels changed: count again what is asked."""
        self._answers.clear()
        self._concerned.clear()

    def matches(self, selector: PodSelector, shape: Shape) -> bool:
        """Whether a selector means pods of a shape."""
        return self._is_in(selector, shape.namespace) and selector.selector.matches(shape.labels)

    def _is_in(self, selector: PodSelector, namespace: str) -> bool:
        if namespace in selector.namespaces:
            return True
        chosen: Selector = selector.namespace_selector
        return chosen.matches(self._namespace_labels(namespace))

    def _counted(self, question: Question) -> Int32s:
        counts = np.zeros(self._rows, dtype=np.int32)
        for placed, rows in self._placed.items():
            if self._counts(question, placed):
                for row, pods in rows.items():
                    counts[row] += pods
        return counts

    def _counts(self, question: Question, placed: Placed) -> bool:
        if placed.is_terminating and not question.counts_terminating:
            return False
        return all(self.matches(selector, placed.shape) for selector in question.selectors)

    def _change(self, row: int, placed: Placed, by: int) -> None:
        concerned = self._concerned.get(placed)
        if concerned is None:
            concerned = [counts for question, counts in self._answers.items() if self._counts(question, placed)]
            self._concerned[placed] = concerned
        for counts in concerned:
            counts[row] += by
        wish = placed.shape.pod_wish
        if wish.affinity or wish.anti_affinity or wish.preferred:
            self._change_standing(row, placed.shape, by)

    def _change_standing(self, row: int, shape: Shape, by: int) -> None:
        for term in standing_terms(shape):
            counts = self.standing.get(term)
            if counts is None:
                counts = self.standing[term] = np.zeros(self._rows, dtype=np.int32)
            counts[row] += by
            if by < 0 and not counts.any():
                del self.standing[term]


def standing_terms(shape: Shape) -> list[StandingTerm]:
    """What a pod of this shape says about others once it runs. Required nearness is one-sided and weighs 1."""
    wish = shape.pod_wish
    return [
        *(StandingTerm(term, 1, is_required=True) for term in wish.affinity),
        *(StandingTerm(term, -1, is_required=True) for term in wish.anti_affinity),
        *(StandingTerm(one.term, one.weight, is_required=False) for one in wish.preferred),
    ]
