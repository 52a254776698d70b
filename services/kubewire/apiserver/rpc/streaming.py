"""Logs, exec, attach and port-forward over gRPC: messages pass between client and kubelet as they are.

Only the first message of a call is looked into, for what it names and asks; kubelets take the messages of our own
service. The handlers stand beside the dispatcher's: what they carry is no object, and goes both ways.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from kubewire.apiserver.contracts import Call
from kubewire.apiserver.rpc.caller import identify
from kubewire.apiserver.streams.pod_streams import CREATE
from kubewire.apiserver.streams.table import CONNECTS
from kubewire.component.grpc.failing import fail
from kubewire.machinery import errors, service_names
from kubewire.machinery.errors import StatusError
from kubewire.rpc.core.v1.pod_service_pb2 import (
    AttachPodRequest,
    ExecPodRequest,
    PortForwardPodRequest,
    StreamPodLogsRequest,
)

if TYPE_CHECKING:
    from kubewire.apiserver.auth.authentication import Authentication
    from kubewire.apiserver.metrics import RequestMetrics
    from kubewire.apiserver.streams.pod_streams import PodStreams, Prepared
    from kubewire.apiserver.streams.session import Session
    from kubewire.machinery.resources import Resource

    Handler: TypeAlias = grpc.RpcMethodHandler[bytes, bytes]

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
CommandT = TypeVar("CommandT", ExecPodRequest, AttachPodRequest, PortForwardPodRequest)
RequestT = TypeVar("RequestT", StreamPodLogsRequest, ExecPodRequest, AttachPodRequest, PortForwardPodRequest)
METHODS: Final = ("StreamPodLogs", "ExecPod", "AttachPod", "PortForwardPod")
"""Of PodService; the dispatcher's table has all others."""

_LEAVING: Final = "the server is shutting down: connect again"
_OK: Final = 200
_NEVER: Final = b"\xff"
_LAST: Final = {"exec": b"\x1a", "attach": b"\x1a", "portforward": b"\x10"}
"""How the last answer of a call begins: with the tag of its field `status`, or `end`. No answer has more fields."""


class StreamHandlers(grpc.GenericRpcHandler):
    """The four methods of PodService that carry streams."""

    def __init__(
        self, streams: PodStreams, pods: Resource, authentication: Authentication, metrics: RequestMetrics
    ) -> None:
        self._streams = streams
        self._pods = pods
        self._authentication = authentication
        self._metrics = metrics
        self._running: set[asyncio.Task[object]] = set()
        self._is_leaving = False
        prefix = f"/{service_names.service(pods)}/"
        self._handlers: dict[str, Handler] = {
            prefix + method: handler
            for method, handler in zip(
                METHODS,
                (
                    grpc.unary_stream_rpc_method_handler(self._logs),
                    self._both_ways("exec", ExecPodRequest, streams.execute),
                    self._both_ways("attach", AttachPodRequest, streams.attach),
                    self._both_ways("portforward", PortForwardPodRequest, streams.forward),
                ),
                strict=True,
            )
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """gRPC asks which handler serves a path."""
        return self._handlers.get(handler_call_details.method)

    def leave(self) -> None:
        """End all streams; none is opened any more."""
        self._is_leaving = True
        for task in self._running:
            task.cancel()

    async def _logs(self, data: bytes, context: Context) -> None:
        async def serve() -> None:
            request = _parsed(StreamPodLogsRequest, data)
            session = await self._streams.logs(self._call(context, request, "log"), request)
            if session is not None:
                await _receive(session, context, _NEVER)

        await self._served(serve, "log", context)

    def _both_ways(
        self, subresource: str, kind: type[CommandT], prepare: Callable[[Call, CommandT], Awaitable[Prepared]]
    ) -> Handler:
        async def handle(requests: AsyncIterator[bytes], context: Context) -> None:
            async def serve() -> None:
                request = await _first(kind, requests)
                call = self._call(context, request, subresource)
                self._streams.authorize(call, CREATE)
                session = await (await prepare(call, request)).open()
                await _carry(session, requests, context, _LAST[subresource])

            await self._served(serve, subresource, context)

        return grpc.stream_stream_rpc_method_handler(handle)

    def _call(self, context: Context, request: RequestT, subresource: str) -> Call:
        caller = identify(context, self._authentication)
        if not request.namespace or not request.name:
            raise errors.bad_request("namespace and name: the first message must name a pod")
        return Call(
            caller.identity,
            self._pods,
            request.namespace,
            request.name,
            subresource,
            caller.user_agent,
            caller.cause,
            time.time(),
        )

    async def _served(self, serve: Callable[[], Awaitable[None]], subresource: str, context: Context) -> None:
        """Run a call, count it, and tell its failure."""
        task = asyncio.current_task()
        assert task is not None
        verb = "CONNECT" if subresource in CONNECTS else "GET"
        series = self._metrics.endpoint(verb, self._pods, subresource, "resource")
        series.running.inc()
        self._running.add(task)
        code = _OK
        try:
            await self._attempt(serve)
        except StatusError as error:
            code = error.code
            await fail(context, error)
        finally:
            self._running.discard(task)
            series.running.dec()
            series.ended(code)

    async def _attempt(self, serve: Callable[[], Awaitable[None]]) -> None:
        if self._is_leaving:
            raise errors.service_unavailable(_LEAVING)
        try:
            await serve()
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        except asyncio.CancelledError:
            if not self._is_leaving:
                raise
            raise errors.service_unavailable(_LEAVING) from None
        except grpc.aio.InternalError:
            # A message cannot be sent any more: the client left.
            raise asyncio.CancelledError from None


async def _first(kind: type[RequestT], requests: AsyncIterator[bytes]) -> RequestT:
    async for data in requests:
        return _parsed(kind, data)
    raise errors.bad_request("the first message must name a pod")


def _parsed(kind: type[RequestT], data: bytes) -> RequestT:
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise errors.bad_request(f"the request is malformed: {error}") from None


async def _carry(session: Session, requests: AsyncIterator[bytes], context: Context, last: bytes) -> None:
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(_send(session, requests))
        await _receive(session, context, last)
        sending.cancel()


async def _send(session: Session, requests: AsyncIterator[bytes]) -> None:
    if not await session.is_accepted():
        return
    async for data in requests:
        await session.send(data)
    await session.end()


async def _receive(session: Session, context: Context, last: bytes) -> None:
    """Pass answers on, up to the one that begins with `last`."""
    try:
        while (data := await session.receive()) is not None:
            await context.write(data)
            if data.startswith(last):
                return
    finally:
        session.close()
