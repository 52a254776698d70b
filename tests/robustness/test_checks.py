"""The checker itself: it accepts a correct history and finds every kind of fault put into one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.robustness.checks import violations
from tests.robustness.history import (
    Compaction,
    Freshness,
    Gone,
    History,
    Operation,
    Outcome,
    Refusal,
    Seen,
    Session,
    Truth,
    Verb,
    Version,
)

Change = Callable[[History], None]


def correct() -> History:
    """Two keys, written by two clients, read and watched; times are seconds of one clock."""
    truth = [
        Truth(2, "ns/a", "w1", "w1", "red"),
        Truth(3, "ns/b", "w2", "w2", "blue"),
        Truth(5, "ns/a", "w3", "w3", "blue"),
        Truth(7, "ns/b", None),
        Truth(8, "ns/a", "w5", "w3", "blue"),
        Truth(9, "ns/a", None),
    ]
    return History(_operations(), [_session(*_EVENTS)], truth, last_revision=12)


def _operations() -> list[Operation]:
    done, refused = Outcome.DONE, Outcome.REFUSED
    return [
        Operation("c1", Verb.CREATE, "ns/a", 1.0, 1.1, done, tag="w1", label="red", revision=2),
        Operation("c2", Verb.CREATE, "ns/b", 1.2, 1.3, done, tag="w2", label="blue", revision=3),
        Operation("c1", Verb.CREATE, "ns/a", 1.4, 1.5, refused, tag="w9", refusal=Refusal.EXISTS, detail="exists"),
        Operation("c2", Verb.GET, "ns/a", 1.6, 1.7, done, observed=Version("w1", 2)),
        Operation("c1", Verb.UPDATE, "ns/a", 2.0, 2.3, done, tag="w3", label="blue", guard=2, revision=5),
        Operation("c2", Verb.LIST, "ns/", 2.4, 2.5, done, revision=5, snapshot=_both()),
        Operation("c2", Verb.DELETE, "ns/b", 3.0, 3.1, done, guard=3, revision=7),
        Operation("c1", Verb.GET, "ns/b", 3.2, 3.3, done),
        Operation("c1", Verb.UPDATE, "ns/a", 3.4, 4.5, Outcome.UNKNOWN, tag="w4", label="red"),
        Operation("c3", Verb.PATCH, "ns/a", 3.5, 3.6, done, tag="w5", revision=8),
        Operation("c3", Verb.DELETE, "ns/a", 3.7, 3.8, done),
        Operation("c2", Verb.UPDATE, "ns/a", 4.0, 4.1, refused, tag="w8", guard=8, refusal=Refusal.MISSING),
    ]


def _both() -> dict[str, Version]:
    return {"ns/a": Version("w3", 5), "ns/b": Version("w2", 3)}


_A, _B = Seen("ADDED", 2, "ns/a", "w1"), Seen("ADDED", 3, "ns/b", "w2")
_A2, _GONE_B = Seen("MODIFIED", 5, "ns/a", "w3"), Seen("DELETED", 7, "ns/b", "w2")
_A3, _GONE_A = Seen("MODIFIED", 8, "ns/a", "w5"), Seen("DELETED", 9, "ns/a", "w5")
_EVENTS = (_A, _B, Seen("BOOKMARK", 4), _A2, _GONE_B, Seen("BOOKMARK", 7), _A3, _GONE_A)


def _session(*seen: Seen, start: int | None = 1, until: int = 9, **more: object) -> Session:
    return replace(Session("w", "ns/", start, until=until, seen=list(seen)), **more)  # type: ignore[arg-type]  # test data


def test_correct_history_is_accepted() -> None:
    """A history that keeps every promise has no violation."""
    assert violations(correct()) == []


def test_unknown_write_may_have_happened() -> None:
    """A write without an answer may be in the truth, at once or later."""
    history = correct()
    history.truth.append(Truth(10, "ns/a", "w4", "w4", "red"))
    assert violations(history) == []


def test_lease_may_delete_several_at_once() -> None:
    """An expiring lease deletes its objects at one revision, which is delivered as several events."""
    history = correct()
    history.truth += [Truth(10, f"ns/{name}", f"f{name}", f"f{name}") for name in "xy"]
    history.truth[-1] = replace(history.truth[-1], revision=11)
    history.truth += [Truth(12, "ns/x", None), Truth(12, "ns/y", None)]
    history.operations += [
        Operation("foreign", Verb.PUT, f"ns/{name}", 9.0, 9.1, Outcome.UNKNOWN, f"f{name}", "") for name in "xy"
    ]
    history.leased |= {"fx", "fy"}
    history.sessions[0].seen += [
        Seen("ADDED", 10, "ns/x", "fx"),
        Seen("ADDED", 11, "ns/y", "fy"),
        Seen("DELETED", 12, "ns/y", "fy"),
        Seen("DELETED", 12, "ns/x", "fx"),
    ]
    assert violations(history) == []
    history.sessions[0].seen[-1] = Seen("BOOKMARK", 12)
    assert any("were not delivered" in text for text in violations(history))


def test_selected_watch() -> None:
    """A watcher of a label sees objects come into its selection and leave it."""
    history = correct()
    blue = (Seen("ADDED", 3, "ns/b", "w2"), Seen("ADDED", 5, "ns/a", "w3"), _GONE_B, _A3, _GONE_A)
    history.sessions = [
        _session(_A, Seen("DELETED", 5, "ns/a", "w1"), until=5, label="red"),
        _session(*blue, label="blue"),
    ]
    assert violations(history) == []


def test_watch_from_now() -> None:
    """A watch that began between two writes shows the later one and what follows."""
    history = correct()
    history.sessions = [_session(_A2, _GONE_B, _A3, _GONE_A, start=None, invoked=1.8, opened=1.9)]
    assert violations(history) == []


def test_gone_after_compaction() -> None:
    """A watcher whose history was compacted starts anew with a list."""
    history = correct()
    history.compactions = [Compaction(5, 2.6)]
    history.sessions = [_session(_A, Seen("RELISTED", 5), _GONE_B, _A3, _GONE_A, gone=[Gone(2, 2.7)])]
    assert violations(history) == []


def operation(index: int, **changes: object) -> Change:
    """Change one operation."""

    def change(history: History) -> None:
        history.operations[index] = replace(history.operations[index], **changes)  # type: ignore[arg-type]  # test data

    return change


def session(*seen: Seen, until: int = 0, **more: object) -> Change:
    """Replace what the watcher saw."""

    def change(history: History) -> None:
        history.sessions = [_session(*seen, until=until, **more)]  # type: ignore[arg-type]  # test data

    return change


def truth(index: int, **changes: object) -> Change:
    """Change what happened."""

    def change(history: History) -> None:
        history.truth[index] = replace(history.truth[index], **changes)  # type: ignore[arg-type]  # test data

    return change


def extra(*operations: Operation, seen: Seen | None = None) -> Change:
    """Add operations, and another watcher who saw one thing."""

    def change(history: History) -> None:
        history.operations += operations
        if seen is not None:
            history.sessions.append(Session("w2", "ns/", seen.revision - 1, seen=[seen]))

    return change


def another(change: Truth) -> Change:
    """Let something more have happened."""
    return lambda history: history.truth.append(change)


def _list(**more: object) -> Operation:
    found = Operation("c9", Verb.LIST, "ns/", 2.4, 2.5, Outcome.DONE, revision=5, snapshot=_both())
    return replace(found, **more)  # type: ignore[arg-type]  # test data


def _get(observed: Version | None, invoked: float, **more: object) -> Operation:
    found = Operation("c9", Verb.GET, "ns/a", invoked, invoked + 0.02, Outcome.DONE, observed=observed)
    return replace(found, **more)  # type: ignore[arg-type]  # test data


WRITE_FAULTS: dict[str, tuple[Change, str]] = {
    "acknowledged write is lost": (operation(0, revision=4), "no such change"),
    "acknowledged write has other content": (operation(0, tag="w8"), "the truth has 'w1'"),
    "refused write happened": (operation(2, tag="w3"), "was refused"),
    "create of what exists": (operation(4, verb=Verb.CREATE, guard=0), "although the object existed"),
    "update of what does not exist": (operation(0, verb=Verb.UPDATE), "although the object did not exist"),
    "guard was not held": (operation(4, guard=1), "guarded by 1"),
    "guard of a delete was not held": (operation(6, guard=2), "guarded by 2"),
    "revision older than known": (operation(4, invoked=3.15, returned=3.2), "was known before"),
    "unknown write comes before its request": (another(Truth(4, "ns/a", "w4", "w4", "red")), "was known before"),
    "write was applied twice": (another(Truth(10, "ns/a", "w5", "w5", "blue")), "was written twice"),
    "write by nobody": (another(Truth(10, "ns/a", "w77", "w77")), "asked for by nobody"),
    "patch undid another write": (truth(4, base="w1"), "another write was lost"),
    "patch changed the label": (truth(4, label="red"), "another write was lost"),
    "update kept what it should replace": (truth(2, base="w1"), "another write was lost"),
    "delete acknowledged at a write": (operation(10, revision=8), "the truth has 'w5'"),
    "delete without a deletion": (operation(10, guard=5), "no deletion between"),
    "two deletes share a deletion": (
        extra(Operation("c4", Verb.DELETE, "ns/a", 3.75, 3.76, Outcome.DONE)),
        "no deletion between",
    ),
    "deletion by nobody": (operation(6, verb=Verb.GET, outcome=Outcome.UNKNOWN), "which nobody asked for"),
    "refused as existing what did not": (operation(2, key="ns/c"), "without reason"),
    "refused as missing what existed": (operation(2, verb=Verb.UPDATE, refusal=Refusal.MISSING), "without reason"),
    "conflict without a conflict": (
        operation(2, verb=Verb.UPDATE, refusal=Refusal.CONFLICT, guard=2),
        "without reason",
    ),
    "refused for want of a namespace": (operation(2, refusal=Refusal.MISSING), "no namespace"),
}

READ_FAULTS: dict[str, tuple[Change, str]] = {
    "stale get": (operation(3, invoked=2.4, returned=2.5), "not between"),
    "get of the future": (operation(3, observed=Version("w3", 5)), "not between"),
    "get of what never was": (operation(3, observed=Version("w7", 2)), "not between"),
    "deleted object is seen": (operation(7, observed=Version("w2", 3)), "not between"),
    "reads go back": (
        extra(
            _get(None, 1.85, key="ns/b"),
            _get(Version("w2", 3), 1.9, key="ns/b"),
        ),
        "not between",
    ),
    "get after a refusal that knew better": (
        extra(_get(Version("w5", 8), 5.0)),
        "not between",
    ),
    "older than asked for": (
        extra(_get(Version("w1", 2), 2.4, freshness=Freshness.NOT_OLDER, asked=5)),
        "not between",
    ),
    "get older than what a watcher has seen": (
        extra(_get(Version("w1", 2), 2.25, returned=2.27), seen=replace(_A2, at=2.24)),
        "not between",
    ),
    "list misses an object": (operation(5, snapshot={"ns/a": Version("w3", 5)}), "differs from the truth"),
    "list mixes revisions": (operation(5, snapshot={**_both(), "ns/a": Version("w1", 2)}), "differs from the truth"),
    "list shows what is not selected": (operation(5, label="red"), "differs from the truth"),
    "stale list": (
        operation(5, revision=4, snapshot={**_both(), "ns/a": Version("w1", 2)}),
        "was known before",
    ),
    "list of the future": (operation(5, revision=9, snapshot={}), "was written after it"),
    "list older than asked for": (extra(_list(freshness=Freshness.NOT_OLDER, asked=6)), "6 was asked for"),
    "list not exactly as asked for": (extra(_list(freshness=Freshness.EXACT, asked=4)), "not exactly of 4"),
    "list said gone what was not": (
        extra(_list(outcome=Outcome.REFUSED, refusal=Refusal.GONE, asked=5)),
        "was not compacted",
    ),
    "answered ahead of etcd": (extra(_list(revision=13, invoked=8.0, returned=8.1, snapshot={})), "etcd is at 12"),
}

WATCH_FAULTS: dict[str, tuple[Change, str]] = {
    "event is missing": (session(_A, _A2, _GONE_B), "were not delivered"),
    "events are out of order": (session(_B, _A, _A2, _GONE_B), "came after revision"),
    "event comes twice": (session(_A, _B, _A2, _A2, _GONE_B), "delivered twice"),
    "event from before the start": (session(_A, _B, start=2), "came after revision"),
    "bookmark runs ahead": (session(_A, _B, Seen("BOOKMARK", 6), _A2, _GONE_B), "came after a bookmark"),
    "bookmark hides a missing event": (session(_A, _B, _A2, Seen("BOOKMARK", 7)), "were not delivered"),
    "bookmark ahead of etcd": (session(*_EVENTS, Seen("BOOKMARK", 13)), "is ahead of etcd"),
    "wrong type": (session(_A, _B, Seen("ADDED", 5, "ns/a", "w3")), "should have been MODIFIED"),
    "wrong content": (session(_A, Seen("ADDED", 3, "ns/b", "w1")), "should have been ADDED"),
    "event of nothing": (session(_A, _B, Seen("MODIFIED", 4, "ns/a", "w2")), "is not in the truth"),
    "event of what is not selected": (session(_A, _B, label="red"), "is not in what was watched"),
    "object left the selection in silence": (session(_A, Seen("BOOKMARK", 6), label="red"), "were not delivered"),
    "relist loses what followed": (
        session(_A, Seen("RELISTED", 3), Seen("BOOKMARK", 7)),
        "were not delivered",
    ),
    "watcher hears nothing any more": (session(_A, _B, _A2, until=9), "has come to 5 only"),
    "watcher hears nothing at all": (session(until=9), "has come to 1 only"),
    "history said gone was not": (session(*_EVENTS, gone=[Gone(2, 2.0)]), "was not compacted"),
    "watch from now shows the past": (
        session(_B, _A2, start=None, invoked=1.8, opened=1.9),
        "is from before the watch began",
    ),
    "watch from now misses what follows": (
        session(_GONE_B, start=None, invoked=1.8, opened=1.9),
        "is not shown",
    ),
}

FAULTS = {**WRITE_FAULTS, **READ_FAULTS, **WATCH_FAULTS}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found(fault: str) -> None:
    """Each fault put into the correct history is named."""
    history = correct()
    change, words = FAULTS[fault]
    change(history)
    assert any(words in text for text in violations(history)), violations(history)
