"""Get, list and watch: options checked, then served by the cache, in the version that was asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from kubewire.apiserver.cache.reader import KindReader, WatchPlan
from kubewire.apiserver.cache.versions import ANY, LATEST, Freshness, ReadAt, read_at
from kubewire.apiserver.contracts import Call, Watch
from kubewire.apiserver.item import Batch, Event, Item, Page
from kubewire.apiserver.options import GetOptions, ListOptions, WatchOptions
from kubewire.apiserver.registry.core import Core
from kubewire.apiserver.registry.kinds import Kind
from kubewire.apiserver.registry.option_rules import check_list, check_watch, parse_resource_version
from kubewire.apiserver.registry.selections import selection_of
from kubewire.machinery import errors

_LONGEST_WATCH_SECONDS: Final = 3600.0
_SHORTEST_OWN_TIMEOUT_SECONDS: Final = 1800.0
"""A watch without a timeout of its own ends after this and up to twice as long, as upstream's do."""


async def get(core: Core, call: Call, options: GetOptions) -> Item:
    """The object; StatusError 404 if there is none."""
    kind = core.kinds.of(call.resource)
    version = options.resource_version
    at = ANY if version == "0" else _not_older(version) if version else LATEST
    item = await core.cache.of(kind.kept).get(call.namespace, call.name, at)
    if item is None:
        raise errors.not_found(call.resource.group_resource, call.name)
    return kind.served(item)


def _not_older(version: str) -> ReadAt:
    return ReadAt(Freshness.NOT_OLDER, parse_resource_version(version))


async def list_page(core: Core, call: Call, options: ListOptions) -> Page:
    """A page of objects at one revision."""
    check_list(options)
    kind = core.kinds.of(call.resource)
    selection = selection_of(call.resource, call.namespace, options.label_selector, options.field_selector)
    version = options.resource_version
    revision = parse_resource_version(version) if version else None
    if options.continue_token and revision:
        raise errors.bad_request("specifying resource version is not allowed when using continue")
    page = await core.cache.of(kind.kept).list(
        selection,
        at=read_at(revision, options.resource_version_match, is_limited=options.limit > 0),
        limit=max(options.limit, 0),
        continue_token=options.continue_token,
    )
    return page if kind.conversion is None else _served_page(kind, page)


def _served_page(kind: Kind, page: Page) -> Page:
    items = [kind.served(item) for item in page.items]
    return Page(items, page.revision, continue_token=page.continue_token, remaining=page.remaining)


async def watch(core: Core, call: Call, options: WatchOptions) -> Watch:
    """A running watch."""
    check_watch(options)
    kind = core.kinds.of(call.resource)
    reader: KindReader = core.cache.of(kind.kept)
    running = await reader.watch(_plan(core, call, options))
    return running if kind.conversion is None else _ServedWatch(kind, running)


def _plan(core: Core, call: Call, options: WatchOptions) -> WatchPlan:
    selection = selection_of(call.resource, call.namespace, options.label_selector, options.field_selector)
    version = options.resource_version
    revision = parse_resource_version(version)
    wants_initial = options.send_initial_events
    begins_with_state = wants_initial is True or (wants_initial is None and not revision)
    after = revision if revision and not begins_with_state else None
    return WatchPlan(
        selection,
        after=after,
        initial=begins_with_state,
        initial_end=wants_initial is True and options.allow_bookmarks,
        at=read_at(revision if version else None),
        bookmarks=options.allow_bookmarks,
        window_seconds=options.batch_window_seconds,
        timeout_seconds=_timeout_seconds(core, options),
    )


def _timeout_seconds(core: Core, options: WatchOptions) -> float:
    if options.timeout_seconds is not None:
        return options.timeout_seconds
    # Spread, so that clients of a restarted server do not all come back at the same moment for ever after.
    return core.random.uniform(_SHORTEST_OWN_TIMEOUT_SECONDS, _LONGEST_WATCH_SECONDS)


class _ServedWatch:
    """A watch of a kind that is kept in another version: each batch is converted as it is handed out."""

    def __init__(self, kind: Kind, watch: Watch) -> None:
        self._kind = kind
        self._watch = watch

    async def __aiter__(self) -> AsyncIterator[Batch]:
        async for batch in self._watch:
            yield Batch([self._served(event) for event in batch.events])

    async def aclose(self) -> None:
        """See `Watch.aclose`."""
        await self._watch.aclose()

    def _served(self, event: Event) -> Event:
        if event.item is None:
            return event
        previous = None if event.previous is None else self._kind.served(event.previous)
        return Event(event.type, self._kind.served(event.item), previous, event.revision)
