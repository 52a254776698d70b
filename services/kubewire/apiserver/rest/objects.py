"""Verbs on resources: the core does them, and what it gives back becomes the answer.

This is the path of nearly every request, so it does only what the verb needs: options are parsed when there is a
query, objects go out from the forms they keep, and nothing is looked up twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.encoding.lists import PIECE_BYTES, ListForms
from kubewire.apiserver.encoding.media import Format, View, Wanted, negotiate_stream
from kubewire.apiserver.encoding.single import SingleForms, refuse_single
from kubewire.apiserver.encoding.statuses import created_body, deleted_body
from kubewire.apiserver.encoding.yaml_text import to_yaml
from kubewire.apiserver.item import Item, Page
from kubewire.apiserver.rest.answers import CONTENT_TYPES, write, write_compressed, write_pieces
from kubewire.apiserver.rest.bodies import read_delete_options, read_object, read_patch
from kubewire.apiserver.rest.options import get_options, list_options, watch_options, write_options
from kubewire.machinery.gvk import GroupResource

if TYPE_CHECKING:
    from kubewire.apiserver.contracts import Objects
    from kubewire.apiserver.encoding.objects import ObjectForms
    from kubewire.apiserver.metrics import EndpointMetrics
    from kubewire.apiserver.rest.asked import Asked
    from kubewire.apiserver.rest.compression import Compression
    from kubewire.apiserver.rest.request import Written
    from kubewire.apiserver.rest.watching import Streams

_Handler = Callable[["Asked"], Awaitable["Written"]]

_SMALL_PAGE: Final = 64
"""Items of a page that is made at once: their forms take a few milliseconds even when none is there yet."""

_WEIGHED: Final = 512
"""Items whose sizes are added up to tell small answers from large ones: thousands of lengths would show."""

# Kinds whose deletion is answered with the object as it was, instead of a Status.
_SHOWN_WHEN_DELETED: Final = frozenset(
    GroupResource(group, plural)
    for group, plurals in (
        (
            "",
            (
                "pods",
                "podtemplates",
                "persistentvolumes",
                "persistentvolumeclaims",
                "resourcequotas",
                "serviceaccounts",
                "services",
            ),
        ),
        (
            "storage.k8s.io",
            ("csidrivers", "csinodes", "storageclasses", "volumeattachments", "volumeattributesclasses"),
        ),
    )
    for plural in plurals
)


class ObjectFace:
    """Serves requests for resources."""

    def __init__(self, objects: Objects, forms: ObjectForms, streams: Streams, compression: Compression) -> None:
        self._objects = objects
        self._lists = ListForms(forms)
        self._singles = SingleForms(forms, self._lists)
        self._forms = forms
        self._streams = streams
        self._compression = compression
        self._handlers: Mapping[str, _Handler] = {
            "get": self._get,
            "list": self._list,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }

    async def serve(self, asked: Asked) -> Written:
        """Answer a request that ends.

        Raises:
            StatusError: whatever keeps it from being served.
        """
        return await self._handlers[asked.verb](asked)

    async def watch(self, asked: Asked, series: EndpointMetrics) -> Written:
        """Answer a watch.

        Raises:
            StatusError: as for `serve`, before the stream begins.
        """
        wanted = negotiate_stream(asked.accept)
        name = asked.target.name
        starting = self._objects.watch(asked.call, watch_options(asked.query, name))
        return await self._streams.write(asked.request, asked.endpoint, series, wanted, starting)

    # -------------------------------------------------------------------------------------------- reading

    async def _get(self, asked: Asked) -> Written:
        wanted = asked.wanted
        item = await self._objects.get(asked.call, get_options(asked.query))
        return await self._write_item(asked, wanted, item, 200)

    async def _list(self, asked: Asked) -> Written:
        wanted = asked.wanted
        resource = asked.endpoint.shown
        if wanted.view is View.METADATA:
            raise refuse_single(resource.kind)
        page = await self._objects.list(asked.call, list_options(asked.query))
        return await self._write_page(asked, wanted, page)

    # -------------------------------------------------------------------------------------------- writing

    async def _create(self, asked: Asked) -> Written:
        wanted = asked.wanted
        options = write_options(asked.query, "CreateOptions")
        done = await self._objects.create(asked.call, await read_object(asked.request), options)
        if asked.endpoint.answers_status:
            return await self._write(asked, wanted, created_body(wanted), 201)
        return await self._write_item(asked, wanted, done.item, 201)

    async def _update(self, asked: Asked) -> Written:
        wanted = asked.wanted
        options = write_options(asked.query, "UpdateOptions")
        done = await self._objects.update(asked.call, await read_object(asked.request), options)
        return await self._write_item(asked, wanted, done.item, 201 if done.created else 200)

    async def _patch(self, asked: Asked) -> Written:
        wanted = asked.wanted
        patch = await read_patch(asked.request)
        options = write_options(asked.query, "PatchOptions", patch.type)
        done = await self._objects.patch(asked.call, patch, options)
        return await self._write_item(asked, wanted, done.item, 201 if done.created else 200)

    async def _delete(self, asked: Asked) -> Written:
        wanted = asked.wanted
        options = await read_delete_options(asked.request, asked.query)
        deleted = await self._objects.delete(asked.call, options)
        resource = asked.call.resource
        if deleted.is_gone and resource.group_resource not in _SHOWN_WHEN_DELETED:
            return await self._write(asked, wanted, deleted_body(deleted.item, wanted), 200)
        return await self._write_item(asked, wanted, deleted.item, 200)

    async def _delete_collection(self, asked: Asked) -> Written:
        wanted = asked.wanted
        selection = list_options(asked.query)
        options = await read_delete_options(asked.request, asked.query)
        items = await self._objects.delete_collection(asked.call, options, selection)
        page = Page(items, max((item.revision for item in items), default=0))
        return await self._write_page(asked, wanted, page)

    # -------------------------------------------------------------------------------------------- answering

    async def _write_item(self, asked: Asked, wanted: Wanted, item: Item, code: int) -> Written:
        shown = asked.endpoint.shown
        if item.resource is not shown and shown is not asked.endpoint.resource:
            item = Item(shown, item.namespace, item.name, item.revision, item.raw)
        body = self._singles.body(item, wanted, asked.shows, asked.request.received)
        return await self._write(asked, wanted, body, code)

    async def _write(self, asked: Asked, wanted: Wanted, body: bytes, code: int) -> Written:
        request, content_type = asked.request, CONTENT_TYPES[wanted.format]
        if self._compression.applies(request, len(body)):
            return await write_compressed(request, (body,), content_type, asked.headers, code=code)
        return write(request, code, body, content_type, asked.headers)

    async def _write_page(self, asked: Asked, wanted: Wanted, page: Page) -> Written:
        request, content_type = asked.request, CONTENT_TYPES[wanted.format]
        pieces: Iterable[bytes] = self._lists.pieces(asked.endpoint.shown, page, wanted, asked.shows, request.received)
        if wanted.format is Format.YAML:
            pieces = (await _yaml(pieces),)
        size = sum([len(item.raw) for item in page.items[:_WEIGHED]])
        if self._compression.applies(request, size):
            return await write_compressed(request, pieces, content_type, asked.headers)
        if len(page.items) <= _SMALL_PAGE and size <= PIECE_BYTES:
            return write(request, 200, b"".join(pieces), content_type, asked.headers)
        return await write_pieces(request, pieces, content_type, asked.headers)


async def _yaml(pieces: Iterable[bytes]) -> bytes:
    """A list as YAML: made in a thread, since it takes long."""
    collected = []
    for piece in pieces:
        collected.append(piece)
        await asyncio.sleep(0)
    return await asyncio.to_thread(to_yaml, b"".join(collected))
