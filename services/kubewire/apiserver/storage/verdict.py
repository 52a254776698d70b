"""Deciding what became of a write whose answer was lost, from the first write of its key after the guard's revision.

A guard on a revision can hold only until the key is written again, so that first write is the only one that can be
ours, and once it is somebody else's ours can never happen any more.
"""

from __future__ import annotations

from enum import Enum, auto

from kubewire.apiserver.storage.store import Change


class Verdict(Enum):
    """What the history of a key says about a lost write."""

    DONE = auto()
    NOT_DONE = auto()
    NOT_PROVABLE = auto()


def judge(value: bytes | None, first: Change) -> Verdict:
    """Whether `first` is the guarded write of `value` (None: a deletion).

    A deletion carries nothing that tells who deleted, so it proves nothing. Equal bytes count as ours: objects
    carry their writer and time, and whoever wrote the same bytes over the same revision asked for the same thing.
    """
    if value != first.value:
        return Verdict.NOT_DONE
    return Verdict.NOT_PROVABLE if value is None else Verdict.DONE
