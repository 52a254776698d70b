"""Where pods wait. Every waiting pod is in exactly one of four places.

    active          to be tried, the highest priority first, then who has waited longest
    backoff         tried in vain a moment ago; active again when the time is over
    unschedulable   fits nowhere; tried again when something changes that can help, or after five minutes
    gated           not to be scheduled yet, as its spec says

The queue is bounded by the number of pods that wait. Times are those of one clock that only goes forward.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple

from kubewire.client.objects import ObjectKey
from kubewire.scheduler.pods.pod import PodInfo
from kubewire.scheduler.queue.hints import Change, can_help


class Place(Enum):
    """Where a pod waits; the values are Kubernetes' labels of `scheduler_pending_pods`."""

    ACTIVE = "active"
    BACKOFF = "backoff"
    UNSCHEDULABLE = "unschedulable"
    GATED = "gated"


@dataclass(frozen=True, slots=True)
class QueueTimes:
    """How long pods wait; Kubernetes' defaults."""

    backoff_first_seconds: float = 1.0
    backoff_limit_seconds: float = 10.0
    unschedulable_seconds: float = 300.0


@dataclass(slots=True, eq=False)
class Waiting:
    """A pod that waits.

    Attributes:
        since: when it came into the queue first.
        attempts: how often it was tried.
        changed_at: when it came to its present place.
        refusing: the plugins that refused it at the last attempt.
        message: what they said.
        ready_at: the end of its backoff.
        turn: which of its entries in heaps counts; others are leftovers.
    """

    pod: PodInfo
    since: float
    place: Place = Place.ACTIVE
    attempts: int = 0
    changed_at: float = 0.0
    ready_at: float = 0.0
    refusing: frozenset[str] = frozenset()
    message: str = ""
    turn: int = field(default=0)


class _Entry(NamedTuple):
    """One entry of a heap. `rank` orders it: by priority and time, or by the end of the backoff."""

    rank: tuple[float, float, int]
    key: ObjectKey
    turn: int


_NEVER: Final = float("inf")


