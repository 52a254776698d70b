"""What calls return besides single objects: pages, results of batches, events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, Literal, NamedTuple, cast

from kubewire.client.objects import ObjectKey, T
from kubewire.machinery.errors import StatusError

EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
"""Annotation of the bookmark that closes the initial state of a watch."""


class Page(NamedTuple, Generic[T]):
    """A part of a list; all pages of one list are of one snapshot."""

    items: Sequence[T]
    resource_version: str
    """Of the snapshot; a watch from here misses nothing."""
    continue_token: str
    """For the next page; empty on the last one."""
    remaining: int | None
    """How many objects follow; None if unknown."""


class Result(NamedTuple, Generic[T]):
    """What became of one object of a batch. With `View.NONE` a success has neither."""

    object: T | None
    error: StatusError | None

    def unwrap(self) -> T:
        """The object.

        Raises:
            StatusError: why there is none.
            LookupError: the batch was told to return no objects.
        """
        if self.error is not None:
            raise self.error
        if self.object is None:
            raise LookupError("the batch returned no objects: ask for View.FULL")
        return self.object


class WatchEvent(NamedTuple, Generic[T]):
    """One change: the object after it, or as it was last for DELETED, with the version of the change.

    A BOOKMARK's object has nothing but a version: all changes up to it have been seen.
    """

    type: EventType
    object: T

    @property
    def resource_version(self) -> str:
        """To resume a watch after this event."""
        return self.object.metadata.resourceVersion

    @property
    def is_initial_end(self) -> bool:
        """Whether this bookmark closes the initial state."""
        return self.type == "BOOKMARK" and INITIAL_EVENTS_END in self.object.metadata.annotations


class Replaced(NamedTuple, Generic[T]):
    """All objects there are: the first update of a watch, and again when its history was lost."""

    objects: Mapping[ObjectKey, T]
    resource_version: str


class Changed(NamedTuple, Generic[T]):
    """Changes since the last update, in order; none if only the version moved on."""

    events: Sequence[WatchEvent[T]]
    resource_version: str


Update = Replaced[T] | Changed[T]


def event_type(text: str) -> EventType:
    """The type of an event.

    Raises:
        ValueError: the server sent a type that is none.
    """
    if text not in _TYPES:
        raise ValueError(f"event type {text!r}: want one of {', '.join(sorted(_TYPES))}")
    return cast("EventType", text)


_TYPES = frozenset(("ADDED", "MODIFIED", "DELETED", "BOOKMARK"))
