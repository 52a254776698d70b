"""What a watcher was promised: its events are ordered, unique and complete, over all resumptions.

Ordered: revisions never go back (one revision may delete several keys, when a lease expires). Unique: no change is
delivered twice. Reliable: up to the last revision it saw, every change of its selection was delivered. Bookmarkable:
after a bookmark at a revision, nothing at or below it arrives any more, and everything below it has arrived.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.robustness.history import Seen, Session
from tests.robustness.states import States


def check_session(session: Session, states: States) -> Iterator[str]:
    """Contradictions in one session, cut at each relist."""
    for start, part in _parts(session):
        yield from (f"{session.watcher}: {text}" for text in _check_part(session.prefix, start, part, states))


def _parts(session: Session) -> Iterator[tuple[int, list[Seen]]]:
    """Pieces that must each be complete: from the start, and from each relist."""
    start, part = session.start, list[Seen]()
    for seen in session.seen:
        if seen.type == "RELISTED":
            yield start, part
            start, part = seen.revision, []
        else:
            part.append(seen)
    yield start, part


def _check_part(prefix: str, start: int, part: list[Seen], states: States) -> Iterator[str]:
    if not part:
        return
    yield from _check_order(start, part)
    delivered = [(seen.revision, seen.key) for seen in part if seen.type != "BOOKMARK"]
    if len(set(delivered)) != len(delivered):
        twice = sorted({item for item in delivered if delivered.count(item) > 1})
        yield f"delivered twice: {twice[:3]}"
    last = max(seen.revision for seen in part)
    # The last revision may be one of several changes, of which the rest had not arrived when the run ended.
    complete = last if part[-1].type == "BOOKMARK" else last - 1
    truth = states.between(prefix, start, last)
    missing = [
        change
        for change in truth
        if change.revision <= complete and (change.revision, change.key) not in set(delivered)
    ]
    if missing:
        yield f"{len(missing)} changes were not delivered, the first: {missing[0]} (watched {start} to {last})"
    for seen in part:
        yield from _check_content(seen, states)


def _check_order(start: int, part: list[Seen]) -> Iterator[str]:
    before = start
    for seen in part:
        went_back = seen.revision < before
        if went_back or (seen.type != "BOOKMARK" and seen.revision <= start):
            yield f"{seen} came after revision {before}"
        before = max(before, seen.revision)
    bookmark = 0
    for seen in part:
        if seen.type == "BOOKMARK":
            bookmark = seen.revision
        elif seen.revision <= bookmark:
            yield f"{seen} came after a bookmark of revision {bookmark}"


def _check_content(seen: Seen, states: States) -> Iterator[str]:
    """An event says what the truth says, with the right type."""
    if seen.type == "BOOKMARK":
        return
    change = states.by_key_revision.get((seen.key, seen.revision))
    if change is None:
        yield f"{seen} is not in the truth"
        return
    existed = states.at(seen.key, seen.revision - 1)
    if change.tag is None:
        wanted, tag = "DELETED", existed.tag if existed else ""
    else:
        wanted, tag = ("MODIFIED" if existed else "ADDED"), change.tag
    if (seen.type, seen.tag) != (wanted, tag):
        yield f"{seen} should have been {wanted} with {tag!r}"
