"""Writes: an acknowledged one happened as it says and once, a refused one did not, and nothing happened by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.robustness.history import NOWHERE, History, Operation, Outcome, Refusal, Truth, Verb
from tests.robustness.states import States
from tests.robustness.timeline import Placed, claimed, deletions_for, written_at


def check_writes(placed: Iterable[Placed], states: States) -> Iterator[str]:
    """Acknowledged writes happened as acknowledged, in the order of real time; refused ones did not, with reason."""
    for each in placed:
        operation = each.operation
        if not operation.is_write:
            continue
        yield from _check_order(each, states)
        if operation.outcome is Outcome.DONE and operation.verb is not Verb.DELETE:
            yield from _check_done(operation, states)
        elif operation.outcome is Outcome.DONE:
            yield from _check_deleted(each, states)
        elif operation.outcome is Outcome.REFUSED:
            yield from _check_refused(each, states)


def check_explained(history: History, placed: Sequence[Placed], states: States) -> Iterator[str]:
    """Every change in the truth was asked for, and each request changed something at most once."""
    asked = {operation.tag for operation in history.operations if operation.is_write and operation.tag}
    for change in states.applied_twice:
        yield f"{change.tag} was written twice, at {states.by_tag[change.tag or ''].revision} and {change.revision}"
    for tag, change in states.by_tag.items():
        if tag not in asked:
            yield f"{change} was asked for by nobody"
    deletes: dict[str, list[Placed]] = defaultdict(list)
    for each in placed:
        if each.operation.verb is Verb.DELETE and each.operation.outcome is not Outcome.REFUSED:
            deletes[each.operation.key].append(each)
    for key in {*deletes, *states.keys()}:
        yield from _check_deletions(key, deletes[key], history.leased, states)


def _check_order(each: Placed, states: States) -> Iterator[str]:
    revision = written_at(each.operation, states)
    if revision and revision <= each.floor:
        yield f"{each.operation.name} has revision {revision}, but {each.floor} was known before it was invoked"


def _check_done(operation: Operation, states: States) -> Iterator[str]:
    change = states.by_key_revision.get((operation.key, operation.revision))
    if change is None:
        yield f"{operation.name} was acknowledged at {operation.revision}, where the truth has no such change"
        return
    if change.tag != operation.tag:
        yield f"{operation.name} was acknowledged at {operation.revision}, where the truth has {change.tag!r}"
        return
    before = states.at(operation.key, operation.revision - 1)
    yield from _check_before(operation, before)
    yield from _check_content(operation, change, before)


def _check_before(operation: Operation, before: Truth | None) -> Iterator[str]:
    if operation.verb is Verb.CREATE and before is not None:
        yield f"{operation.name} succeeded although the object existed since {before.revision}"
    if operation.verb in (Verb.UPDATE, Verb.PATCH) and before is None:
        yield f"{operation.name} succeeded although the object did not exist"
    if operation.guard and before is not None and before.revision != operation.guard:
        yield f"{operation.name} succeeded: guarded by {operation.guard}, last written at {before.revision}"


def _check_content(operation: Operation, change: Truth, before: Truth | None) -> Iterator[str]:
    kept = before if before is not None else Truth(0, operation.key, None)
    base = kept.base if operation.verb is Verb.PATCH else operation.tag
    label = kept.label if operation.label is None else operation.label
    if (change.base, change.label) != (base, label):
        yield (
            f"{operation.name} at {change.revision} left base and label {change.base!r}, {change.label!r},"
            f" not {base!r}, {label!r}: what it did not mean was changed, or another write was lost"
        )


def _check_deleted(each: Placed, states: States) -> Iterator[str]:
    operation = each.operation
    if not operation.revision:
        return  # matched with a deletion in check_explained
    change = states.by_key_revision.get((operation.key, operation.revision))
    if change is None:
        yield f"{operation.name} was acknowledged at {operation.revision}, where the truth has no such change"
    elif change.tag is not None:
        yield f"{operation.name} was acknowledged at {operation.revision}, where the truth has {change.tag!r}"
    else:
        yield from _check_before(operation, states.at(operation.key, operation.revision - 1))


def _check_refused(each: Placed, states: States) -> Iterator[str]:
    operation = each.operation
    change = states.by_tag.get(operation.tag)
    if change is not None:
        yield f"{operation.name} was refused ({operation.detail}), yet is in the truth at {change.revision}"
    if operation.verb is Verb.CREATE and operation.refusal is Refusal.MISSING:
        yield f"{operation.name} was refused, as if there were no namespace ({operation.detail})"
    elif each.revision is None and claimed(operation, states) is not None:
        yield (
            f"{operation.name} was refused ({operation.detail}), without reason between revision {each.floor}"
            f" (known before) and {_shown(each.ceiling)} (written after)"
        )


def _check_deletions(key: str, deletes: Sequence[Placed], leased: set[str], states: States) -> Iterator[str]:
    """Each acknowledged delete has a deletion of its own, and each deletion somebody who may have asked for it.

    If both can be had apart, they can be had together (Mendelsohn and Dulmage), so they are looked for apart.
    """
    revisions = [[change.revision for change in deletions_for(each, states)] for each in deletes]
    done = [index for index, each in enumerate(deletes) if each.operation.outcome is Outcome.DONE]
    for index in unmatched({index: revisions[index] for index in done}):
        each = deletes[index]
        yield (
            f"{each.operation.name} (guard {each.operation.guard}) was acknowledged, but no deletion between"
            f" {each.floor} (known before) and {_shown(each.ceiling)} (written after) is left for it"
        )
    wanted = {
        change.revision: [index for index, found in enumerate(revisions) if change.revision in found]
        for change in states.deletions(key)
        if not _was_leased(change, leased, states)
    }
    for revision in unmatched(wanted):
        yield f"{key} was deleted at {revision}, which nobody asked for"


def _was_leased(change: Truth, leased: set[str], states: States) -> bool:
    before = states.at(change.key, change.revision - 1)
    return before is not None and before.tag in leased


def unmatched(partners: Mapping[int, Sequence[int]]) -> list[int]:
    """Those that are left over when as many as possible are given a partner of their own."""
    taken: dict[int, int] = {}

    def find(one: int, tried: set[int]) -> bool:
        for partner in partners[one]:
            if partner in tried:
                continue
            tried.add(partner)
            if partner not in taken or find(taken[partner], tried):
                taken[partner] = one
                return True
        return False

    return [one for one in partners if not find(one, set())]


def _shown(ceiling: int) -> str:
    return "the end" if ceiling == NOWHERE else str(ceiling)
