"""What `resourceVersion` and `resourceVersionMatch` ask of a read, as Kubernetes' tables have it."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple


class Freshness(Enum):
    """How new an answer must be."""

    LATEST = auto()
    """Linearizable: not older than any write confirmed before the request."""
    ANY = auto()
    """Whatever the cache has."""
    NOT_OLDER = auto()
    """At least the revision named."""
    EXACT = auto()
    """The revision named and no other."""


class ReadAt(NamedTuple):
    """How new an answer must be, and the revision that is about."""

    freshness: Freshness
    revision: int = 0


LATEST = ReadAt(Freshness.LATEST)
ANY = ReadAt(Freshness.ANY)


def read_at(revision: int | None, match: str = "", *, is_limited: bool = False) -> ReadAt:
    """What a request asks for: `revision` None if it names none; `match` is "", "Exact" or "NotOlderThan".

    A limited list of a version is of exactly that one unless it says otherwise: so it was before
    `resourceVersionMatch` existed. Combinations that Kubernetes refuses are the caller's to refuse.
    """
    if revision is None:
        return LATEST
    if match == "Exact" or (not match and is_limited and revision):
        return ReadAt(Freshness.EXACT, revision)
    return ReadAt(Freshness.NOT_OLDER, revision) if revision else ANY
