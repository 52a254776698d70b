"""What a watcher was promised: its events are ordered, unique and complete, over all resumptions.

Ordered: revisions never go back (one revision may delete several keys, when a lease expires). Unique: no change is
delivered twice. Reliable: up to the last revision it saw, every change of its selection was delivered, and in the end
everything was. Resumable: history is only said to be gone when it is. Bookmarkable: after a bookmark at a revision,
nothing at or below it arrives any more, and everything below it has arrived.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.robustness.history import NOWHERE, Compaction, Outcome, Seen, Session
from tests.robustness.read_checks import is_gone
from tests.robustness.states import States
from tests.robustness.timeline import Placed

BOOKMARK = "BOOKMARK"
RELISTED = "RELISTED"


class WatchChecker:
    """Checks sessions against one truth."""

    def __init__(self, states: States, placed: Sequence[Placed], compactions: Sequence[Compaction]) -> None:
        self._states = states
        self._placed = placed
        self._compactions = compactions

    def check(self, session: Session) -> Iterator[str]:
        """Contradictions in one session, in words."""
        yield from (f"{session.watcher}: {text}" for text in self._check(session))

    def _check(self, session: Session) -> Iterator[str]:
        for gone in session.gone:
            if not is_gone(gone.revision, gone.at, self._compactions):
                yield f"was told that history after {gone.revision} is gone, which was not compacted"
        start = session.start
        if start is None:
            start, problems = self._start_of(session)
            yield from problems
        for begin, part in _parts(start, session.seen):
            yield from self._check_part(session, begin, part)
        last = max((seen.revision for seen in session.seen), default=start)
        if last < session.until:
            yield f"has come to {last} only, and everything up to {session.until} should have arrived"

    def _start_of(self, session: Session) -> tuple[int, list[str]]:
        """Where a watch began that began at its own moment.

        What was known before it was asked for does not belong to it, what was written after it was open does.
        """
        floor = _known_before(session.invoked, self._placed)
        ceiling = _begun_after(session.opened, self._placed)
        first = next((seen for seen in session.seen if seen.type != RELISTED), None)
        if first is None:
            return floor, []
        start = first.revision - (first.type != BOOKMARK)
        late = [
            change
            for change in self._states.between(session.prefix, max(floor, ceiling - 1), start)
            if self._states.view(change, session.label) is not None
        ]
        problems = [f"{late[0]} was written after the watch was open and is not shown"] if late else []
        if first.type != BOOKMARK and first.revision <= floor:
            problems.append(f"{first} is from before the watch began, when {floor} was known")
        return start, problems

    def _check_part(self, session: Session, start: int, part: Sequence[Seen]) -> Iterator[str]:
        if not part:
            return
        yield from _check_order(start, part)
        places = Counter(_place(seen) for seen in part if seen.type != BOOKMARK)
        twice = [place for place, times in places.items() if times > 1]
        if twice:
            yield f"delivered twice: {twice[:3]}"
        yield from self._check_content(session, start, part)

    def _check_content(self, session: Session, start: int, part: Sequence[Seen]) -> Iterator[str]:
        """Each event says what the truth says, and none is missing."""
        last = max(seen.revision for seen in part)
        changes = self._states.between(session.prefix, start, last)
        views = (self._states.view(change, session.label) for change in changes)
        wanted = {_place(view): view for view in views if view is not None}
        delivered = {_place(seen) for seen in part if seen.type != BOOKMARK}
        for seen in part:
            if seen.type != BOOKMARK and seen.revision > start and wanted.get(_place(seen)) != seen:
                yield self._explain(seen, wanted.get(_place(seen)))
        # The last revision may be one of several changes, of which the rest had not arrived when the watch ended.
        complete = last if part[-1].type == BOOKMARK else last - 1
        missing = [view for place, view in wanted.items() if place[0] <= complete and place not in delivered]
        if missing:
            yield f"{len(missing)} changes were not delivered, the first: {missing[0]} (watched {start} to {last})"

    def _explain(self, seen: Seen, wanted: Seen | None) -> str:
        if wanted is not None:
            return f"{seen} should have been {wanted.type} with {wanted.tag!r}"
        if (seen.key, seen.revision) in self._states.by_key_revision:
            return f"{seen} is not in what was watched"
        return f"{seen} is not in the truth"


def _place(seen: Seen) -> tuple[int, str]:
    return seen.revision, seen.key


def _parts(start: int, seen: Sequence[Seen]) -> Iterator[tuple[int, list[Seen]]]:
    """Pieces that must each be complete: from the start, and from each relist."""
    part = list[Seen]()
    for each in seen:
        if each.type == RELISTED:
            yield start, part
            start, part = each.revision, []
        else:
            part.append(each)
    yield start, part


def _check_order(start: int, part: Sequence[Seen]) -> Iterator[str]:
    before, bookmark = start, 0
    for seen in part:
        if seen.revision < before or (seen.type != BOOKMARK and seen.revision <= start):
            yield f"{seen} came after revision {before}"
        before = max(before, seen.revision)
        if seen.type == BOOKMARK:
            bookmark = seen.revision
        elif seen.revision <= bookmark:
            yield f"{seen} came after a bookmark of revision {bookmark}"


def _known_before(moment: float, placed: Sequence[Placed]) -> int:
    return max(
        (
            each.revision
            for each in placed
            if each.revision is not None
            and each.operation.outcome is not Outcome.UNKNOWN
            and each.operation.returned < moment
        ),
        default=0,
    )


def _begun_after(moment: float, placed: Sequence[Placed]) -> int:
    return min(
        (
            each.revision
            for each in placed
            if each.revision is not None
            and each.operation.is_write
            and each.operation.outcome is not Outcome.REFUSED
            and each.operation.invoked > moment
        ),
        default=NOWHERE,
    )