class SchedulingQueue:
    """Pods that wait, by key."""

    def __init__(self, times: QueueTimes = QueueTimes()) -> None:
        self._times = times
        self._waiting: dict[ObjectKey, Waiting] = {}
        self._active: list[_Entry] = []
        self._backoff: list[_Entry] = []
        self._counts = dict.fromkeys(Place, 0)
        self._turns = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._waiting.values())

    @property
    def counts(self) -> Mapping[Place, int]:
        """How many pods wait where."""
        return self._counts

    @property
    def is_idle(self) -> bool:
        """Whether no pod is to be tried now."""
        return not self._counts[Place.ACTIVE]

    def refused(self) -> Mapping[str, int]:
        """How many unschedulable pods each plugin refused."""
        unschedulable = (known for known in self._waiting.values() if known.place is Place.UNSCHEDULABLE)
        return Counter(plugin for known in unschedulable for plugin in known.refusing)

    def get(self, key: ObjectKey) -> Waiting | None:
        """A pod that waits."""
        return self._waiting.get(key)

    def put(self, pod: PodInfo, now: float) -> Place:
        """A pod is to be scheduled, or changed while it waits; a change has it tried at once."""
        known = self._waiting.get(pod.key)
        if known is not None and known.pod.uid != pod.uid:
            self.remove(pod.key)
            known = None
        if known is None:
            known = self._waiting[pod.key] = Waiting(pod, now)
            self._counts[Place.ACTIVE] += 1
        elif _is_unchanged(known.pod, pod):
            known.pod = pod
            return known.place
        known.pod = pod
        if pod.gates:
            self._move(known, Place.GATED, now)
        else:
            self._try_again(known, now)
        return known.place

    def put_back(self, waiting: Waiting, now: float, refusing: frozenset[str], message: str) -> None:
        """A pod was tried and fits nowhere."""
        waiting.refusing, waiting.message = refusing, message
        self._return(waiting, now)
        self._move(waiting, Place.UNSCHEDULABLE, now)

    def put_back_later(self, waiting: Waiting, now: float) -> None:
        """A pod was tried and something went wrong that may pass: it is tried again after its backoff."""
        waiting.refusing, waiting.message = frozenset(), ""
        self._return(waiting, now)
        self._try_again(waiting, now)

    def remove(self, key: ObjectKey) -> Waiting | None:
        """A pod is gone, or bound."""
        known = self._waiting.pop(key, None)
        if known is not None:
            self._counts[known.place] -= 1
        return known

    def pop(self, now: float) -> Waiting | None:
        """The pod to try now, which is in the queue no more; None: none is."""
        self._end_backoffs(now)
        while self._active:
            entry = heapq.heappop(self._active)
            known = self._waiting.get(entry.key)
            if known is not None and known.turn == entry.turn:
                self.remove(entry.key)
                known.attempts += 1
                return known
        return None

    def changed(self, changes: frozenset[Change], now: float) -> int:
        """Have pods tried again that a change may help; returns how many."""
        helped = [
            known
            for known in self._waiting.values()
            if known.place is Place.UNSCHEDULABLE and can_help(known.refusing, changes)
        ]
        for known in helped:
            self._try_again(known, now)
        return len(helped)

    def flush(self, now: float) -> int:
        """Have pods tried again that have been unschedulable for long, whatever happened; returns how many."""
        until = now - self._times.unschedulable_seconds
        late = [
            known
            for known in self._waiting.values()
            if known.place is Place.UNSCHEDULABLE and known.changed_at <= until
        ]
        for known in late:
            self._try_again(known, now)
        return len(late)

    def next_time(self) -> float:
        """When a backoff ends next; infinite if none runs."""
        self._drop_leftovers(self._backoff)
        return self._backoff[0].rank[0] if self._backoff else _NEVER

    def backoff_seconds(self, attempts: int) -> float:
        """How long a pod waits after so many attempts: doubled each time, up to a limit."""
        if attempts <= 0:
            return 0.0
        return min(self._times.backoff_first_seconds * 2.0 ** min(attempts - 1, 30), self._times.backoff_limit_seconds)

    def _return(self, waiting: Waiting, now: float) -> None:
        """A pod that was taken is in the queue again; its backoff counts from now."""
        known = self._waiting.get(waiting.pod.key)
        if known is not None:
            self.remove(waiting.pod.key)
        self._waiting[waiting.pod.key] = waiting
        self._counts[waiting.place] += 1
        waiting.ready_at = now + self.backoff_seconds(waiting.attempts)

    def _try_again(self, waiting: Waiting, now: float) -> None:
        self._move(waiting, Place.BACKOFF if waiting.ready_at > now else Place.ACTIVE, now)

    def _end_backoffs(self, now: float) -> None:
        while self.next_time() <= now:
            self._move(self._waiting[heapq.heappop(self._backoff).key], Place.ACTIVE, now)

    def _move(self, waiting: Waiting, place: Place, now: float) -> None:
        self._counts[waiting.place] -= 1
        self._counts[place] += 1
        waiting.place, waiting.changed_at = place, now
        self._turns += 1
        waiting.turn = self._turns
        key = waiting.pod.key
        if place is Place.ACTIVE:
            heapq.heappush(self._active, _Entry((-waiting.pod.priority, now, self._turns), key, waiting.turn))
        elif place is Place.BACKOFF:
            heapq.heappush(self._backoff, _Entry((waiting.ready_at, now, self._turns), key, waiting.turn))

    def _drop_leftovers(self, heap: list[_Entry]) -> None:
        """Take entries off the top that count no more."""
        while heap:
            known = self._waiting.get(heap[0].key)
            if known is not None and known.turn == heap[0].turn:
                return
            heapq.heappop(heap)


def _is_unchanged(known: PodInfo, pod: PodInfo) -> bool:
    """Whether a change of a waiting pod decides nothing."""
    return known.shape is pod.shape and known.gates == pod.gates and known.priority == pod.priority
