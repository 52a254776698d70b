"""Reads: each saw one state, not older than what it asked for and not younger than what was begun after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.robustness.history import NOWHERE, Compaction, Freshness, Outcome, Refusal, Verb
from tests.robustness.states import States
from tests.robustness.timeline import Placed


def check_reads(placed: Iterable[Placed], compactions: Iterable[Compaction], states: States) -> Iterator[str]:
    """What gets and lists saw, and that no history was said to be gone which was there."""
    compacted = list(compactions)
    for each in placed:
        operation = each.operation
        if operation.is_write:
            continue
        if operation.outcome is Outcome.REFUSED and operation.refusal is Refusal.GONE:
            yield from _check_gone(each, compacted)
        if operation.outcome is not Outcome.DONE:
            continue
        yield from _check_list(each, states) if operation.verb is Verb.LIST else _check_get(each, states)


def is_gone(revision: int, at: float, compactions: Iterable[Compaction]) -> bool:
    """Whether the state at a revision, and what happened since, may have been compacted away."""
    return any(compaction.revision > revision and compaction.at < at for compaction in compactions)


def _check_gone(each: Placed, compactions: list[Compaction]) -> Iterator[str]:
    operation = each.operation
    if not operation.asked or not is_gone(operation.asked, operation.returned, compactions):
        yield f"{operation.name} was told that revision {operation.asked} is gone, which was not compacted"


def _check_list(each: Placed, states: States) -> Iterator[str]:
    operation = each.operation
    if operation.revision < each.lowest:
        why = "was known before it was invoked" if operation.freshness is Freshness.LATEST else "was asked for"
        yield f"{operation.name} is of revision {operation.revision}, but {each.lowest} {why}"
    if operation.revision >= each.ceiling:
        yield f"{operation.name} is of revision {operation.revision}, but {each.ceiling} was written after it"
    if operation.freshness is Freshness.EXACT and operation.revision != operation.asked:
        yield f"{operation.name} is of revision {operation.revision}, not exactly of {operation.asked}"
    truth = states.snapshot(operation.key, operation.revision, operation.label)
    if truth != operation.snapshot:
        keys = sorted(key for key in {*truth, *operation.snapshot} if truth.get(key) != operation.snapshot.get(key))
        shown = "; ".join(f"{key}: listed {operation.snapshot.get(key)}, was {truth.get(key)}" for key in keys[:3])
        yield f"{operation.name} at {operation.revision} differs from the truth in {len(keys)} keys: {shown}"


def _check_get(each: Placed, states: States) -> Iterator[str]:
    if each.revision is None:
        operation = each.operation
        ranges = [tuple(interval) for interval in states.validity(operation.key, operation.observed)]
        ceiling = "the end" if each.ceiling == NOWHERE else each.ceiling
        yield (
            f"{operation.name} saw {operation.observed}, which held during {ranges},"
            f" not between {each.lowest} (known before, or asked for) and {ceiling} (written after)"
        )
