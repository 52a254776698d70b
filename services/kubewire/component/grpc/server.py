"""The gRPC port of components other than the API server: its typed services, health and reflection.

Without TLS and without a token its place is the loopback address; what most components serve reads and never changes
anything. Who serves more (the kubelet) shows a certificate and asks callers for theirs, or for a token.
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
from kubewire.component.grpc.listener import Listener, ServerIdentity, bind
from kubewire.component.grpc.options import ServerOptions
from kubewire.component.grpc.reflection import ReflectionService
from kubewire.component.grpc.status import DETAILS_KEY, translate
from kubewire.component.health import Health
from kubewire.machinery.errors import StatusError

RequestT = TypeVar("RequestT", bound=Message)
Handler: TypeAlias = "grpc.RpcMethodHandler[bytes, bytes]"
Methods = Mapping[str, Handler]

TokenCheck = Callable[[str], bool]
"""Whether a bearer token is good."""

_OPTIONS = ServerOptions(connection_age_seconds=0)
"""Nobody spreads calls over these ports, and streams of kubelets may last for days."""

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

    def __init__(self, service: Service, health: Health, *more: Service, token: TokenCheck | None = None) -> None:
        """Serve one service, or `more`; with `token`, only callers whose bearer token it finds good."""
        self._server = grpc.aio.server(options=_OPTIONS.arguments())
        services = (service, *more)
        names = (*(one.name for one in services), HEALTH_SERVICE)

        def index() -> Index:
            return {one.name: one.module for one in services}

        handlers = {f"/{one.name}/{method}": handler for one in services for method, handler in one.methods.items()}
        self._server.add_generic_rpc_handlers(
            (_Handlers(handlers, token), HealthService(health, names), ReflectionService(names, index))
        )

    async def start(self, address: str, identity: ServerIdentity | None = None) -> int:
        """Listen on `host:port`, with TLS if there is an identity, and serve; returns the port.

        Raises:
            OSError: the address cannot be listened on.
        """
        port = bind(self._server, Listener(address, identity))
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
    """Finds a handler by path; callers without a good token, where one is wanted, find one that refuses them."""

    def __init__(self, handlers: Mapping[str, Handler], token: TokenCheck | None) -> None:
        self._handlers = handlers
        self._token = token

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """gRPC asks which handler serves a path."""
        handler = self._handlers.get(handler_call_details.method)
        if handler is None or self._token is None:
            return handler
        said = dict(handler_call_details.invocation_metadata or ()).get("authorization", "")
        scheme, _, token = str(said).partition(" ")
        return handler if scheme.lower() == "bearer" and self._token(token) else _refusing(handler)


def _refusing(handler: Handler) -> Handler:
    """A handler of the same kind that refuses."""

    async def refuse(_: object, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, "want the metadata authorization: Bearer <token>")

    if handler.request_streaming:
        return grpc.stream_unary_rpc_method_handler(refuse)
    return grpc.unary_unary_rpc_method_handler(refuse)
