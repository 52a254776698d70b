"""Lies put into a recorded history, each about one thing somebody was told: the checker must find every one.

What `test_checks` does with a small history made by hand, this does with what really happened in a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Final

from tests.robustness.history import Freshness, History, Operation, Outcome, Refusal, Session, Truth, Verb, Version

Lie = Callable[[History, Random], bool]
"""Changes a history in place; False when there is nothing in it to lie about."""


def drop_event(history: History, random: Random) -> bool:
    """An event between two others of a watch is not there."""
    found = _place(history, random)
    if found is None:
        return False
    session, index = found
    del session.seen[index]
    return True


def repeat_event(history: History, random: Random) -> bool:
    """An event comes twice."""
    found = _place(history, random)
    if found is None:
        return False
    session, index = found
    session.seen.insert(index, session.seen[index])
    return True


def swap_events(history: History, random: Random) -> bool:
    """An event comes after the one that followed it."""
    found = _place(history, random)
    if found is None:
        return False
    seen, index = found[0].seen, found[1]
    seen[index], seen[index + 1] = seen[index + 1], seen[index]
    return True


def alter_event(history: History, random: Random) -> bool:
    """An event shows another write."""
    found = _place(history, random)
    if found is None:
        return False
    session, index = found
    session.seen[index] = replace(session.seen[index], tag="c0-0")
    return True


def lose_write(history: History, random: Random) -> bool:
    """A write that was acknowledged has not happened."""
    written = [operation.tag for operation in history.operations if operation.outcome is Outcome.DONE and operation.tag]
    changes = [change for change in history.truth if change.tag in written]
    if not changes:
        return False
    history.truth.remove(random.choice(changes))
    return True


def deny_write(history: History, random: Random) -> bool:
    """A write that happened was refused."""
    done = _done(history, Verb.CREATE, Verb.UPDATE, Verb.PATCH)
    if not done:
        return False
    operation = random.choice(done)
    operation.outcome, operation.refusal = Outcome.REFUSED, Refusal.OTHER
    return True


def read_stale(history: History, random: Random) -> bool:
    """A linearizable read shows what was overwritten before it began."""
    pairs = list(_stale(history))
    if not pairs:
        return False
    operation, before = random.choice(pairs)
    operation.observed = Version(before.tag or "", before.revision)
    return True


def tear_list(history: History, random: Random) -> bool:
    """A list leaves out an object."""
    lists = [operation for operation in _done(history, Verb.LIST) if operation.snapshot]
    if not lists:
        return False
    operation = random.choice(lists)
    key = random.choice(sorted(operation.snapshot))
    operation.snapshot = {name: version for name, version in operation.snapshot.items() if name != key}
    return True


def _done(history: History, *verbs: Verb) -> list[Operation]:
    return [each for each in history.operations if each.outcome is Outcome.DONE and each.verb in verbs]


def _place(history: History, random: Random) -> tuple[Session, int] | None:
    """An event of a watch that neither begins nor ends a piece of it, nor shares its revision with the next."""
    found = [
        (session, index)
        for session in history.sessions
        for index in range(1, len(session.seen) - 1)
        if all(seen.key for seen in session.seen[index - 1 : index + 2])
        and session.seen[index].revision < session.seen[index + 1].revision
    ]
    return random.choice(found) if found else None


def _stale(history: History) -> Iterator[tuple[Operation, Truth]]:
    """Reads, and what their object was before a write that was acknowledged before they began."""
    versions: dict[str, list[Truth]] = {}
    for change in sorted(history.truth, key=lambda change: change.revision):
        versions.setdefault(change.key, []).append(change)
    writes = _done(history, Verb.UPDATE, Verb.PATCH)
    for read in _done(history, Verb.GET):
        if read.freshness is not Freshness.LATEST:
            continue
        for write in writes:
            if write.key == read.key and write.returned < read.invoked:
                older = [change for change in versions[read.key] if change.revision < write.revision]
                if older and older[-1].tag is not None:
                    yield read, older[-1]


LIES: Final[Mapping[str, Lie]] = {
    lie.__name__: lie
    for lie in (
        drop_event,
        repeat_event,
        swap_events,
        alter_event,
        lose_write,
        deny_write,
        read_stale,
        tear_list,
    )
}
