"""One call that carries streams: its first message, the input after it, and answers that several tasks write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Generic, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from kubewire.component.grpc.accepting import ACCEPTED
from kubewire.component.grpc.failing import fail
from kubewire.component.grpc.server import Handler
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.streams.callers import Callers
from kubewire.machinery import errors
from kubewire.machinery.errors import StatusError

RequestT = TypeVar("RequestT", bound=Message)
_DRAIN_SECONDS: Final = 5.0
Context = grpc.aio.ServicerContext[bytes, bytes]


class StreamCall(Generic[RequestT]):
    """A call as its handler sees it.

    Attributes:
        first: names the pod and has the options.
    """

    def __init__(self, first: RequestT, requests: AsyncIterator[bytes], context: Context) -> None:
        self.first: Final = first
        self._requests = requests
        self._context = context
        self._writing = asyncio.Lock()

    async def __aiter__(self) -> AsyncIterator[RequestT]:
        """All messages, the first again, as it may carry input already."""
        yield self.first
        kind = type(self.first)
        async for data in self._requests:
            yield parsed(kind, data)

    async def accept(self) -> None:
        """Tell the caller that it has begun, so that it sends input."""
        await self._context.send_initial_metadata(((ACCEPTED, "true"),))

    async def write(self, answer: Message) -> None:
        """Send an answer; waits while the caller does not read. gRPC takes one at a time."""
        async with self._writing:
            await self._context.write(answer.SerializeToString())


async def drain(feeding: asyncio.Task[None]) -> None:
    """After the last answer, let a caller who is still sending see it: a call that ends at once may hide it."""
    await asyncio.wait((feeding,), timeout=_DRAIN_SECONDS)
    feeding.cancel()


def parsed(kind: type[RequestT], data: bytes) -> RequestT:
    """A message.

    Raises:
        StatusError: 400, the bytes are none.
    """
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise errors.bad_request(f"the request is malformed: {error}") from None


class Handlers:
    """Makes handlers of methods that answer with streams, for callers who may have them."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    def both_ways(self, request: type[RequestT], serve: Callable[[StreamCall[RequestT]], Awaitable[None]]) -> Handler:
        """Of a method that takes a stream."""

        async def handle(requests: AsyncIterator[bytes], context: Context) -> None:
            async def call() -> None:
                self._callers.check(context)
                async for data in requests:
                    await serve(StreamCall(parsed(request, data), requests, context))
                    return
                raise errors.bad_request("the first message must name the pod")

            await _answered(call, context)

        return grpc.stream_stream_rpc_method_handler(handle)

    def answers(self, request: type[RequestT], serve: Callable[[StreamCall[RequestT]], Awaitable[None]]) -> Handler:
        """Of a method that takes one request."""

        async def handle(data: bytes, context: Context) -> None:
            async def call() -> None:
                self._callers.check(context)
                await serve(StreamCall(parsed(request, data), _nothing(), context))

            await _answered(call, context)

        return grpc.unary_stream_rpc_method_handler(handle)


async def _answered(call: Callable[[], Awaitable[None]], context: Context) -> None:
    """Run a call; what it fails with goes out as the API server sends errors."""
    try:
        await call()
    except (StatusError, RuntimeCallError, grpc.aio.InternalError, ExceptionGroup) as error:
        await fail(context, _told(error))


def _told(error: Exception) -> StatusError:
    """What the caller is told of a failure; others than those a call may have are raised on."""
    if isinstance(error, ExceptionGroup):
        # Streams of one call fail for one reason.
        return _told(error.exceptions[0])
    if isinstance(error, StatusError):
        return error
    if isinstance(error, RuntimeCallError):
        return errors.internal(error.detail)
    if isinstance(error, grpc.aio.InternalError):
        # A message cannot be sent any more: the caller left, which gRPC may be slower to find out than we are.
        raise asyncio.CancelledError
    raise error


async def _nothing() -> AsyncIterator[bytes]:
    no_messages: tuple[bytes, ...] = ()
    for data in no_messages:
        yield data
