"""The guarantees, checked against a finished history. Each check returns what contradicts it, in words.

Writes: an acknowledged one is in the truth at its revision with its content, a refused one is not there, guards held,
and real-time order is revision order. Reads: each saw a state that existed at a revision not older than anything
finished before it began, and not younger than anything begun after it ended. Watches: see `watch_checks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.robustness.history import History, Operation, Outcome, Verb
from tests.robustness.states import States
from tests.robustness.watch_checks import check_session


def violations(history: History) -> list[str]:
    """Everything that contradicts a guarantee; empty for a correct run."""
    states = States(history.truth)
    found = [
        *check_writes(history.operations, states),
        *check_order(history.operations, states),
        *check_reads(history.operations, states),
    ]
    for session in history.sessions:
        found += check_session(session, states)
    return found


def check_writes(operations: Iterable[Operation], states: States) -> Iterator[str]:
    """Acknowledged writes happened as acknowledged, refused ones did not happen."""
    for operation in operations:
        if not operation.is_write:
            continue
        if operation.outcome is Outcome.DONE:
            yield from _check_done(operation, states)
        elif operation.outcome is Outcome.REFUSED and operation.tag in states.by_tag:
            revision = states.by_tag[operation.tag].revision
            yield f"{_name(operation)} was refused ({operation.detail}), yet is in the truth at {revision}"


def _check_done(operation: Operation, states: States) -> Iterator[str]:
    change = states.by_key_revision.get((operation.key, operation.revision))
    if change is None:
        yield f"{_name(operation)} was acknowledged at {operation.revision}, where the truth has no such change"
        return
    wanted = None if operation.verb is Verb.DELETE else operation.tag
    if change.tag != wanted:
        yield f"{_name(operation)} was acknowledged at {operation.revision}, where the truth has {change.tag!r}"
    before = states.at(operation.key, operation.revision - 1)
    if operation.verb is Verb.CREATE and before is not None:
        yield f"{_name(operation)} succeeded although the object existed since {before.revision}"
    if operation.verb is not Verb.CREATE and before is None:
        yield f"{_name(operation)} succeeded although the object did not exist"
    if operation.guard and before is not None and before.revision != operation.guard:
        yield f"{_name(operation)} succeeded: guarded by {operation.guard}, last written at {before.revision}"


def check_order(operations: Iterable[Operation], states: States) -> Iterator[str]:
    """A write that returned before another was invoked has the smaller revision."""
    for operation, floor in _with_floor(operations):
        if operation.is_write and operation.outcome is Outcome.DONE and operation.revision <= floor:
            yield f"{_name(operation)} has revision {operation.revision}, but {floor} was known before it was invoked"
    known_at = sorted((o.returned, o.revision) for o in operations if o.outcome is Outcome.DONE and o.revision)
    if known_at and max(revision for _, revision in known_at) > states.last_revision + len(known_at) * 1000:
        yield "a revision was answered that the truth is nowhere near"


def check_reads(operations: Iterable[Operation], states: States) -> Iterator[str]:
    """Linearizable reads saw a state between what was known before and what was begun after."""
    listed = list(operations)
    ceilings = _ceilings(listed)
    for operation, floor in _with_floor(listed):
        if operation.outcome is not Outcome.DONE or operation.is_write:
            continue
        low = 0 if operation.stale_allowed else floor
        if operation.verb is Verb.LIST:
            yield from _check_list(operation, states, low)
        else:
            yield from _check_get(operation, states, low, ceilings[id(operation)])


def _check_list(operation: Operation, states: States, floor: int) -> Iterator[str]:
    if operation.revision < floor:
        yield f"{_name(operation)} is of revision {operation.revision}, but {floor} was known before it was invoked"
    truth = states.snapshot(operation.key, operation.revision)
    if truth != operation.snapshot:
        keys = sorted(key for key in {*truth, *operation.snapshot} if truth.get(key) != operation.snapshot.get(key))
        shown = "; ".join(f"{key}: listed {operation.snapshot.get(key)}, was {truth.get(key)}" for key in keys[:3])
        yield f"{_name(operation)} at {operation.revision} differs from the truth in {len(keys)} keys: {shown}"


def _check_get(operation: Operation, states: States, floor: int, ceiling: int) -> Iterator[str]:
    ranges = states.validity(operation.key, operation.observed)
    if not any(begin < ceiling and end > floor for begin, end in ranges):
        yield (
            f"{_name(operation)} saw {operation.observed}, which held during {ranges},"
            f" not between {floor} (known before) and {ceiling} (written after)"
        )


def _with_floor(operations: Iterable[Operation]) -> Iterator[tuple[Operation, int]]:
    """Each operation with the greatest revision that was known to somebody before it was invoked."""
    listed = list(operations)
    endings = sorted((o.returned, _revision_shown(o)) for o in listed if o.outcome is Outcome.DONE)
    floor = index = 0
    for operation in sorted(listed, key=lambda item: item.invoked):
        while index < len(endings) and endings[index][0] < operation.invoked:
            floor = max(floor, endings[index][1])
            index += 1
        yield operation, floor


def _revision_shown(operation: Operation) -> int:
    """The greatest revision that a finished operation proves to have been reached."""
    if operation.observed is not None:
        return max(operation.revision, operation.observed.revision)
    return operation.revision


def _ceilings(operations: list[Operation]) -> dict[int, int]:
    """For each operation the smallest revision of a write invoked after it had returned."""
    begun = sorted(
        ((o.invoked, o.revision) for o in operations if o.is_write and o.outcome is Outcome.DONE), reverse=True
    )
    result: dict[int, int] = {}
    ceiling, index = 1 << 62, 0
    for operation in sorted(operations, key=lambda item: item.returned, reverse=True):
        while index < len(begun) and begun[index][0] > operation.returned:
            ceiling = min(ceiling, begun[index][1])
            index += 1
        result[id(operation)] = ceiling
    return result


def _name(operation: Operation) -> str:
    return f"{operation.client}: {operation.verb.value} {operation.key} {operation.tag}".rstrip()
