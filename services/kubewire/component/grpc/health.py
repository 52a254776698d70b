"""`grpc.health.v1.Health`: Check, Watch and List, telling what the process's readiness is.

Anyone may ask, without a token: load balancers and probes have none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import TYPE_CHECKING, Final

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from kubewire.machinery.wire import field

if TYPE_CHECKING:
    from kubewire.component.health import Health

SERVICE: Final = "grpc.health.v1.Health"
_WATCHERS_AT_MOST: Final = 1000
_SERVING: Final = HealthCheckResponse.SERVING
_NOT_SERVING: Final = HealthCheckResponse.NOT_SERVING
_UNKNOWN: Final = HealthCheckResponse.SERVICE_UNKNOWN


class HealthService(grpc.GenericRpcHandler):
    """Health of the process, under the empty name, and of each of its services, which stand and fall together."""

    def __init__(self, health: Health, services: Iterable[str]) -> None:
        self._services = frozenset(("", *services))
        self._ready = False
        self._watchers: set[asyncio.Event] = set()
        health.subscribe(self._turned)
        self._handlers: Mapping[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            f"/{SERVICE}/Check": grpc.unary_unary_rpc_method_handler(self._check),
            f"/{SERVICE}/List": grpc.unary_unary_rpc_method_handler(self._list),
            f"/{SERVICE}/Watch": grpc.unary_stream_rpc_method_handler(self._watch),
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        """gRPC asks which handler serves a path."""
        return self._handlers.get(handler_call_details.method)

    def _turned(self, ready: bool) -> None:  # noqa: FBT001 - the subscriber's signature
        self._ready = ready
        for watcher in self._watchers:
            watcher.set()

    def _status(self, service: str) -> int:
        if service not in self._services:
            return _UNKNOWN
        return _SERVING if self._ready else _NOT_SERVING

    async def _check(self, data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        service = await _service_of(data, context)
        status = self._status(service)
        if status == _UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"unknown service {service!r}")
        return _response(status)

    async def _list(self, _data: bytes, _context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        # HealthListResponse: a map from names to responses.
        statuses = ((name, self._status(name)) for name in sorted(self._services))
        return b"".join(field(1, field(1, name.encode()) + field(2, _response(status))) for name, status in statuses)

    async def _watch(self, data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> AsyncIterator[bytes]:
        """The status now, and whenever it changes. A service that is not known may appear, says the protocol."""
        service = await _service_of(data, context)
        if len(self._watchers) >= _WATCHERS_AT_MOST:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many watches of health are open")
        turned = asyncio.Event()
        self._watchers.add(turned)
        try:
            while True:
                turned.clear()
                yield _response(self._status(service))
                await turned.wait()
        finally:
            self._watchers.discard(turned)


def _response(status: int) -> bytes:
    data: bytes = HealthCheckResponse(status=status).SerializeToString()
    return data


async def _service_of(data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> str:
    try:
        return HealthCheckRequest.FromString(data).service
    except DecodeError as error:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"the request is malformed: {error}")
