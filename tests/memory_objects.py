"""A small stand-in for the core: objects in a dictionary, one revision, no rules but names and revisions."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.message import DecodeError

from kubewire.apiserver.contracts import Body, Call, Deleted, Patch, Watch, Written
from kubewire.apiserver.item import Batch, Event, Item, Page
from kubewire.apiserver.options import DeleteOptions, GetOptions, ListOptions, WatchOptions, WriteOptions
from kubewire.machinery import errors
from kubewire.machinery.errors import StatusError
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import Resource


class MemoryWatch:
    """A queue of batches; None ends it, an error is raised."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Batch | Exception | None] = asyncio.Queue()
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[Batch]:
        while (found := await self.queue.get()) is not None:
            if isinstance(found, Exception):
                raise found
            yield found

    async def aclose(self) -> None:
        """End it."""
        self.is_closed = True


@dataclass
class MemoryObjects:
    """Remembers every call and its options."""

    items: dict[tuple[Resource, str, str], Item] = field(default_factory=dict)
    revision: int = 10
    calls: list[tuple[str, Call, object]] = field(default_factory=list)
    watches: list[MemoryWatch] = field(default_factory=list)
    failure: Exception | None = None

    def put(self, resource: Resource, raw: bytes, namespace: str = "") -> Item:
        """Store an object as if it had come from etcd."""
        message: Any = message_class(resource.message)()
        message.ParseFromString(raw)
        self.revision += 1
        name = message.metadata.name
        space = namespace or message.metadata.namespace
        message.metadata.namespace = space
        merged = message.SerializeToString() + _version(self.revision)
        item = Item(resource, space, name, self.revision, merged)
        self.items[resource, space, name] = item
        return item

    def _note(self, verb: str, call: Call, options: object) -> None:
        self.calls.append((verb, replace(call), options))
        if self.failure is not None:
            raise self.failure

    def _find(self, call: Call) -> Item:
        found = self.items.get((call.resource, call.namespace, call.name))
        if found is None:
            raise errors.not_found(call.resource.group_resource, call.name)
        return found

    async def get(self, call: Call, options: GetOptions) -> Item:
        self._note("get", call, options)
        return self._find(call)

    async def list(self, call: Call, options: ListOptions) -> Page:
        self._note("list", call, options)
        found = [
            item
            for key, item in sorted(self.items.items(), key=lambda pair: pair[0][1:])
            if key[0] == call.resource and call.namespace in ("", key[1])
        ]
        start = int(options.continue_token or 0)
        end = start + options.limit if options.limit else len(found)
        token = str(end) if end < len(found) else ""
        return Page(
            found[start:end], self.revision, continue_token=token, remaining=len(found) - end if token else None
        )

    async def watch(self, call: Call, options: WatchOptions) -> Watch:
        self._note("watch", call, options)
        watch = MemoryWatch()
        self.watches.append(watch)
        return watch

    async def create(self, call: Call, body: Body, options: WriteOptions) -> Written:
        self._note("create", call, options)
        if call.subresource:
            return Written(Item(call.resource, call.namespace, call.name, 0, body.data))
        message: Any = message_class(call.resource.message)()
        try:
            message.ParseFromString(body.data)
        except DecodeError:
            raise errors.bad_request("malformed object") from None
        if (call.resource, call.namespace, message.metadata.name) in self.items:
            raise errors.already_exists(call.resource.group_resource, message.metadata.name)
        return Written(self.put(call.resource, body.data, call.namespace), created=True)

    async def create_many(
        self, call: Call, bodies: Sequence[Body], options: WriteOptions
    ) -> Sequence[Written | StatusError]:
        self._note("create_many", call, options)
        results: list[Written | StatusError] = []
        for body in bodies:
            try:
                results.append(await self.create(call, body, options))
            except StatusError as error:
                results.append(error)
        return results

    async def update(self, call: Call, body: Body, options: WriteOptions) -> Written:
        self._note("update", call, options)
        self._find(call)
        return Written(self.put(call.resource, body.data, call.namespace))

    async def patch(self, call: Call, patch: Patch, options: WriteOptions) -> Written:
        self._note("patch", call, (patch, options))
        return Written(self._find(call))

    async def delete(self, call: Call, options: DeleteOptions) -> Deleted:
        self._note("delete", call, options)
        item = self._find(call)
        del self.items[call.resource, call.namespace, call.name]
        return Deleted(item, is_gone=True)

    async def delete_many(
        self, call: Call, names: Sequence[str], options: DeleteOptions
    ) -> Sequence[Deleted | StatusError]:
        self._note("delete_many", call, options)
        results: list[Deleted | StatusError] = []
        for name in names:
            try:
                results.append(await self.delete(replace(call, name=name), options))
            except StatusError as error:
                results.append(error)
        return results

    async def delete_collection(self, call: Call, options: DeleteOptions, selection: ListOptions) -> Sequence[Item]:
        self._note("delete_collection", call, (options, selection))
        page = await self.list(call, ListOptions())
        for item in page.items:
            del self.items[call.resource, item.namespace, item.name]
        return page.items


def _version(revision: int) -> bytes:
    text = str(revision).encode()
    meta = b"\x32" + bytes((len(text),)) + text
    return b"\x0a" + bytes((len(meta),)) + meta


def added(item: Item) -> Event:
    """The event of an object that came to be."""
    return Event("ADDED", item, None, item.revision)
