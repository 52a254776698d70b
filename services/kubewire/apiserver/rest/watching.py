"""Watches over HTTP: batches from the core become chunks, until the timeout, the client's leave or the server's stop.

All that a watcher costs is writing bytes that are shared by all watchers of the same batch. A client that does not
read makes the writer wait; the core then ends the watch, because its queue is full, and nothing here grows.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from time import time
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.encoding.events import Frames
from kubewire.apiserver.encoding.media import STREAM_TYPES, View, Wanted
from kubewire.apiserver.rest.answers import LAST_CHUNK, chunk, drain, finished, start_chunks
from kubewire.apiserver.rest.asked import rows_show
from kubewire.apiserver.rest.query import parse_query
from kubewire.apiserver.rest.request import GONE, Request, Written
from kubewire.machinery.errors import StatusError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kubewire.apiserver.contracts import Watch
    from kubewire.apiserver.encoding.objects import ObjectForms
    from kubewire.apiserver.item import Batch
    from kubewire.apiserver.metrics import ApiServerMetrics, EndpointMetrics, KindMetrics
    from kubewire.apiserver.rest.paths import Endpoint

_GONE: Final = 410
"""History is gone: told inside the stream, where clients look for it, and not by the status line."""


class Leave:
    """Ends the task of a stream when its client leaves; a context manager around the stream."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._task = asyncio.current_task()

    def __enter__(self) -> None:
        if self._request.is_gone:
            raise ConnectionResetError(GONE)
        self._request.on_gone = self._end

    def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self._request.on_gone = None
        is_ours = kind is asyncio.CancelledError and self._request.is_gone
        if is_ours and self._task is not None:
            self._task.uncancel()
        return is_ours


class Streams:
    """Writes watches of one server."""

    def __init__(self, objects: ObjectForms, metrics: ApiServerMetrics) -> None:
        self._objects = objects
        self._metrics = metrics

    async def write(
        self, request: Request, endpoint: Endpoint, series: EndpointMetrics, wanted: Wanted, starting: Awaitable[Watch]
    ) -> Written:
        """Write a watch until it ends.

        Raises:
            StatusError: it cannot be started, for any reason but lost history.
            ConnectionResetError: the client is gone.
        """
        shows = rows_show(parse_query(request.query_text))
        frames = Frames(self._objects, endpoint.shown, wanted, shows)
        content_type = STREAM_TYPES[wanted.format].encode()
        try:
            watch = await starting
        except StatusError as error:
            if error.code != _GONE:
                raise
            start_chunks(request, 200, content_type)
            return _end(request, frames.error(error))
        stream = _Stream(request, frames, self._metrics.of_kind(endpoint.resource), is_table=wanted.view is View.TABLE)
        series.running.inc()
        try:
            start_chunks(request, 200, content_type)
            with Leave(request):
                await stream.run(watch)
        finally:
            series.running.dec()
            await watch.aclose()
        return _end(request, stream.last)


def _end(request: Request, last: bytes) -> Written:
    """End the body, with `last` before the end if it is not empty."""
    request.transport.write((chunk(last) if last else b"") + LAST_CHUNK)
    return finished(request)


class _Stream:
    """One watch on its way to one client. `last` is the frame it ends with, if there is one."""

    def __init__(self, request: Request, frames: Frames, metrics: KindMetrics, *, is_table: bool) -> None:
        self._request = request
        self._frames = frames
        self._metrics = metrics
        self._is_table = is_table
        self._chunk_name = f"{frames.name} chunk"
        self.last = b""

    async def run(self, watch: Watch) -> None:
        """Write every batch as it comes."""
        request = self._request
        connection = request.connection
        is_first = True
        try:
            async for batch in watch:
                data = self._chunk(batch, is_first=is_first)
                is_first = False
                request.transport.write(data)
                request.size += len(data)
                self._count(len(batch.events), len(data))
                if connection.writing_paused:
                    await drain(request)
        except StatusError as error:
            # A watcher that was too slow is just ended: it resumes from the last version it saw.
            if error.code == _GONE:
                self.last = self._frames.error(error)

    def _chunk(self, batch: Batch, *, is_first: bool) -> bytes:
        """The batch as a chunk; shared by all watchers unless ages have to be filled in."""
        if self._is_table:
            now = time()
            return chunk(self._frames.first(batch, now) if is_first else self._frames.ready(batch, now))
        found = batch.forms.get(self._chunk_name)
        if found is None:
            found = batch.forms[self._chunk_name] = chunk(self._frames.of(batch))
        return found

    def _count(self, events: int, size: int) -> None:
        """Count a batch; its events are taken to be of one size."""
        self._metrics.events.inc(events)
        sizes = self._metrics.event_sizes
        sizes.counts[bisect_left(sizes.bounds, size / events)] += events
        sizes.sum += size
