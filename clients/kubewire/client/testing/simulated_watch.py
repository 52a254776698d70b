"""Watches of a simulated API server: what a change means for a selection, and the stream of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from typing import Any, Final

from kubewire.api.meta.v1.options_pb2 import ListOptions
from kubewire.client.resources.results import INITIAL_EVENTS_END
from kubewire.client.testing.asked import Asked
from kubewire.client.testing.link import Link, unavailable
from kubewire.client.testing.selecting import matcher
from kubewire.client.testing.shelf import Change, Shelf
from kubewire.client.testing.simulated_objects import SimulatedObjects
from kubewire.machinery import errors
from kubewire.machinery.messages import message_class
from kubewire.rpc.v1.raw_responses_pb2 import RawEvents

Object = Any
"""A message of any kind."""

EVENTS_AT_MOST: Final = 500
"""In one message of a stream."""

_SECONDS_AT_MOST: Final = 3600


class SimulatedWatch:
    """One watch; `run` is its stream.

    Raises:
        StatusError: 410, its start is not known any more; 400, its selectors are malformed.
    """

    def __init__(self, objects: SimulatedObjects, asked: Asked) -> None:
        self._objects = objects
        self._asked = asked
        self._options = asked.options(ListOptions)
        self._is_selected = matcher(self._options.labelSelector, self._options.fieldSelector)
        self._seen = self._start()

    async def run(self, link: Link) -> AsyncGenerator[bytes, None]:
        """Messages, until the time asked for is over or the link breaks."""
        deadline = asyncio.get_running_loop().time() + (self._options.timeoutSeconds or _SECONDS_AT_MOST)
        woken, breaks = asyncio.Event(), link.breaks
        self._objects.watches.add(woken)
        link.watches.add(woken)
        try:
            for message in self._messages(self._initial()):
                yield message
            while True:
                woken.clear()
                if link.breaks != breaks:
                    raise unavailable()
                for message in self._messages(self._changes()):
                    yield message
                async with asyncio.timeout_at(deadline):
                    await woken.wait()
        except TimeoutError:
            return
        finally:
            self._objects.watches.discard(woken)
            link.watches.discard(woken)

    @property
    def _shelf(self) -> Shelf:
        return self._objects.shelf(self._asked.resource)

    def _start(self) -> int:
        """The revision after which changes count."""
        if self._options.sendInitialEvents or not self._options.resourceVersion:
            return self._objects.revision
        start = int(self._options.resourceVersion)
        self._check_known(start)
        return start

    def _check_known(self, revision: int) -> None:
        forgotten = self._shelf.forgotten
        if revision < forgotten:
            raise errors.expired(f"too old resource version: {revision} ({forgotten})")

    def _initial(self) -> Iterator[tuple[str, bytes]]:
        if not self._options.sendInitialEvents:
            return
        for raw in self._shelf.snapshot(self._seen).objects:
            if self._matches(raw):
                yield "ADDED", raw
        end: Object = message_class(self._asked.resource.message)()
        end.metadata.resourceVersion = str(self._seen)
        end.metadata.annotations[INITIAL_EVENTS_END] = "true"
        yield "BOOKMARK", end.SerializeToString()

    def _changes(self) -> Iterator[tuple[str, bytes]]:
        self._check_known(self._seen)
        for change in list(self._shelf.changes_after(self._seen)):
            self._seen = change.revision
            event = self._event(change)
            if event is not None:
                yield event

    def _event(self, change: Change) -> tuple[str, bytes] | None:
        """What a change means for this selection: leaving it is a deletion, joining it an addition."""
        was = change.before is not None and self._matches(change.before)
        if change.after is not None and self._matches(change.after):
            return ("MODIFIED" if was else "ADDED"), change.after
        if not was or change.before is None:
            return None
        last = self._objects.read(self._asked.resource, change.before)
        last.metadata.resourceVersion = str(change.revision)
        return "DELETED", last.SerializeToString()

    def _matches(self, raw: bytes) -> bool:
        obj, namespace = self._objects.read(self._asked.resource, raw), self._asked.request.namespace
        return (not namespace or obj.metadata.namespace == namespace) and self._is_selected(obj)

    def _messages(self, events: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
        message = RawEvents()
        for type, raw in events:
            message.events.add(type=type, object=self._asked.form(raw))
            if len(message.events) == EVENTS_AT_MOST:
                yield message.SerializeToString()
                message = RawEvents()
        if message.events:
            yield message.SerializeToString()
