"""The verbs on one kind, statically typed: `ResourceClient[Pod].get` gives a `Pod`.

Every method may raise `StatusError`, the server's own; `Timeout` and `ServiceUnavailable` leave open whether a write
was done, and a guarded repetition (same resourceVersion, same name) is always safe.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Self, TypeAlias

import orjson

from kubewire.client.objects import T
from kubewire.client.resources import options as encoded
from kubewire.client.resources.batches import chunks
from kubewire.client.resources.methods import Verb
from kubewire.client.resources.options import EVERYTHING, Deleting, PatchType, Selection, View, Watching, Writing
from kubewire.client.resources.results import Page, Result, WatchEvent, event_type
from kubewire.client.resources.subresources import Subresources
from kubewire.machinery.errors import StatusError
from kubewire.machinery.json_value import JsonValue
from kubewire.rpc.v1.raw_responses_pb2 import RawEvents, RawResults

WATCH_GRACE_SECONDS = 60.0
"""How much later than the server a client ends a watch: only a server that does not answer lets it come to that."""

Results: TypeAlias = list[Result[T]]
Batches: TypeAlias = AsyncIterator[Sequence[WatchEvent[T]]]

_PLAIN = Writing()
_FROM_NOW = Watching()
_NO_CONDITION = Deleting()


class ResourceClient(Subresources[T]):
    """Calls on one kind. Make it with `Client.resource(Pod)`; cheap to make, and safe to share.

    Without a namespace, lists and watches are of all namespaces, and writes take it from the object.
    """

    __slots__ = ()

    def in_namespace(self, namespace: str) -> Self:
        """The same in one namespace."""
        return type(self)(self._transport, self._kind, namespace=namespace, timeout_seconds=self._timeout_seconds)

    def with_timeout(self, seconds: float) -> Self:
        """The same with another deadline for each call; watches have their own."""
        return type(self)(self._transport, self._kind, namespace=self._namespace, timeout_seconds=seconds)

    async def get(self, name: str, *, resource_version: str = "") -> T:
        """The object; linearizable, or with "0" from the server's cache, or with another version not older than it."""
        return await self._one(Verb.GET, self._request(encoded.get_options(resource_version), names=(name,)))

    async def page(
        self, selection: Selection = EVERYTHING, *, limit: int = 0, continue_token: str = "", resource_version: str = ""
    ) -> Page[T]:
        """One page of a list; of about 1 MiB unless `limit` gives a number of objects.

        Raises:
            StatusError: Expired, when `continue_token` is of a snapshot the server no longer has: list anew.
        """
        options = encoded.list_options(selection, limit=limit, token=continue_token, resource_version=resource_version)
        metadata, items = self._kind.decode_list(await self._send(Verb.LIST, self._request(options)))
        remaining = metadata.remainingItemCount if metadata.HasField("remainingItemCount") else None
        return Page(items, metadata.resourceVersion, getattr(metadata, "continue"), remaining)

    async def pages(
        self, selection: Selection = EVERYTHING, *, limit: int = 0, resource_version: str = ""
    ) -> AsyncGenerator[Page[T], None]:
        """All pages of one snapshot, each fetched when it is asked for."""
        page = await self.page(selection, limit=limit, resource_version=resource_version)
        yield page
        while page.continue_token:
            # The token names the snapshot: no version may be asked for beside it.
            page = await self.page(selection, limit=limit, continue_token=page.continue_token)
            yield page

    async def list(
        self, selection: Selection = EVERYTHING, *, limit: int = 0, resource_version: str = ""
    ) -> AsyncGenerator[T, None]:
        """All objects of one snapshot, by namespace and name; `limit` is the size of a page."""
        async with aclosing(self.pages(selection, limit=limit, resource_version=resource_version)) as pages:
            async for page in pages:
                for item in page.items:
                    yield item

    @asynccontextmanager
    async def watch(self, watching: Watching = _FROM_NOW) -> AsyncGenerator[AsyncIterator[WatchEvent[T]], None]:
        """Changes one by one; see `watch_batches`."""
        async with self.watch_batches(watching) as batches:
            yield (event async for batch in batches for event in batch)

    @asynccontextmanager
    async def watch_batches(self, watching: Watching = _FROM_NOW) -> AsyncGenerator[Batches[T], None]:
        """Changes in order, in lists as the server sends them, until it ends the watch.

        Entering opens the watch: without a version it tells everything that is done from then on. `following.follow`
        goes on where this ends.

        Raises:
            StatusError: on entering or from the iterator; Expired, when the changes after the version are no longer
                known; ServiceUnavailable, when this receiver was too slow or the server went away: watch on from the
                last event.
        """
        request = self._request(encoded.watch_options(watching))
        if watching.batch_window_milliseconds is not None:
            request.batch_window_milliseconds = watching.batch_window_milliseconds
        async with self._open(request, watching.timeout_seconds + WATCH_GRACE_SECONDS) as messages:
            yield self._batches(messages)

    async def _batches(self, messages: AsyncIterator[bytes]) -> Batches[T]:
        decode = self._kind.decode
        async for message in messages:
            # Each object is decoded by itself: one that is kept does not keep the others.
            events = RawEvents.FromString(message).events
            yield [WatchEvent(event_type(event.type), decode(event.object)) for event in events]

    async def create(self, obj: T, writing: Writing = _PLAIN) -> T:
        """The object as it was stored.

        Raises:
            StatusError: AlreadyExists, Invalid, Forbidden.
        """
        request = self._request(encoded.create_options(writing), objects=(self._kind.encode(obj),))
        return await self._one(Verb.CREATE, request)

    async def create_many(
        self, objects: Sequence[T], writing: Writing = _PLAIN, *, view: View = View.FULL
    ) -> Results[T]:
        """Many objects, each for itself: some may fail. Results are in the order of `objects`.

        Raises:
            StatusError: the call itself failed; objects before the failed part were created.
        """
        results: Results[T] = []
        for chunk in chunks([self._kind.encode(item) for item in objects]):
            request = self._request(encoded.create_options(writing), objects=chunk)
            request.view = view
            results += read_results(await self._send(Verb.CREATE_BATCH, request), self._kind.decode, view)
        return results

    async def update(self, obj: T, writing: Writing = _PLAIN, *, subresource: str = "") -> T:
        """Replace the object, or what a subresource holds of it (`status`, `ephemeralcontainers`, `resize` ...).

        Raises:
            StatusError: Conflict, when it changed since the version in `obj` (an empty version overwrites).
        """
        request = self._request(
            encoded.update_options(writing),
            names=(obj.metadata.name,) if self._kind.address else (),
            objects=(self._kind.encode(obj),),
        )
        return await self._one(Verb.UPDATE, request, subresource)

    async def update_status(self, obj: T, writing: Writing = _PLAIN) -> T:
        """Replace the object's status and nothing else."""
        return await self.update(obj, writing, subresource="status")

    async def patch(
        self,
        name: str,
        patch: bytes | JsonValue,
        patch_type: PatchType = PatchType.MERGE,
        writing: Writing = _PLAIN,
        *,
        subresource: str = "",
    ) -> T:
        """Change parts of an object; `patch` is JSON, as bytes or as a value."""
        request = self._request(encoded.patch_options(writing), names=(name,))
        request.patch_type = patch_type
        request.patch = patch if isinstance(patch, bytes) else orjson.dumps(patch)
        return await self._one(Verb.PATCH, request, subresource)

    async def apply(self, obj: T, writing: Writing, *, subresource: str = "") -> T:
        """Server-side apply: have the fields set in `obj`, and none of ours that are not.

        Raises:
            StatusError: Conflict, when another manager holds a field and `writing.force` is not set.
        """
        metadata = obj.metadata
        request = self._request(
            encoded.patch_options(writing), names=(metadata.name,), objects=(self._kind.encode(obj),)
        )
        request.namespace = self._namespace or metadata.namespace
        return await self._one(Verb.APPLY, request, subresource)

    async def delete(self, name: str, deleting: Deleting = _NO_CONDITION) -> T:
        """Begin to delete: the object as it was, or as it is while finalizers or the grace period hold it."""
        request = self._request(encoded.delete_options(deleting).SerializeToString(), names=(name,))
        return await self._one(Verb.DELETE, request)

    async def delete_many(
        self, names: Sequence[str], deleting: Deleting = _NO_CONDITION, *, view: View = View.NONE
    ) -> Results[T]:
        """Many objects of one namespace by name, each for itself; results are in the order of `names`."""
        results: Results[T] = []
        options = encoded.delete_options(deleting).SerializeToString()
        for chunk in chunks([name.encode() for name in names]):
            request = self._request(options, names=[name.decode() for name in chunk])
            request.view = view
            results += read_results(await self._send(Verb.DELETE_BATCH, request), self._kind.decode, view)
        return results

    async def delete_selected(
        self, selection: Selection, deleting: Deleting = _NO_CONDITION, *, view: View = View.NONE
    ) -> Results[T]:
        """All objects of one namespace, or of a cluster-scoped kind, that match; one result each."""
        request = self._request(encoded.delete_options(deleting).SerializeToString())
        request.selection.append(encoded.selection_options(selection))
        request.view = view
        return read_results(await self._send(Verb.DELETE_BATCH, request), self._kind.decode, view)


def read_results(data: bytes, decode: Callable[[bytes], T], view: View = View.FULL) -> Results[T]:
    """The results of a batch, in order."""
    found: Results[T] = []
    for result in RawResults.FromString(data).results:
        if result.HasField("status"):
            found.append(Result(None, StatusError.from_proto(result.status)))
        else:
            found.append(Result(None if view is View.NONE else decode(result.object), None))
    return found
