"""The gRPC face's ports: grpc.aio in front of the dispatcher, with identity, health and reflection.

Handlers take and give bytes and are found by path when the first call of a method arrives, so that no generated
service code is needed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import grpc
import grpc.aio

from kubewire.apiserver.rpc.caller import identify
from kubewire.apiserver.rpc.descriptors import index
from kubewire.client.transport.metadata import WARNING
from kubewire.component.grpc.failing import fail
from kubewire.component.grpc.health import SERVICE as HEALTH_SERVICE
from kubewire.component.grpc.health import HealthService
from kubewire.component.grpc.listener import Listener, bind
from kubewire.component.grpc.reflection import ReflectionService
from kubewire.machinery import errors
from kubewire.machinery.errors import StatusError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubewire.apiserver.auth.authentication import Authentication
    from kubewire.apiserver.rpc.dispatcher import Dispatcher
    from kubewire.apiserver.rpc.methods import Method
    from kubewire.apiserver.rpc.streaming import StreamHandlers
    from kubewire.component.grpc.options import ServerOptions
    from kubewire.component.health import Health

    Context = grpc.aio.ServicerContext[bytes, bytes]
    Handler = grpc.RpcMethodHandler[bytes, bytes]

_PLAIN: Final = " !\"#$&'()*+,/:;<=>?@[]^`{|}"
"""Characters of warnings that go out as they are; `%` and all that is not ASCII is percent-encoded."""

_LEAVING: Final = "the server is shutting down: connect again"


class RpcServer:
    """One server for all ports. Make it inside a running loop."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        authentication: Authentication,
        health: Health,
        options: ServerOptions,
        streams: StreamHandlers | None = None,
    ) -> None:
        self._face = _Face(dispatcher, authentication)
        self._server = grpc.aio.server(options=options.arguments())
        services = (*dispatcher.services, HEALTH_SERVICE)
        reflection = ReflectionService(services, index, self._face.authenticate)
        self._streams = streams
        faces = (self._face,) if streams is None else (streams, self._face)
        self._server.add_generic_rpc_handlers((*faces, HealthService(health, services), reflection))

    async def start(self, listeners: Sequence[Listener]) -> list[int]:
        """Listen, and serve; returns the ports, which differ from those asked for where 0 was.

        Raises:
            OSError: an address cannot be listened on.
        """
        ports = [bind(self._server, listener) for listener in listeners]
        await self._server.start()
        return ports

    async def stop(self, grace_seconds: float) -> None:
        """End watches at once with UNAVAILABLE, so that clients move on; other calls may take the grace period."""
        self._face.leave()
        if self._streams is not None:
            self._streams.leave()
        await self._server.stop(grace_seconds)


class _Face(grpc.GenericRpcHandler):
    """Makes a handler of each method that is called."""

    def __init__(self, dispatcher: Dispatcher, authentication: Authentication) -> None:
        self._dispatcher = dispatcher
        self._authentication = authentication
        self._handlers: dict[str, Handler] = {}
        self._streams: set[asyncio.Task[object]] = set()
        self._is_leaving = False

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """gRPC asks which handler serves a path."""
        path = handler_call_details.method
        handler = self._handlers.get(path)
        if handler is None:
            method = self._dispatcher.find(path)
            if method is None:
                return None
            handler = self._handlers[path] = self._stream(method) if method.is_stream else self._unary(method)
        return handler

    async def authenticate(self, context: Context) -> None:
        """End the call of a caller who is not known."""
        try:
            identify(context, self._authentication)
        except StatusError as error:
            await fail(context, error)

    def leave(self) -> None:
        """End all streams; none is opened any more."""
        self._is_leaving = True
        for task in self._streams:
            task.cancel()

    def _unary(self, method: Method) -> Handler:
        authentication, call = self._authentication, self._dispatcher.call

        async def serve(data: bytes, context: Context) -> bytes:
            try:
                caller = identify(context, authentication)
                answer = await call(method, caller, data)
            except StatusError as error:
                await fail(context, error)
            if caller.warnings:
                context.set_trailing_metadata(tuple((WARNING, quote(text, safe=_PLAIN)) for text in caller.warnings))
            return answer

        return grpc.unary_unary_rpc_method_handler(serve)

    def _stream(self, method: Method) -> Handler:
        async def serve(data: bytes, context: Context) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._streams.add(task)
            try:
                await self._send(method, context, data)
            except StatusError as error:
                await fail(context, error)
            except asyncio.CancelledError:
                if not self._is_leaving:
                    raise
                await fail(context, errors.service_unavailable(_LEAVING))
            finally:
                self._streams.discard(task)

        return grpc.unary_stream_rpc_method_handler(serve)

    async def _send(self, method: Method, context: Context, data: bytes) -> None:
        if self._is_leaving:
            raise errors.service_unavailable(_LEAVING)
        messages = await self._dispatcher.open(method, identify(context, self._authentication), data)
        try:
            # Tells the client that the watch is open: what happens from now on, it will see.
            await context.send_initial_metadata(())
            write = context.write
            async for message in messages:
                await write(message)
        except grpc.aio.InternalError:
            # A message cannot be sent any more: the client left, which gRPC may be slower to find out than we are,
            # and would then log as an error of ours.
            raise asyncio.CancelledError from None
        finally:
            await messages.aclose()
