"""Tells people what happened, beside the work and never in its way: what waits is written in batches."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from kubewire.client import log
from kubewire.client.backoff import Backoff
from kubewire.client.client import Client
from kubewire.client.events.correlator import Correlator, Decision, Key
from kubewire.client.events.occurrence import NORMAL, WARNING, Occurrence, Subject, subject_of
from kubewire.client.events.writer import EventWriter, Telling
from kubewire.client.objects import ApiObject
from kubewire.client.resources.following import is_passing
from kubewire.machinery.errors import StatusError

_LOG: Final = logging.getLogger(f"{log.NAME}.events")

QUEUE_AT_MOST: Final = 5000
"""Occurrences that wait to be written, about 2 MB; beyond, the oldest is dropped and counted."""

BATCH_AT_MOST: Final = 250
"""Events in one call: larger ones gain nothing, and a server does them at the cost of other callers' waiting."""

TRIES_AT_MOST: Final = 12
RETRY_FIRST_SECONDS: Final = 0.5
RETRY_LIMIT_SECONDS: Final = 10.0
"""A server that is away for about a minute and a half costs no event."""


class EventRecorder:
    """Tells people what happened. `event` returns at once; `run` writes, in a TaskGroup of its owner's.

    Attributes:
        dropped: occurrences that were never written because too many waited or the server refused them.
    """

    def __init__(
        self,
        client: Client,
        component: str,
        host: str = "",
        *,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.dropped = 0
        self._wall_clock = wall_clock
        self._correlator = Correlator()
        self._writer = EventWriter(client, component, host)
        self._waiting: deque[Occurrence] = deque()
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def normal(self, about: ApiObject | Subject, reason: str, message: str) -> None:
        """Something went as it should: `recorder.normal(pod, "Scheduled", "assigned to n1")`."""
        self.event(about, NORMAL, reason, message)

    def warning(self, about: ApiObject | Subject, reason: str, message: str) -> None:
        """Something did not."""
        self.event(about, WARNING, reason, message)

    def event(self, about: ApiObject | Subject, type: str, reason: str, message: str) -> None:
        """Have an occurrence written; the same again, and many alike, are told by a count."""
        subject = about if isinstance(about, Subject) else subject_of(about)
        if len(self._waiting) == QUEUE_AT_MOST:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(Occurrence(subject, type, reason, message, self._wall_clock()))
        self._arrived.set()
        self._idle.clear()

    async def run(self) -> None:
        """Write what happens until cancelled; what waits then is lost, see `flush`."""
        while True:
            while self._waiting:
                await self._tell(self._decided())
            self._idle.set()
            self._arrived.clear()
            await self._arrived.wait()

    async def flush(self) -> None:
        """Return when everything that happened until now is written; `run` must be running."""
        await self._idle.wait()

    def _decided(self) -> Sequence[Decision]:
        """What is written next: of each series the last decision, which tells of those before it."""
        decisions: dict[Key, Decision] = {}
        while self._waiting and len(decisions) < BATCH_AT_MOST:
            decision = self._correlator.decide(self._waiting.popleft())
            if decision is not None:
                decisions[decision.key] = decision
        return list(decisions.values())

    async def _tell(self, decisions: Sequence[Decision]) -> None:
        """Write a batch; those that the server could not take yet are tried again."""
        left = [Telling(decision) for decision in decisions]
        backoff = Backoff(RETRY_FIRST_SECONDS, RETRY_LIMIT_SECONDS)
        for _ in range(TRIES_AT_MOST):
            left = await self._try(left)
            if not left:
                return
            await asyncio.sleep(backoff.next())
        for telling in left:
            self._drop(telling.decision.occurrence, None)

    async def _try(self, tellings: Sequence[Telling]) -> list[Telling]:
        """Write them once; returns those to try again."""
        left = []
        for telling, outcome in zip(tellings, await self._writer.write(tellings), strict=True):
            if isinstance(outcome, str):
                self._correlator.written(telling.decision, outcome)
            elif is_passing(outcome):
                left.append(telling)
            else:
                self._drop(telling.decision.occurrence, outcome)
        return left

    def _drop(self, occurrence: Occurrence, error: StatusError | None) -> None:
        self.dropped += 1
        why = "the server could not be reached" if error is None else str(error)
        about = f"{occurrence.subject.kind} {occurrence.subject.namespace}/{occurrence.subject.name}"
        _LOG.info("event not written", extra=log.keys(about=about, reason=occurrence.reason, why=why))
