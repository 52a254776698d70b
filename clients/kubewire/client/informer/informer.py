"""Keeps a cache equal to what the server has, and tells handlers of every difference.

One watch with initial state; it goes on after a broken stream without loss or repeats, and when history was lost the
new state is compared with the old one, so that handlers hear of what they missed. There is no periodic resync: nothing
is ever told twice without a reason.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from kubewire.client import log
from kubewire.client.backoff import Backoff
from kubewire.client.informer.cache import Cache
from kubewire.client.informer.index import IndexFunction
from kubewire.client.informer.mutation import active_detector
from kubewire.client.objects import ApiObject, ObjectKey, T, key_of
from kubewire.client.resources.following import follow
from kubewire.client.resources.kinds import Kind
from kubewire.client.resources.options import EVERYTHING, Selection
from kubewire.client.resources.resource_client import ResourceClient
from kubewire.client.resources.results import Changed, Replaced, WatchEvent
from kubewire.machinery.errors import StatusError

Item = TypeVar("Item")

_LOG: Final = logging.getLogger(f"{log.NAME}.informer")

REFUSED_FIRST_SECONDS: Final = 1.0
REFUSED_LIMIT_SECONDS: Final = 60.0
"""A watch that is refused (no permission yet, kind not served yet) is tried again at such distances."""

_TURN: Final = 256
"""Changes taken in before other tasks get their turn: about 2 ms."""


@dataclass(frozen=True, slots=True)
class Handler(Generic[T]):
    """Told of differences after the cache has them, one object's in order. Handlers do not wait: they queue keys.

    An update never joins two different objects: one that was deleted and made anew under its name meanwhile is told as
    a deletion and an addition. `deleted` gets the last state that is known; after lost history an old one.
    """

    added: Callable[[T], None] | None = None
    updated: Callable[[T, T], None] | None = None
    deleted: Callable[[T], None] | None = None


class Informer(Generic[T]):
    """One kind in one selection, cached. Make it inside a running loop, and run it in a TaskGroup.

    Attributes:
        cache: the objects; read-only.
        resource_version: up to which the cache has everything; empty before the first state has come.
        failure: why the server refuses the watch at present; None while it does not.
    """

    def __init__(
        self,
        client: ResourceClient[T],
        selection: Selection = EVERYTHING,
        *,
        transform: Callable[[T], None] | None = None,
        batch_window_milliseconds: int | None = None,
    ) -> None:
        self.cache: Cache[T] = Cache()
        self.resource_version = ""
        self.failure: StatusError | None = None
        self._client = client
        self._selection = selection
        self._transform = transform
        self._batch_window_milliseconds = batch_window_milliseconds
        self._handlers: list[Handler[T]] = []
        self._synced = asyncio.Event()
        self._detector = active_detector()

    @property
    def kind(self) -> Kind[T]:
        """What is cached."""
        return self._client.kind

    @property
    def has_synced(self) -> bool:
        """Whether the first state is in the cache and handlers have been told of it."""
        return self._synced.is_set()

    async def wait_synced(self) -> None:
        """Return when `has_synced`."""
        await self._synced.wait()

    def add_handler(self, handler: Handler[T]) -> None:
        """Tell `handler` of every difference from now on, and first of what is there, as additions."""
        self._handlers.append(handler)
        if handler.added is not None:
            for obj in self.cache.list():
                handler.added(obj)

    def add_index(self, name: str, function: IndexFunction[T]) -> None:
        """See `Cache.add_index`."""
        self.cache.add_index(name, function)

    async def run(self) -> None:
        """Keep the cache up to date until cancelled.

        Raises:
            TransportClosed: the transport was closed.
        """
        backoff = Backoff(REFUSED_FIRST_SECONDS, REFUSED_LIMIT_SECONDS)
        while True:
            try:
                await self._follow(backoff)
            except StatusError as error:
                self.failure = error
                _LOG.warning("watch refused", extra=log.keys(kind=str(self.kind), reason=error.reason, why=str(error)))
            await asyncio.sleep(backoff.next())

    async def _follow(self, backoff: Backoff) -> None:
        window = self._batch_window_milliseconds
        updates = follow(self._client, self._selection, batch_window_milliseconds=window)
        async with aclosing(updates):
            async for update in updates:
                if isinstance(update, Replaced):
                    await self._replace(update)
                else:
                    await self._change(update)
                self.resource_version = update.resource_version
                self.failure = None
                backoff.reset()

    async def _replace(self, update: Replaced[T]) -> None:
        """Make the cache what the server has."""
        for turn in _turns(list(update.objects.items())):
            for key, obj in turn:
                self._put(key, obj)
            await asyncio.sleep(0)
        for gone in _turns(list(self.cache.keys() - update.objects.keys())):
            for key in gone:
                self._remove(key, None)
            await asyncio.sleep(0)
        if not self.has_synced:
            self._synced.set()
            _LOG.info("cache synced", extra=log.keys(kind=str(self.kind), objects=len(self.cache)))

    async def _change(self, update: Changed[T]) -> None:
        for turn in _turns(update.events):
            for event in turn:
                self._take(event)
            if len(turn) == _TURN:
                await asyncio.sleep(0)

    def _take(self, event: WatchEvent[T]) -> None:
        obj = event.object
        if event.type == "DELETED":
            self._remove(key_of(obj), obj)
        else:
            self._put(key_of(obj), obj)

    def _put(self, key: ObjectKey, obj: T) -> None:
        before = self.cache.get(key)
        if before is not None:
            was, now = before.metadata, obj.metadata
            if was.resourceVersion == now.resourceVersion:
                return
            if was.uid != now.uid:
                self._remove(key, None)
                before = None
        if self._transform is not None:
            self._transform(obj)
        self.cache.put(key, obj)
        if self._detector is not None:
            self._detector.cached(self, key, obj)
        if before is None:
            self._tell_added(obj)
        else:
            self._tell_updated(before, obj)

    def _remove(self, key: ObjectKey, last: T | None) -> None:
        """Take an object out; `last` is its last state if the server told."""
        if self._detector is not None:
            self._detector.dropped(self, key)
        before = self.cache.remove(key)
        if before is None:
            return
        for handler in self._handlers:
            if handler.deleted is not None:
                handler.deleted(before if last is None else last)

    def _tell_added(self, obj: T) -> None:
        for handler in self._handlers:
            if handler.added is not None:
                handler.added(obj)

    def _tell_updated(self, before: T, obj: T) -> None:
        for handler in self._handlers:
            if handler.updated is not None:
                handler.updated(before, obj)


def drop_managed_fields(obj: ApiObject) -> None:
    """A transform: forget who owns which fields. An update without them leaves them on the server as they are."""
    obj.metadata.ClearField("managedFields")


def _turns(items: Sequence[Item]) -> Iterable[Sequence[Item]]:
    """Parts small enough to be taken in without a pause."""
    return (items[start : start + _TURN] for start in range(0, len(items), _TURN))
