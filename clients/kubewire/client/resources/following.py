"""A watch that does not end.

It starts with all objects, goes on where a broken stream ended, and starts again with all objects where history was
lost. Who applies each update to what the ones before it left has what the server has, without loss and without repeats.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Final, Generic

from kubewire.client import log
from kubewire.client.backoff import Backoff
from kubewire.client.objects import ObjectKey, T, key_of
from kubewire.client.resources.options import EVERYTHING, Selection, Watching
from kubewire.client.resources.resource_client import ResourceClient
from kubewire.client.resources.results import Changed, Replaced, Update, WatchEvent
from kubewire.machinery.errors import Reason, StatusError

_LOG: Final = logging.getLogger(f"{log.NAME}.following")

RETRY_FIRST_SECONDS: Final = 0.1
RETRY_LIMIT_SECONDS: Final = 10.0
"""A restarted server is found again soon, and not overrun by everyone who watched it."""

SETTLED_SECONDS: Final = 5.0
"""A stream that lived this long was a good one: the next failure is a first one."""

WATCH_SECONDS_FROM: Final = 300
WATCH_SECONDS_TO: Final = 600
"""Length of one stream, chosen at random so that streams do not end together."""

_GONE: Final = 410


async def follow(
    client: ResourceClient[T],
    selection: Selection = EVERYTHING,
    *,
    batch_window_milliseconds: int | None = None,
    uniform: Callable[[], float] = random.random,
) -> AsyncGenerator[Update[T], None]:
    """`Replaced` first, then `Changed` without end, and `Replaced` again when changes were missed for good.

    Raises:
        StatusError: a failure that trying again does not help (Forbidden, NotFound, BadRequest ...).
        TransportClosed: the transport was closed.
    """
    backoff = Backoff(RETRY_FIRST_SECONDS, RETRY_LIMIT_SECONDS, uniform=uniform)
    clock = asyncio.get_running_loop().time
    state = _State[T]()
    while True:
        opened = clock()
        retry_after = 0.0
        seconds = WATCH_SECONDS_FROM + int(uniform() * (WATCH_SECONDS_TO - WATCH_SECONDS_FROM))
        state.opened()
        watching = Watching(selection, state.version, not state.version, seconds, batch_window_milliseconds)
        try:
            async with client.watch_batches(watching) as batches:
                async for batch in batches:
                    for update in state.take(batch):
                        yield update
        except StatusError as error:
            retry_after = _waiting_seconds(error)
            state.failed(error)
            _LOG.info(
                "watch broken",
                extra=log.keys(kind=str(client.kind), version=watching.resource_version, reason=error.reason),
            )
        if clock() - opened >= SETTLED_SECONDS:
            backoff.reset()
            if not retry_after:
                continue
        await asyncio.sleep(max(backoff.next(), retry_after))


class _State(Generic[T]):
    """What was seen: the version to go on from, and the initial state while it arrives. Pure."""

    def __init__(self) -> None:
        # Empty: the initial state is still to come, and `_initial` holds what has come of it in this stream.
        self.version = ""
        self._initial: dict[ObjectKey, T] = {}

    def opened(self) -> None:
        """A stream begins: what came of the initial state in the one before does not count."""
        self._initial = {}

    def take(self, batch: Sequence[WatchEvent[T]]) -> Sequence[Update[T]]:
        """What a batch of events means for the receiver."""
        if self.version:
            return [self._changed(batch)]
        for place, event in enumerate(batch):
            if event.is_initial_end:
                objects, self._initial = self._initial, {}
                self.version = event.resource_version
                replaced = Replaced(objects, self.version)
                rest = batch[place + 1 :]
                return [replaced, self._changed(rest)] if rest else [replaced]
            self._collect(event)
        return []

    def failed(self, error: StatusError) -> None:
        """The stream broke.

        Raises:
            StatusError: going on does not help.
        """
        if error.code == _GONE:
            self.version = ""
        elif not is_passing(error):
            raise error

    def _changed(self, batch: Sequence[WatchEvent[T]]) -> Changed[T]:
        self.version = batch[-1].resource_version
        return Changed([event for event in batch if event.type != "BOOKMARK"], self.version)

    def _collect(self, event: WatchEvent[T]) -> None:
        if event.type == "DELETED":
            self._initial.pop(key_of(event.object), None)
        elif event.type != "BOOKMARK":
            self._initial[key_of(event.object)] = event.object


def is_passing(error: StatusError) -> bool:
    """Whether the same call may succeed later without anybody doing anything about it."""
    return error.code >= 500 or error.reason == Reason.TOO_MANY_REQUESTS


def _waiting_seconds(error: StatusError) -> float:
    return float(error.retry_after_seconds)
