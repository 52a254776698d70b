"""Writes decisions as `core/v1` Events: those of a burst in one batch call, counts of what is there by patches."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

from kubewire.api.core.v1.event_pb2 import Event
from kubewire.client.client import Client
from kubewire.client.events.correlator import COMBINED, Decision
from kubewire.client.resources.following import is_passing
from kubewire.client.resources.options import View
from kubewire.machinery.errors import Reason, StatusError
from kubewire.machinery.json_value import JsonObject

PATCHES_AT_MOST: Final = 8
"""Counts that are under way at once: there is no batch of patches."""

DEFAULT_NAMESPACE: Final = "default"
"""Where events about cluster-scoped objects stand."""

Outcome: TypeAlias = "str | StatusError"
"""The name of the Event that tells of a decision, or why there is none."""


@dataclass(slots=True)
class Telling:
    """A decision on its way to the server; its Event keeps its name from one try to the next, so as to exist once."""

    decision: Decision
    event: Event | None = None


class EventWriter:
    """Tries each telling once a call; whether to try again is the caller's to decide."""

    def __init__(self, client: Client, component: str, host: str) -> None:
        self._events = client.resource(Event)
        self._component = component
        self._host = host
        self._last_stamp = 0

    async def write(self, tellings: Sequence[Telling]) -> list[Outcome]:
        """What becomes of each, in order."""
        outcomes: dict[int, Outcome] = {}
        counted = [place for place, one in enumerate(tellings) if one.decision.series.name]
        if counted:
            await self._count(tellings, counted, outcomes)
        new = [place for place in range(len(tellings)) if place not in outcomes]
        created = await self._create([self._event(tellings[place]) for place in new])
        outcomes.update(zip(new, created, strict=True))
        return [outcomes[place] for place in range(len(tellings))]

    async def _count(self, tellings: Sequence[Telling], places: Sequence[int], outcomes: dict[int, Outcome]) -> None:
        """Count up Events that are there; what has expired gets no outcome: its series goes on under a new name."""
        room = asyncio.Semaphore(PATCHES_AT_MOST)

        async def count(place: int) -> None:
            decision = tellings[place].decision
            events = self._events.in_namespace(_namespace_of(decision))
            try:
                async with room:
                    await events.patch(decision.series.name, _count_of(decision))
            except StatusError as error:
                if error.reason != Reason.NOT_FOUND:
                    outcomes[place] = error
            else:
                outcomes[place] = decision.series.name

        async with asyncio.TaskGroup() as group:
            for place in places:
                group.create_task(count(place))

    async def _create(self, events: Sequence[Event]) -> list[Outcome]:
        try:
            results = await self._events.create_many(events, view=View.NONE)
        except StatusError as error:
            if len(events) == 1 or is_passing(error):
                return [error] * len(events)
            # The call was refused for what is wrong with one of them, it may be.
            return [outcome for event in events for outcome in await self._create([event])]
        errors = [result.error for result in results]
        return [
            event.metadata.name if error is None or error.reason == Reason.ALREADY_EXISTS else error
            for event, error in zip(events, errors, strict=True)
        ]

    def _event(self, telling: Telling) -> Event:
        if telling.event is None:
            telling.event = self._made(telling.decision)
        return telling.event

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
