"""Where every operation stands in the order of revisions, given the order of real time.

If one operation returned before another was invoked, it comes first. Writes stand at their revision. A read, or a
refusal, stands at some revision at which what it says was so: at the smallest one that is allowed, since everything
that comes later only needs it to be small. So if there is an order at all, this finds one.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from tests.robustness.history import NOWHERE, Freshness, Operation, Outcome, Refusal, Session, Truth, Verb
from tests.robustness.states import Interval, States


@dataclass(frozen=True, slots=True)
class Placed:
    """One operation in the order.

    Attributes:
        floor: a revision that was known to somebody before the operation was invoked.
        ceiling: the smallest revision of a write that was invoked after the operation had returned.
        revision: where it stands; None: nowhere, or what was said does not tell.
    """

    operation: Operation
    floor: int
    ceiling: int
    revision: int | None

    @property
    def lowest(self) -> int:
        """The oldest revision at which a read may have been."""
        match self.operation.freshness:
            case Freshness.LATEST:
                return self.floor
            case Freshness.ANY:
                return 0
            case _:
                return self.operation.asked


def place(operations: Iterable[Operation], sessions: Iterable[Session], states: States) -> list[Placed]:
    """All operations, in the order they were invoked. What watchers saw is known from then on."""
    listed = sorted(operations, key=lambda operation: operation.invoked)
    ceilings = _ceilings(listed, states)
    ended = [(seen.at, seen.revision) for session in sessions for seen in session.seen if seen.at]
    heapq.heapify(ended)
    floor = 0
    placed: list[Placed] = []
    for operation in listed:
        while ended and ended[0][0] < operation.invoked:
            floor = max(floor, heapq.heappop(ended)[1])
        revision = _position(Placed(operation, floor, ceilings[id(operation)], None), states)
        placed.append(Placed(operation, floor, ceilings[id(operation)], revision))
        if revision is not None and operation.outcome is not Outcome.UNKNOWN:
            heapq.heappush(ended, (operation.returned, revision))
    return placed


def written_at(operation: Operation, states: States) -> int:
    """The revision of a write, as answered or as found in the truth; 0 if neither tells."""
    if operation.outcome is Outcome.DONE and operation.revision:
        return operation.revision
    change = states.by_tag.get(operation.tag)
    return change.revision if change is not None and operation.outcome is not Outcome.REFUSED else 0


def deletions_for(placed: Placed, states: States) -> list[Truth]:
    """The deletions that may be what a delete has done."""
    operation = placed.operation
    if operation.outcome is Outcome.DONE and operation.revision:
        known = states.by_key_revision.get((operation.key, operation.revision))
        return [known] if known is not None and known.tag is None else []
    ceiling = placed.ceiling if operation.outcome is Outcome.DONE else NOWHERE
    return [
        change
        for change in states.deletions(operation.key)
        if placed.floor < change.revision < ceiling and _is_guard_met(operation.guard, change, states)
    ]


def _is_guard_met(guard: int, change: Truth, states: States) -> bool:
    before = states.at(change.key, change.revision - 1)
    return not guard or (before is not None and before.revision == guard)


def _ceilings(operations: list[Operation], states: States) -> dict[int, int]:
    begun = sorted(
        (operation.invoked, revision)
        for operation in operations
        if operation.is_write and (revision := written_at(operation, states))
    )
    result: dict[int, int] = {}
    ceiling = NOWHERE
    for operation in sorted(operations, key=lambda item: item.returned, reverse=True):
        while begun and begun[-1][0] > operation.returned:
            ceiling = min(ceiling, begun.pop()[1])
        result[id(operation)] = ceiling
    return result


def _position(placed: Placed, states: States) -> int | None:
    operation = placed.operation
    if operation.outcome is Outcome.DONE and operation.verb is Verb.LIST:
        return operation.revision
    if operation.is_write and operation.outcome is not Outcome.REFUSED:
        deleted = deletions_for(placed, states) if operation.verb is Verb.DELETE else []
        first = deleted[0].revision if deleted and operation.outcome is Outcome.DONE else None
        return written_at(operation, states) or first
    low = placed.lowest
    return next(
        (max(begin, low) for begin, end in claimed(operation, states) or () if begin < placed.ceiling and end > low),
        None,
    )


def claimed(operation: Operation, states: States) -> list[Interval] | None:
    """When it was so as a get or a refusal says; None: it says nothing about the object."""
    if operation.outcome is Outcome.DONE and operation.verb is Verb.GET:
        return states.validity(operation.key, operation.observed)
    if operation.outcome is not Outcome.REFUSED:
        return None
    match operation.refusal:
        case Refusal.EXISTS:
            return states.existence(operation.key)
        case Refusal.MISSING:
            return states.validity(operation.key, None)
        case Refusal.CONFLICT:
            return states.existence(operation.key, other_than=operation.guard)
        case _:
            return None
