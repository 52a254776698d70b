"""Serves every gRPC method to whoever has its path and the bytes of a request.

That is the gRPC server, and clients in this process, which skip the sockets and nothing else. Here a call is counted
and timed, and an unexpected failure becomes an INTERNAL error that tells nothing about the inside; everything else is
left to the verbs' actions.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.metrics import scope_of
from kubewire.apiserver.rpc import asked as reading
from kubewire.apiserver.rpc import request as requests
from kubewire.apiserver.rpc.actions import Actions
from kubewire.apiserver.rpc.batches import Batches
from kubewire.apiserver.rpc.methods import Method, MethodTable, Verb
from kubewire.apiserver.rpc.unexpected import hide
from kubewire.apiserver.rpc.watching import WatchMessages
from kubewire.component.log import Logger
from kubewire.machinery.errors import Reason, StatusError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kubewire.apiserver.contracts import Objects
    from kubewire.apiserver.metrics import ApiServerMetrics, EndpointMetrics
    from kubewire.apiserver.rpc.asked import Asked
    from kubewire.apiserver.rpc.context import RpcContext
    from kubewire.apiserver.rpc.writes import Writes
    from kubewire.machinery.resources import ResourceTable

_LOG: Final = Logger("apiserver.rpc")
_OK: Final = 200
_CREATED: Final = 201
_CLIENT_CLOSED: Final = 499
_INTERNAL: Final = 500
_SLOW_SECONDS: Final = 1.0
_READS: Final = frozenset({Verb.GET, Verb.LIST, Verb.LIST_WRITES})
_REST_VERBS: Final = {
    Verb.GET: "GET",
    Verb.LIST: "LIST",
    Verb.WATCH: "WATCH",
    Verb.CREATE: "POST",
    Verb.CREATE_BATCH: "POST",
    Verb.UPDATE: "PUT",
    Verb.PATCH: "PATCH",
    Verb.APPLY: "APPLY",
    Verb.APPLY_MANIFEST: "APPLY",
    Verb.DELETE: "DELETE",
    Verb.DELETE_BATCH: "DELETECOLLECTION",
    Verb.LIST_WRITES: "LIST",
}


class Dispatcher:
    """All methods of all services, over one `Objects`."""

    def __init__(self, objects: Objects, writes: Writes, resources: ResourceTable, metrics: ApiServerMetrics) -> None:
        self._objects = objects
        self._resources = resources
        self._metrics = metrics
        self._methods = MethodTable(resources.served())
        self._actions: dict[Verb, Callable[[Asked], Awaitable[bytes]]] = {
            **Actions(objects).by_verb,
            **Batches(objects).by_verb,
            Verb.LIST_WRITES: writes.list,
        }

    @property
    def services(self) -> tuple[str, ...]:
        """Full names of all services."""
        return self._methods.services

    def find(self, path: str) -> Method | None:
        """The method at a path (`/kubewire.rpc.core.v1.PodService/GetPod`), or None."""
        return self._methods.find(path)

    async def unary(self, path: str, context: RpcContext, data: bytes) -> bytes:
        """Serve a method that answers once: the request's bytes in, the answer's out.

        Raises:
            StatusError: the call failed; nothing else is raised but cancellation.
        """
        return await self.call(self._existing(path, is_stream=False), context, data)

    async def stream(self, path: str, context: RpcContext, data: bytes) -> WatchMessages:
        """Serve a method that answers with a stream; the watch is open when this returns, and must be closed.

        Raises:
            StatusError: it could not be opened.
        """
        return await self.open(self._existing(path, is_stream=True), context, data)

    async def call(self, method: Method, context: RpcContext, data: bytes) -> bytes:
        """Like `unary`, for a method that was found before."""
        started = time.perf_counter()
        requests_now = self._metrics.requests.read_only if method.verb in _READS else self._metrics.requests.mutating
        requests_now.value += 1
        asked, code, size = None, _CREATED if method.verb is Verb.CREATE else _OK, 0
        try:
            if method.verb is Verb.APPLY_MANIFEST:
                answer = await self._apply_manifest(context, data)
            else:
                asked = reading.read(method, context, data, self._resources)
                answer = await self._actions[method.verb](asked)
            size = len(answer)
        except StatusError as error:
            code = error.code
            raise
        except asyncio.CancelledError:
            code = _CLIENT_CLOSED
            raise
        except Exception as error:
            code = _INTERNAL
            raise hide(error, method.path) from error
        finally:
            requests_now.value -= 1
            self._count(method, asked, code, time.perf_counter() - started, size)
        return answer

    async def open(self, method: Method, context: RpcContext, data: bytes) -> WatchMessages:
        """Like `stream`, for a method that was found before."""
        asked = None
        try:
            asked = reading.read(method, context, data, self._resources)
            options = requests.watch_options(asked.options, requests.window_seconds(asked.request))
            watch = await self._objects.watch(asked.call, options)
        except StatusError as error:
            self._endpoint(method, asked).ended(error.code)
            raise
        except Exception as error:
            self._endpoint(method, asked).ended(_INTERNAL)
            raise hide(error, method.path) from error
        kind = self._metrics.of_kind(asked.call.resource)
        return WatchMessages(watch, asked.form, self._endpoint(method, asked), kind)

    async def _apply_manifest(self, context: RpcContext, data: bytes) -> bytes:
        from kubewire.apiserver.rpc.manifests import apply_manifests  # noqa: PLC0415 - loads YAML, few calls need it

        return await apply_manifests(self._objects, self._resources, context, requests.parse(data))

    def _existing(self, path: str, *, is_stream: bool) -> Method:
        method = self._methods.find(path)
        if method is None or method.is_stream is not is_stream:
            raise StatusError(404, Reason.NOT_FOUND, f"the server could not find the requested method: no {path!r}")
        return method

    def _count(self, method: Method, asked: Asked | None, code: int, seconds: float, size: int) -> None:
        if code == _CLIENT_CLOSED:
            self._aborted(method, asked)
        else:
            self._endpoint(method, asked).done(code, seconds, size)
        if seconds > _SLOW_SECONDS or _LOG.is_debug:
            call = asked.call if asked else None
            (_LOG.info if seconds > _SLOW_SECONDS else _LOG.debug)(
                "request served",
                method=method.path,
                code=code,
                seconds=round(seconds, 6),
                bytes=size,
                namespace=call.namespace if call else "",
                name=call.name if call else "",
                user=call.identity.name if call else "",
                user_agent=call.user_agent if call else "",
            )

    def _aborted(self, method: Method, asked: Asked | None) -> None:
        verb = _REST_VERBS[method.verb]
        if asked is None:
            self._metrics.requests.aborted(verb, method.resource, method.subresource, "")
        else:
            call = asked.call
            scope = scope_of(call.namespace, call.name, verb)
            self._metrics.requests.aborted(verb, call.resource, call.subresource, scope)

    def _endpoint(self, method: Method, asked: Asked | None) -> EndpointMetrics:
        verb = _REST_VERBS[method.verb]
        if asked is None:
            return self._metrics.requests.endpoint(verb, method.resource, method.subresource, "")
        call = asked.call
        scope = scope_of(call.namespace, call.name, verb)
        return self._metrics.requests.endpoint(verb, call.resource, call.subresource, scope)
