"""What a channel hands out: a callable for each unary method, and streams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

import grpc
from google.protobuf.message import DecodeError

from kubewire.apiserver.etcd.http2.calls import Call, failure, framed, not_sent

if TYPE_CHECKING:
    from kubewire.apiserver.etcd.http2.channel import Channel
    from kubewire.apiserver.etcd.http2.connection import Connection

Request = TypeVar("Request")
Response = TypeVar("Response")


class UnaryCallable(Generic[Request, Response]):
    """One method: call it with a request and await the answer."""

    __slots__ = ("_block", "_channel", "_parse", "_serialize")

    def __init__(
        self, channel: Channel, block: bytes, serialize: Callable[[Request], bytes], parse: Callable[[bytes], Response]
    ) -> None:
        self._channel = channel
        self._block = block
        self._serialize = serialize
        self._parse = parse

    async def __call__(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109  # grpc's signature
        """The answer.

        Raises:
            grpc.aio.AioRpcError: as grpc.aio would; DEADLINE_EXCEEDED after `timeout` seconds.
            NotSent: it certainly did not reach the peer.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        data = framed(self._serialize(request))
        if timeout <= 0:
            raise not_sent("no time left", grpc.StatusCode.DEADLINE_EXCEEDED)
        connection = self._channel.open_connection or await self._channel.connect(timeout)
        call = connection.start(self._block, data, is_last=True)
        limited = connection.limit(call, deadline)
        try:
            await call.ended(loop)
        finally:
            limited.discard(call)
            if not call.is_over:
                connection.give_up(call, grpc.StatusCode.CANCELLED, "the call was cancelled")
        return _parsed(self._parse, call.answer())


def _parsed(parse: Callable[[bytes], Response], message: bytes) -> Response:
    try:
        return parse(message)
    except DecodeError as error:
        raise failure(grpc.StatusCode.INTERNAL, f"the answer cannot be read: {error}") from None


class StreamCall(Generic[Request, Response]):
    """A stream: write requests, read answers, cancel it when done. Opened by the first write.

    One task writes and one reads.
    """

    def __init__(
        self, channel: Channel, block: bytes, serialize: Callable[[Request], bytes], parse: Callable[[bytes], Response]
    ) -> None:
        self._channel = channel
        self._block = block
        self._serialize = serialize
        self._parse = parse
        self._connection: Connection | None = None
        self._call: Call | None = None
        self._is_cancelled = False

    async def write(self, request: Request) -> None:
        """Send one request; returns when there was room for all of it.

        Raises:
            grpc.aio.AioRpcError: there is no connection, or the stream is over.
        """
        data = framed(self._serialize(request))
        if self._connection is None or self._call is None:
            connection, call = await self._open(data)
        else:
            connection, call = self._connection, self._call
            connection.send(call, data)
        await connection.sent(call)
        if call.is_over:
            call.raise_error()
            raise failure(grpc.StatusCode.UNAVAILABLE, "the peer ended the stream")

    async def read(self) -> Response | None:
        """The next answer; None when the peer ended the stream with OK.

        Raises:
            grpc.aio.AioRpcError: it ended otherwise.
        """
        if self._connection is None or self._call is None:
            raise failure(grpc.StatusCode.FAILED_PRECONDITION, "read before the first write")
        message = await self._call.next_message()
        if message is None:
            return None
        self._connection.grant(self._call)
        return _parsed(self._parse, message)

    def cancel(self) -> None:
        """End the stream; doing it twice is harmless."""
        self._is_cancelled = True
        if self._connection is not None and self._call is not None:
            self._connection.give_up(self._call, grpc.StatusCode.CANCELLED, "the call was cancelled")

    async def _open(self, data: bytes) -> tuple[Connection, Call]:
        connection = self._channel.open_connection or await self._channel.connect()
        if self._is_cancelled:
            raise not_sent("the call was cancelled", grpc.StatusCode.CANCELLED)
        self._connection, self._call = connection, connection.start(self._block, data, is_last=False)
        return self._connection, self._call
