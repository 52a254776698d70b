"""Writes what happened as `core/v1` Events, beside the work and never in its way."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from kubewire.api.core.v1.event_pb2 import Event
from kubewire.client import log
from kubewire.client.backoff import Backoff
from kubewire.client.client import Client
from kubewire.client.events.correlator import COMBINED, Correlator, Decision
from kubewire.client.events.occurrence import NORMAL, WARNING, Occurrence, Subject, subject_of
from kubewire.client.objects import ApiObject
from kubewire.client.resources.following import is_passing
from kubewire.machinery.errors import Reason, StatusError
from kubewire.machinery.json_value import JsonObject

_LOG: Final = logging.getLogger(f"{log.NAME}.events")

QUEUE_AT_MOST: Final = 1000
"""Occurrences that wait to be written; beyond, the oldest is dropped and counted."""

TRIES_AT_MOST: Final = 12
RETRY_FIRST_SECONDS: Final = 0.5
RETRY_LIMIT_SECONDS: Final = 10.0
"""A server that is away for about a minute and a half costs no event."""

DEFAULT_NAMESPACE: Final = "default"
"""Where events about cluster-scoped objects stand."""


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
        self._events = client.resource(Event)
        self._component = component
        self._host = host
        self._wall_clock = wall_clock
        self._correlator = Correlator()
        self._waiting: deque[Occurrence] = deque()
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._last_stamp = 0

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
                await self._tell(self._waiting.popleft())
            self._idle.set()
            self._arrived.clear()
            await self._arrived.wait()

    async def flush(self) -> None:
        """Return when everything that happened until now is written; `run` must be running."""
        await self._idle.wait()

    async def _tell(self, occurrence: Occurrence) -> None:
        decision = self._correlator.decide(occurrence)
        if decision is None:
            return
        backoff = Backoff(RETRY_FIRST_SECONDS, RETRY_LIMIT_SECONDS)
        for _ in range(TRIES_AT_MOST):
            try:
                self._correlator.written(decision, await self._write(decision))
            except StatusError as error:
                if not is_passing(error):
                    self._drop(occurrence, error)
                    return
                await asyncio.sleep(backoff.next())
            else:
                return
        self._drop(occurrence, None)

    async def _write(self, decision: Decision) -> str:
        """Write once; returns the Event's name."""
        name = decision.series.name
        if name:
            events = self._events.in_namespace(_namespace_of(decision))
            try:
                return (await events.patch(name, _count_of(decision))).metadata.name
            except StatusError as error:
                if error.reason != Reason.NOT_FOUND:
                    raise
                # Events expire; the series goes on under a new name.
        return (await self._events.create(self._made(decision))).metadata.name

    def _made(self, decision: Decision) -> Event:
        occurrence, series = decision.occurrence, decision.series
        event = Event(
            involvedObject=occurrence.subject.to_message(),
            type=occurrence.type,
            reason=occurrence.reason,
            message=occurrence.message,
            count=series.count,
            reportingComponent=self._component,
            reportingInstance=self._host,
        )
        event.metadata.name = f"{occurrence.subject.name}.{self._stamp(occurrence.at):x}"
        event.metadata.namespace = _namespace_of(decision)
        event.source.component, event.source.host = self._component, self._host
        event.firstTimestamp.seconds = int(series.first_at)
        event.lastTimestamp.seconds = int(occurrence.at)
        return event

    def _stamp(self, at: float) -> int:
        """Nanoseconds for a name; never the same twice."""
        self._last_stamp = max(self._last_stamp + 1, int(at * 1e9))
        return self._last_stamp

    def _drop(self, occurrence: Occurrence, error: StatusError | None) -> None:
        self.dropped += 1
        why = "the server could not be reached" if error is None else str(error)
        about = f"{occurrence.subject.kind} {occurrence.subject.namespace}/{occurrence.subject.name}"
        _LOG.info("event not written", extra=log.keys(about=about, reason=occurrence.reason, why=why))


def _namespace_of(decision: Decision) -> str:
    return decision.occurrence.subject.namespace or DEFAULT_NAMESPACE


def _count_of(decision: Decision) -> JsonObject:
    """A merge patch: how often, when last, and the last message of combined ones."""
    occurrence = decision.occurrence
    last = datetime.fromtimestamp(int(occurrence.at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    patch: JsonObject = {"count": decision.series.count, "lastTimestamp": last}
    if occurrence.message.startswith(COMBINED):
        patch["message"] = occurrence.message
    return patch
