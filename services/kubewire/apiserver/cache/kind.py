"""One kind's objects and history, kept up with the store's changes: everything that happens without waiting.

An object is taken over as bytes: out of its envelope, through the kind's transform, with its version appended.
Nothing is decoded to be kept; it is only checked that it can be.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from sys import intern
from typing import Protocol

from google.protobuf.message import DecodeError

from kubewire.apiserver.cache.dispatch import Dispatcher
from kubewire.apiserver.cache.envelope import ProtobufEnvelope, Undecodable
from kubewire.apiserver.cache.failures import watch_history_lost
from kubewire.apiserver.cache.history import History
from kubewire.apiserver.cache.items import Items
from kubewire.apiserver.cache.versioned import resource_version_field, with_revision
from kubewire.apiserver.item import Event, Item
from kubewire.apiserver.metrics import KindMetrics
from kubewire.apiserver.storage.store import Entry
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import Resource

log = logging.getLogger(__name__)

Transform = Callable[[bytes, bytes], bytes]
"""From a key and its stored value to the object's protobuf bytes in the served version; raises Undecodable."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind to keep: the resource in the version it is served in, and how it comes out of the store."""

    resource: Resource
    transform: Transform

    @classmethod
    def as_stored(cls, resource: Resource) -> Kind:
        """A kind that is served in the version and encoding it is stored in."""
        return cls(resource, ProtobufEnvelope(resource))

    @property
    def prefix(self) -> bytes:
        """What all of its keys begin with, and no others."""
        assert self.resource.storage is not None, f"{self.resource.group_resource} is not stored"
        return self.resource.storage.prefix.encode() + b"/"


class Follower(Protocol):
    """Whoever keeps an index of its own over the objects of a kind. Called for each change: note it, and work later."""

    def change(self, item: Item | None, previous: Item | None) -> None:
        """An object is now `item` and was `previous`; None where there is, or was, none."""
        ...

    def replace(self, items: Iterable[Item]) -> None:
        """These are all objects there are."""
        ...


class KindCache:
    """Objects, history and watchers of one kind. `revision` tells what the whole cache has seen."""

    def __init__(self, kind: Kind, metrics: KindMetrics, revision: Callable[[], int]) -> None:
        self.kind = kind
        self.items = Items()
        self.history = History(0)
        self.dispatcher = Dispatcher(revision)
        self.metrics = metrics
        self.followers: list[Follower] = []
        self._bytes = 0
        self._prefix = kind.prefix
        self._message = message_class(kind.resource.message)
        self._complained: set[str] = set()

    def decode(self, key: str, value: bytes, revision: int, previous: Item | None = None) -> Item | None:
        """The object stored as `value`, `key` without the prefix; None if there is none in it (logged and counted).

        `previous` is the object before, if it is at hand: the two share their names.
        """
        try:
            raw = self.kind.transform(self._prefix + key.encode(), value)
            self._message.FromString(raw)
        except _DAMAGES as error:
            self._complain(key, revision, error)
            return None
        names = (previous.namespace, previous.name) if previous is not None else self._names(key)
        if names is None:
            return None
        return Item(self.kind.resource, *names, revision, raw + resource_version_field(revision))

    def known(self, key: str, entry: Entry) -> Item | None:
        """The object of an entry: the one that is held if its revision is the same, else `decode`."""
        held = self.items.get(key)
        if held is not None and held.revision == entry.revision:
            return held
        return self.decode(key, entry.value, entry.revision, held)

    def decode_entry(self, key: str, entry: Entry) -> Item | None:
        """The object of an entry, whatever is held."""
        return self.decode(key, entry.value, entry.revision)

    def apply(self, key: str, value: bytes | None, revision: int) -> None:
        """Take over a change; `key` without the prefix, `value` None for a deletion.

        A value that cannot be decoded counts as absent: an older state would be worse than none.
        """
        previous = self.items.get(key)
        item = None if value is None else self.decode(key, value, revision, previous)
        if item is not None:
            self.items.put(key, item)
            self._bytes += len(item.raw)
            event = Event("ADDED" if previous is None else "MODIFIED", item, previous, revision)
        elif previous is not None:
            self.items.remove(key)
            event = Event("DELETED", with_revision(previous, revision), previous, revision)
        else:
            return
        if previous is not None:
            self._bytes -= len(previous.raw)
        for follower in self.followers:
            follower.change(item, previous)
        self.history.append(event)
        self.metrics.received.value += 1
        self.metrics.dispatched.value += self.dispatcher.offer(event)

    def settle(self, revision: int) -> None:
        """All changes up to `revision` were applied: have their events sent."""
        self.dispatcher.settle()
        self._measure(revision)

    def reset(self, items: dict[str, Item], revision: int) -> None:
        """Start over with what the store held at `revision`; what happened in between is not known.

        So watchers are ended: a watch must not leave out changes, and their clients list again anyway.
        """
        for watcher in self.dispatcher.watchers():
            watcher.fail(watch_history_lost())
        self.items.replace(items)
        for follower in self.followers:
            follower.replace(items.values())
        self.history = History(revision)
        self._bytes = sum(len(item.raw) for item in items.values())
        self.metrics.initializations.value += 1
        self._measure(revision)

    def tick(self, forget_through: int) -> None:
        """Once in a while: remind watchers, and free what is old."""
        for watcher in self.dispatcher.watchers():
            watcher.remind()
        self.history.forget_through(forget_through)
        self.items.forget_unused()

    def _measure(self, revision: int) -> None:
        self.metrics.objects.value = len(self.items)
        self.metrics.bytes.value = self._bytes
        self.metrics.resource_version.value = revision
        self.metrics.terminated_watchers.value = self.dispatcher.slow

    def _names(self, key: str) -> tuple[str, str] | None:
        namespace, slash, name = key.rpartition("/")
        is_in_form = bool(slash and namespace and name) == self.kind.resource.namespaced and "/" not in namespace
        return (intern(namespace), name) if is_in_form and name else None

    def _complain(self, key: str, revision: int, error: Exception) -> None:
        self.metrics.undecodable.value += 1
        if key not in self._complained and len(self._complained) < _COMPLAINTS:
            self._complained.add(key)
            log.warning(
                "an object in the store cannot be decoded and is left out",
                extra={
                    "resource": str(self.kind.resource.group_resource),
                    "key": key,
                    "revision": revision,
                    "error": str(error),
                },
            )


_DAMAGES = (Undecodable, DecodeError, ValueError, TypeError, LookupError)
"""What a transform raises on a damaged value; a bad value in the store must not end the server."""

_COMPLAINTS = 100
"""Keys per kind that are named in the log; the metric counts all."""
