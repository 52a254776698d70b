"""Putting a watch's answers back together so that every revision arrives whole.

With `fragment`, etcd cuts an answer over its size limit anywhere, between two changes of one revision too. An answer
that is not marked as a fragment ends on a whole revision; within fragments a revision is known to be whole once a
change of a later one follows it.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubewire.etcd.kv_pb2 import Event


class RevisionAssembler:
    """Holds back the last revision of a fragment until the rest of it is there.

    Invariant: all held changes are of one revision, the newest one received.
    """

    def __init__(self) -> None:
        self._held: list[Event] = []

    def add(self, events: Sequence[Event], *, is_fragment: bool) -> list[Event]:
        """Changes that are complete now, in order; `events` is one answer's, `is_fragment` its mark."""
        joined = [*self._held, *events] if self._held else list(events)
        if not is_fragment or not joined:
            self._held = []
            return joined
        last = joined[-1].kv.mod_revision
        cut = len(joined)
        while cut and joined[cut - 1].kv.mod_revision == last:
            cut -= 1
        self._held = joined[cut:]
        return joined[:cut]
