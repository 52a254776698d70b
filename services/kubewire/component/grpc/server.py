"""The gRPC port of components other than the API server: one typed service, health and reflection.

It listens where it is told to without TLS and asks for no token, so that its place is the loopback address; what it
serves reads and never changes anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from kubewire.component.grpc.descriptors import Index
from kubewire.component.grpc.health import SERVICE as HEALTH_SERVICE
from kubewire.component.grpc.health import HealthService
from kubewire.component.grpc.listener import Listener, bind
from kubewire.component.grpc.options import ServerOptions
from kubewire.component.grpc.reflection import ReflectionService
from kubewire.component.grpc.status import DETAILS_KEY, translate
from kubewire.component.health import Health
from kubewire.machinery.errors import StatusError

RequestT = TypeVar("RequestT", bound=Message)
Handler: TypeAlias = "grpc.RpcMethodHandler[bytes, bytes]"
Methods = Mapping[str, Handler]

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class Service(Protocol):
    """One typed service of a component."""

    @property
    def name(self) -> str:
        """Full name, such as `kubewire.scheduler.v1.SchedulerService`."""
        ...

    @property
    def module(self) -> str:
        """The generated module that holds it and its messages."""
        ...

    @property
    def methods(self) -> Methods:
        """Handlers by method name; see `serves`."""
        ...


class ComponentServer:
    """Make it inside a running loop."""

    def __init__(self, service: Service, health: Health) -> None:
        self._server = grpc.aio.server(options=ServerOptions().arguments())
        names = (service.name, HEALTH_SERVICE)

        def index() -> Index:
            return {service.name: service.module}

        handlers = {f"/{service.name}/{method}": handler for method, handler in service.methods.items()}
        self._server.add_generic_rpc_handlers(
            (_Handlers(handlers), HealthService(health, names), ReflectionService(names, index))
        )

    async def start(self, address: str) -> int:
        """Listen on `host:port`, and serve; returns the port.

        Raises:
            OSError: the address cannot be listened on.
        """
        port = bind(self._server, Listener(address))
        await self._server.start()
        return port

    async def stop(self, grace_seconds: float) -> None:
        """Take no calls any more; those that are served may take the grace period."""
        await self._server.stop(grace_seconds)


def serves(request: type[RequestT], answer: Callable[[RequestT], Awaitable[Message]]) -> Handler:
    """The handler of a method with one request and one answer; StatusErrors go out as the API server sends them."""

    async def serve(data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        try:
            asked = request.FromString(data)
        except DecodeError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"the request is malformed: {error}")
        try:
            return (await answer(asked)).SerializeToString()
        except StatusError as error:
            sent = translate(error)
            await context.abort(_CODES[sent.code], sent.message, ((DETAILS_KEY, sent.details),))

    return grpc.unary_unary_rpc_method_handler(serve)


class _Handlers(grpc.GenericRpcHandler):
    """Finds a handler by path."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """gRPC asks which handler serves a path."""
        return self._handlers.get(handler_call_details.method)
