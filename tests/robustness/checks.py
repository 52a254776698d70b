"""The guarantees, checked against a finished history. Each check returns what contradicts it, in words.

Writes: an acknowledged one is in the truth at its revision with its content, a refused one is not there and was
refused with reason, guards held, real-time order is revision order, and nothing happened that nobody asked for. Reads:
each saw a state that existed at a revision not older than anything finished before it began, and not younger than
anything begun after it ended. Watches: see `watch_checks`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.robustness.history import History
from tests.robustness.read_checks import check_reads
from tests.robustness.states import States
from tests.robustness.timeline import place
from tests.robustness.watch_checks import WatchChecker
from tests.robustness.write_checks import check_explained, check_writes


def violations(history: History) -> list[str]:
    """Everything that contradicts a guarantee; empty for a correct run."""
    states = States(history.truth)
    placed = place(history.operations, history.sessions, states)
    watches = WatchChecker(states, placed, history.compactions)
    return [
        *history.anomalies,
        *check_writes(placed, states),
        *check_explained(history, placed, states),
        *check_reads(placed, history.compactions, states),
        *(text for session in history.sessions for text in watches.check(session)),
        *_check_revisions(history),
    ]


def _check_revisions(history: History) -> Iterator[str]:
    """Nobody was told of a revision that etcd has never come to."""
    if not history.last_revision:
        return
    for operation in history.operations:
        if operation.revision > history.last_revision:
            yield f"{operation.name} was answered with {operation.revision}, but etcd is at {history.last_revision}"
    for session in history.sessions:
        ahead = [seen for seen in session.seen if seen.revision > history.last_revision]
        if ahead:
            yield f"{session.watcher}: {ahead[0]} is ahead of etcd, which is at {history.last_revision}"
