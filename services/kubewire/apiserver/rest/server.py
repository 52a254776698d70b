"""The HTTP server: every request passes here, from the caller's identity to the last byte and its metrics.

Order of a request: who (callers), what (paths, verb), then the core through ObjectFace, or a document. Errors are
translated here and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.encoding.media import status_format
from kubewire.apiserver.encoding.memory import FormMemory
from kubewire.apiserver.encoding.objects import ObjectForms
from kubewire.apiserver.encoding.statuses import error_body
from kubewire.apiserver.metrics import scope_of
from kubewire.apiserver.rest.answers import CONTENT_TYPES, error_headers, write
from kubewire.apiserver.rest.asked import MUTATING, Asked, is_for_humans, series_of, verb_of
from kubewire.apiserver.rest.callers import Callers
from kubewire.apiserver.rest.connection import HttpServer
from kubewire.apiserver.rest.documents import Documents, write_not_found, write_version
from kubewire.apiserver.rest.objects import ObjectFace
from kubewire.apiserver.rest.paths import Paths
from kubewire.apiserver.rest.probes import probe_of, write_probe
from kubewire.apiserver.rest.query import parse_query
from kubewire.apiserver.rest.request import CLOSE, Request, Written
from kubewire.apiserver.rest.served import served_resources
from kubewire.apiserver.rest.streaming.face import StreamFace
from kubewire.apiserver.rest.watching import Streams
from kubewire.apiserver.streams.table import is_stream
from kubewire.component.log import Logger
from kubewire.machinery import errors
from kubewire.machinery.errors import StatusError

if TYPE_CHECKING:
    from kubewire.apiserver.auth.authentication import Authentication
    from kubewire.apiserver.auth.authorization import Authorization
    from kubewire.apiserver.auth.cluster_tokens import ClusterTokens
    from kubewire.apiserver.contracts import Objects
    from kubewire.apiserver.metrics import ApiServerMetrics
    from kubewire.apiserver.rest.settings import RestListener, RestSettings
    from kubewire.apiserver.streams.pod_streams import PodStreams
    from kubewire.component.health import Health
    from kubewire.machinery.resources import Resource

_SWEEP_SECONDS: Final = 1.0
_HANDSHAKE_SECONDS: Final = 10.0
_SLOW_SECONDS: Final = 2.0
"""Requests that take longer are worth a line in the log."""

_LOG: Final = Logger("apiserver.rest")


@dataclass(frozen=True, slots=True)
class Core:
    """What the face stands on."""

    objects: Objects
    authentication: Authentication
    authorization: Authorization
    health: Health
    metrics: ApiServerMetrics
    tokens: ClusterTokens | None = None
    streams: PodStreams | None = None


class RestServer:
    """One server for all addresses. Make it inside a running loop; `run` it while it serves."""

    def __init__(self, core: Core, resources: Sequence[Resource], settings: RestSettings) -> None:
        self._core = core
        self._settings = settings
        self._callers = Callers(core.authentication, core.authorization)
        self._requests = core.metrics.requests
        forms = ObjectForms(FormMemory(settings.form_memory_bytes))
        streams = Streams(forms, core.metrics)
        self._objects = ObjectFace(core.objects, forms, streams, settings.compression)
        self._streams = StreamFace(core.streams) if core.streams is not None else None
        self._http = HttpServer(self._handle)
        self._servers: list[asyncio.Server] = []
        self._running: set[Request] = set()
        self._is_quiet = asyncio.Event()
        self._is_quiet.set()
        self.serve(resources)

    def serve(self, resources: Sequence[Resource]) -> None:
        """From now on, serve these resources, as far as somebody answers them."""
        served = served_resources(resources, with_streams=self._streams is not None)
        self._paths = Paths(served)
        self._documents = Documents(
            served,
            self._settings.server_address,
            self._core.authorization,
            self._core.metrics.registry,
            self._core.tokens,
        )

    async def start(self, listeners: Sequence[RestListener]) -> list[int]:
        """Listen, and serve; returns the ports, which differ from those asked for where 0 was.

        Raises:
            OSError: an address cannot be listened on.
        """
        loop = asyncio.get_running_loop()
        for listener in listeners:
            server = await loop.create_server(
                self._http,
                listener.host,
                listener.port,
                ssl=listener.tls,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS if listener.tls else None,
                reuse_address=True,
                backlog=1024,
            )
            self._servers.append(server)
        return [server.sockets[0].getsockname()[1] for server in self._servers]

    async def run(self) -> None:
        """End requests that take too long, until cancelled."""
        limit = self._settings.request_timeout_seconds
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            latest = perf_counter() - limit
            for request in [item for item in self._running if item.started < latest and not item.is_lasting]:
                request.time_out()

    async def stop(self, grace_seconds: float) -> None:
        """Accept nothing more, end watches at once, and give other requests the grace period."""
        for server in self._servers:
            server.close()
        self._http.pre_shutdown()
        for request in [item for item in self._running if item.is_lasting]:
            request.leave()
        await self._drain(grace_seconds)
        await self._http.shutdown(grace_seconds)
        for server in self._servers:
            await server.wait_closed()

    async def _drain(self, grace_seconds: float) -> None:
        """Wait for requests that run, then cancel those that are left.

        aiohttp would do both, but fails to do so for a request that ends in the very moment in which its time is over.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await self._is_quiet.wait()
        for request in tuple(self._running):
            if request.task is not None:
                request.task.cancel()

    # -------------------------------------------------------------------------------------------- one request

    async def _handle(self, request: Request) -> Written:
        request.task = asyncio.current_task()
        self._running.add(request)
        self._is_quiet.clear()
        try:
            return await self._serve(request)
        except StatusError as error:
            return self._write_error(request, error)
        except ConnectionError:
            self._count_abort(request)
            return CLOSE
        except asyncio.CancelledError:
            if not request.is_timed_out or request.task is None:
                raise
            request.task.uncancel()
            seconds = self._settings.request_timeout_seconds
            return self._write_error(request, errors.timeout(f"request did not complete within {seconds:g}s"))
        finally:
            self._running.discard(request)
            if not self._running:
                self._is_quiet.set()
            self._http.budget.give(request.body_bytes)
            self._count(request)

    async def _serve(self, request: Request) -> Written:
        target = self._paths.find(request.path)
        if target is None:
            return await self._serve_document(request)
        identity = self._callers.identify(request)
        query = parse_query(request.query_text)
        verb = verb_of(request.method, target, query)
        series = request.series = series_of(self._requests, request, target, verb, query)
        asked = Asked(request, target, verb, query, identity)
        if verb == "watch":
            request.is_lasting = True
            return await self._objects.watch(asked, series)
        if self._streams is not None and is_stream(target.endpoint.resource, target.endpoint.subresource):
            request.is_lasting = True
            return await self._streams.serve(asked, series)
        inflight = self._requests.mutating if verb in MUTATING else self._requests.read_only
        inflight.value += 1
        try:
            return await self._objects.serve(asked)
        finally:
            inflight.value -= 1

    async def _serve_document(self, request: Request) -> Written:
        request.series = self._requests.endpoint(request.method, None, "", "")
        probe = probe_of(request.path)
        if probe is not None:
            return write_probe(request, self._core.health, *probe) or write_not_found(request)
        if request.path.rstrip("/") == "/version":
            return write_version(request)
        identity = self._callers.identify(request)
        return await self._documents.serve(request, identity) or write_not_found(request)

    def _write_error(self, request: Request, error: StatusError) -> Written:
        if request.code:  # half an answer must not look like a whole one
            request.transport.abort()
            return CLOSE
        wanted = status_format(request.headers.get("Accept", ""))
        if is_for_humans(parse_query(request.query_text), request.headers.get("User-Agent", "")):
            wanted = wanted._replace(pretty=True)
        body = error_body(error, wanted)
        try:
            return write(request, error.code, body, CONTENT_TYPES[wanted.format], error_headers(error))
        except ConnectionError:
            return CLOSE

    def _count(self, request: Request) -> None:
        seconds = perf_counter() - request.started
        if seconds > _SLOW_SECONDS and not request.is_lasting:
            _LOG.warning("slow request", **_line(request, seconds))
        elif _LOG.is_debug:
            _LOG.debug("request", **_line(request, seconds))
        series = request.series
        if series is None:
            return
        if request.is_lasting:
            series.ended(request.code)
        else:
            series.done(request.code, seconds, request.size)

    def _count_abort(self, request: Request) -> None:
        target = self._paths.find(request.path)
        if target is not None and not request.is_lasting:
            endpoint = target.endpoint
            scope = scope_of(target.namespace, target.name, request.method)
            self._requests.aborted(request.method, endpoint.resource, endpoint.subresource, scope)


def _line(request: Request, seconds: float) -> dict[str, object]:
    """What a log says of a request."""
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query_text,
        "code": request.code,
        "bytes": request.size,
        "seconds": round(seconds, 6),
        "peer": request.remote,
        "agent": request.headers.get("User-Agent", ""),
    }
