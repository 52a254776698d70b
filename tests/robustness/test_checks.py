"""The checker itself: it accepts a correct history and finds every kind of fault put into one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.robustness.checks import violations
from tests.robustness.history import History, Operation, Outcome, Seen, Session, Truth, Verb, Version


def correct() -> History:
    """Two keys, written by two clients, read and watched; times are seconds of one clock."""
    truth = [Truth(2, "ns/a", "w1"), Truth(3, "ns/b", "w2"), Truth(5, "ns/a", "w3"), Truth(7, "ns/b", None)]
    operations = [
        Operation("c1", Verb.CREATE, "ns/a", 1.0, 1.1, Outcome.DONE, tag="w1", revision=2),
        Operation("c2", Verb.CREATE, "ns/b", 1.2, 1.3, Outcome.DONE, tag="w2", revision=3),
        Operation("c1", Verb.CREATE, "ns/a", 1.4, 1.5, Outcome.REFUSED, tag="w9", detail="exists"),
        Operation("c2", Verb.GET, "ns/a", 1.6, 1.7, Outcome.DONE, observed=Version("w1", 2)),
        Operation("c1", Verb.UPDATE, "ns/a", 2.0, 2.3, Outcome.DONE, tag="w3", guard=2, revision=5),
        Operation("c2", Verb.LIST, "ns/", 2.4, 2.5, Outcome.DONE, revision=5, snapshot=_both()),
        Operation("c2", Verb.DELETE, "ns/b", 3.0, 3.1, Outcome.DONE, guard=3, revision=7),
        Operation("c1", Verb.GET, "ns/b", 3.2, 3.3, Outcome.DONE),
        Operation("c1", Verb.UPDATE, "ns/a", 4.0, 4.5, Outcome.UNKNOWN, tag="w4"),
    ]
    seen = [
        Seen("ADDED", 2, "ns/a", "w1"),
        Seen("ADDED", 3, "ns/b", "w2"),
        Seen("BOOKMARK", 4),
        Seen("MODIFIED", 5, "ns/a", "w3"),
        Seen("DELETED", 7, "ns/b", "w2"),
        Seen("BOOKMARK", 7),
    ]
    return History(operations, [Session("w", "ns/", 1, seen)], truth)


def _both() -> dict[str, Version]:
    return {"ns/a": Version("w3", 5), "ns/b": Version("w2", 3)}


def test_correct_history_is_accepted() -> None:
    """A history that keeps every promise has no violation."""
    assert violations(correct()) == []


def test_unknown_write_may_have_happened() -> None:
    """A write without an answer may be in the truth."""
    history = correct()
    history.truth.append(Truth(9, "ns/a", "w4"))
    assert violations(history) == []


def operation(index: int, **changes: object) -> Callable[[History], None]:
    """Change one operation."""

    def change(history: History) -> None:
        history.operations[index] = replace(history.operations[index], **changes)  # type: ignore[arg-type]  # test data

    return change


def session(*seen: Seen, start: int = 1) -> Callable[[History], None]:
    """Replace what the watcher saw."""

    def change(history: History) -> None:
        history.sessions[0] = Session("w", "ns/", start, list(seen))

    return change


_A, _B = Seen("ADDED", 2, "ns/a", "w1"), Seen("ADDED", 3, "ns/b", "w2")
_A2, _GONE = Seen("MODIFIED", 5, "ns/a", "w3"), Seen("DELETED", 7, "ns/b", "w2")

FAULTS: dict[str, tuple[Callable[[History], None], str]] = {
    "acknowledged write is lost": (operation(0, revision=4), "no such change"),
    "acknowledged write has other content": (operation(0, tag="w8"), "the truth has 'w1'"),
    "refused write happened": (operation(2, tag="w3"), "was refused"),
    "create of what exists": (
        operation(4, verb=Verb.CREATE, guard=0),
        "although the object existed",
    ),
    "guard was not held": (operation(4, guard=1), "guarded by 1"),
    "revision older than known": (operation(4, invoked=3.15, returned=3.2), "was known before"),
    "stale get": (operation(3, invoked=2.4, returned=2.5), "not between"),
    "get of the future": (operation(3, observed=Version("w3", 5)), "not between"),
    "get of what never was": (operation(3, observed=Version("w7", 2)), "not between"),
    "deleted object is seen": (operation(7, observed=Version("w2", 3)), "not between"),
    "list misses an object": (operation(5, snapshot={"ns/a": Version("w3", 5)}), "differs from the truth"),
    "list mixes revisions": (
        operation(5, snapshot={**_both(), "ns/a": Version("w1", 2)}),
        "differs from the truth",
    ),
    "stale list": (
        operation(5, revision=4, snapshot={**_both(), "ns/a": Version("w1", 2)}),
        "was known before",
    ),
    "event is missing": (session(_A, _A2, _GONE), "were not delivered"),
    "events are out of order": (session(_B, _A, _A2, _GONE), "came after revision"),
    "event comes twice": (session(_A, _B, _A2, _A2, _GONE), "delivered twice"),
    "event from before the start": (session(_A, _B, start=2), "came after revision"),
    "bookmark runs ahead": (session(_A, _B, Seen("BOOKMARK", 6), _A2, _GONE), "came after a bookmark"),
    "bookmark hides a missing event": (session(_A, _B, _A2, Seen("BOOKMARK", 7)), "were not delivered"),
    "wrong type": (session(_A, _B, Seen("ADDED", 5, "ns/a", "w3")), "should have been MODIFIED"),
    "wrong content": (session(_A, Seen("ADDED", 3, "ns/b", "w1")), "should have been ADDED"),
    "event of nothing": (session(_A, _B, Seen("MODIFIED", 4, "ns/a", "w2")), "is not in the truth"),
    "relist loses what followed": (
        session(_A, Seen("RELISTED", 3), Seen("BOOKMARK", 7)),
        "were not delivered",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found(fault: str) -> None:
    """Each fault put into the correct history is named."""
    history = correct()
    change, words = FAULTS[fault]
    change(history)
    assert any(words in text for text in violations(history)), violations(history)
