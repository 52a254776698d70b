"""A server that does what each test of transports needs, and remembers what it was asked.

The same object answers in this process and behind a grpc.aio server, so that a difference is the transport's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import grpc
import grpc.aio

from kubewire.client.transport.metadata import CAUSE, WARNING
from kubewire.component.grpc.status import DETAILS_KEY, translate
from kubewire.machinery import errors
from kubewire.machinery.errors import Cause, Details, Reason, StatusError
from kubewire.machinery.gvk import GroupResource

PREFIX = "/kubewire.test.v1.ScriptedService/"
PODS = GroupResource("", "pods")
MESSAGE_BYTES = 64 << 10

FAILURES = {
    "NotFound": errors.not_found(PODS, "web"),
    "Conflict": errors.conflict(PODS, "web"),
    "AlreadyExists": errors.already_exists(PODS, "web"),
    "Expired": errors.expired("too old resource version: 1 (2)"),
    "Forbidden": errors.forbidden(PODS, "web", "not yours"),
    "Unauthorized": errors.unauthorized(),
    "TooManyRequests": errors.too_many_requests("slow down", 7),
    "Unavailable": StatusError(503, Reason.SERVICE_UNAVAILABLE, "the watcher was too slow"),
    "Invalid": StatusError(
        422,
        Reason.INVALID,
        'Pod "wéb" is invalid',
        Details(name="wéb", kind="Pod", causes=(Cause("FieldValueRequired", "Required value", "spec.containers"),)),
    ),
    "Unlisted": StatusError(422, "SomethingElse", "a reason nobody knows"),
}


@dataclass
class ScriptedContext:
    """What the server is told of a call."""

    user_agent: str = ""
    cause: str = ""
    warnings: list[str] = field(default_factory=list)


class ScriptedStream:
    """Messages of a generator, and whether they were closed."""

    def __init__(self, messages: AsyncGenerator[bytes, None]) -> None:
        self._messages = messages

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._messages

    async def aclose(self) -> None:
        await self._messages.aclose()


class ScriptedServer:
    """The methods of `ScriptedService`.

    Attributes:
        calls: names of the methods that were called.
        cancelled: set when a running call was cancelled.
        started: set when a call that never ends has begun.
        produced: messages that endless streams made.
        closed: streams that came to an end, by themselves or not.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.cancelled = asyncio.Event()
        self.started = asyncio.Event()
        self.produced = 0
        self.closed = 0

    async def unary(self, path: str, context: ScriptedContext, data: bytes, /) -> bytes:
        name = path.removeprefix(PREFIX)
        self.calls.append(name)
        answer: Callable[[ScriptedContext, bytes], Awaitable[bytes]] = getattr(self, "_" + name)
        return await answer(context, data)

    async def stream(self, path: str, context: ScriptedContext, data: bytes, /) -> ScriptedStream:
        name = path.removeprefix(PREFIX)
        self.calls.append(name)
        if name == "WatchRefused":
            raise FAILURES[data.decode()]
        if name == "WatchNeverOpened":
            await self._CreateForever(context, data)
        messages: Callable[[ScriptedContext, bytes], AsyncGenerator[bytes, None]] = getattr(self, "_" + name)
        return ScriptedStream(messages(context, data))

    async def _GetEcho(self, _context: ScriptedContext, data: bytes) -> bytes:  # noqa: N802 - a method's name
        return data

    async def _GetError(self, _context: ScriptedContext, data: bytes) -> bytes:  # noqa: N802
        raise FAILURES[data.decode()]

    async def _GetContext(self, context: ScriptedContext, _data: bytes) -> bytes:  # noqa: N802
        return f"{context.user_agent}|{context.cause}".encode()

    async def _GetWarned(self, context: ScriptedContext, data: bytes) -> bytes:  # noqa: N802
        context.warnings.append(data.decode())
        return b""

    async def _CreateForever(self, _context: ScriptedContext, _data: bytes) -> bytes:  # noqa: N802
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return b""

    async def _WatchCount(self, _context: ScriptedContext, data: bytes) -> AsyncGenerator[bytes, None]:  # noqa: N802
        for number in range(int(data)):
            yield str(number).encode()

    async def _WatchThenFail(self, _context: ScriptedContext, data: bytes) -> AsyncGenerator[bytes, None]:  # noqa: N802
        yield b"one"
        raise FAILURES[data.decode()]

    async def _WatchEndless(self, _context: ScriptedContext, _data: bytes) -> AsyncGenerator[bytes, None]:  # noqa: N802
        try:
            while True:
                self.produced += 1
                yield bytes(MESSAGE_BYTES)
        finally:
            self.closed += 1
            self.cancelled.set()

    async def _WatchSilent(self, _context: ScriptedContext, _data: bytes) -> AsyncGenerator[bytes, None]:  # noqa: N802
        self.started.set()
        try:
            await asyncio.Event().wait()
            yield b""
        finally:
            self.closed += 1
            self.cancelled.set()


class ScriptedHandler(grpc.GenericRpcHandler):
    """A ScriptedServer behind grpc.aio.

    Attributes:
        authorizations: what callers sent to say who they are.
    """

    def __init__(self, server: ScriptedServer) -> None:
        self._server = server
        self.authorizations: list[str] = []

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        path = handler_call_details.method

        async def unary(data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            call = self._context(context)
            try:
                answer = await self._server.unary(path, call, data)
            except StatusError as error:
                await _abort(context, error)
                raise
            context.set_trailing_metadata([(WARNING, quote(warning)) for warning in call.warnings])
            return answer

        async def stream(data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> AsyncIterator[bytes]:
            try:
                messages = await self._server.stream(path, self._context(context), data)
                await context.send_initial_metadata(())
                try:
                    async for message in messages:
                        yield message
                finally:
                    await messages.aclose()
            except StatusError as error:
                await _abort(context, error)

        if path.removeprefix(PREFIX).startswith("Watch"):
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(unary)

    def _context(self, context: grpc.aio.ServicerContext[bytes, bytes]) -> ScriptedContext:
        metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        self.authorizations.append(metadata.get("authorization", ""))
        return ScriptedContext(metadata["user-agent"], metadata.get(CAUSE, ""))


async def _abort(context: grpc.aio.ServicerContext[bytes, bytes], error: StatusError) -> None:
    sent = translate(error)
    code = next(code for code in grpc.StatusCode if code.value[0] == sent.code)
    await context.abort(code, sent.message, ((DETAILS_KEY, sent.details),))
