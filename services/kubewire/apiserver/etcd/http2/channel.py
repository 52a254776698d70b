"""A channel to one member: connects when a call needs it, and again when the connection is gone.

It offers the part of `grpc.aio.Channel` that the client uses, with the same errors, so that either can be used.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import grpc

from kubewire.apiserver.etcd.http2.calls import Call, failure, framed
from kubewire.apiserver.etcd.http2.connection import Connection
from kubewire.apiserver.etcd.http2.headers import request_block

Request = TypeVar("Request")
Response = TypeVar("Response")
Metadata = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a member listens: a socket's path, or host and port; with `trust` over TLS."""

    path: str = ""
    host: str = ""
    port: int = 0
    trust: ssl.SSLContext | None = None

    @property
    def authority(self) -> str:
        """What the `:authority` header says."""
        return "localhost" if self.path else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"unix:{self.path}" if self.path else self.authority


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: to connect, of silence before a ping, and for its answer."""

    connect_seconds: float
    keepalive_seconds: float
    keepalive_timeout_seconds: float


class Channel:
    """Calls to one member over one connection at a time."""

    def __init__(self, target: Target, timing: Timing) -> None:
        self._target = target
        self._timing = timing
        self._connection: Connection | None = None
        self._connecting = asyncio.Lock()

    def unary(
        self, path: str, serialize: Callable[[Request], bytes], parse: Callable[[bytes], Response], metadata: Metadata
    ) -> UnaryCallable[Request, Response]:
        """A callable for one method."""
        return UnaryCallable(self, self._block(path, metadata), serialize, parse)

    def stream(
        self, path: str, serialize: Callable[[Request], bytes], parse: Callable[[bytes], Response], metadata: Metadata
    ) -> StreamCall[Request, Response]:
        """A new stream in both directions."""
        return StreamCall(self, self._block(path, metadata), serialize, parse)

    async def connection(self) -> Connection:
        """An open connection.

        Raises:
            grpc.aio.AioRpcError: UNAVAILABLE, in the words that tell that nothing was sent.
        """
        found = self._connection
        if found is not None and found.is_open:
            return found
        async with self._connecting:
            if self._connection is None or not self._connection.is_open:
                self._connection = await self._connect()
            return self._connection

    async def close(self) -> None:
        """Close the connection and end every call."""
        if self._connection is not None:
            self._connection.close()

    def _block(self, path: str, metadata: Metadata) -> bytes:
        scheme = "https" if self._target.trust else "http"
        return request_block(scheme, self._target.authority, path, metadata)

    async def _connect(self) -> Connection:
        loop, target, timing = asyncio.get_running_loop(), self._target, self._timing

        def protocol() -> Connection:
            return Connection(timing.keepalive_seconds, timing.keepalive_timeout_seconds)

        try:
            async with asyncio.timeout(timing.connect_seconds):
                if target.path:
                    _, made = await loop.create_unix_connection(protocol, target.path)
                else:
                    _, made = await loop.create_connection(protocol, target.host, target.port, ssl=target.trust)
        except (OSError, TimeoutError) as error:
            reason = str(error) or f"no connection within {timing.connect_seconds:g} s"
            text = f"failed to connect to all addresses; last error: {target}: {reason}"
            raise failure(grpc.StatusCode.UNAVAILABLE, text) from None
        return made


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
        """
        loop = asyncio.get_running_loop()
        begun = loop.time()
        connection = await self._channel.connection()
        call = connection.start(self._block, framed(self._serialize(request)), is_last=True)
        timer = loop.call_later(timeout - (loop.time() - begun), _expire, connection, call)
        try:
            message = await call.next_message()
            if message is None or await call.next_message() is not None:
                raise failure(grpc.StatusCode.INTERNAL, "not exactly one message in the answer")
        finally:
            timer.cancel()
            if not call.is_over:
                connection.cancel(call)
        return self._parse(message)


def _expire(connection: Connection, call: Call) -> None:
    call.end(failure(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded"))
    connection.cancel(call)


class StreamCall(Generic[Request, Response]):
    """A stream: write requests, read answers, cancel it when done. Opened by the first write."""

    def __init__(
        self, channel: Channel, block: bytes, serialize: Callable[[Request], bytes], parse: Callable[[bytes], Response]
    ) -> None:
        self._channel = channel
        self._block = block
        self._serialize = serialize
        self._parse = parse
        self._connection: Connection | None = None
        self._call: Call | None = None

    async def write(self, request: Request) -> None:
        """Send one request.

        Raises:
            grpc.aio.AioRpcError: there is no connection.
        """
        data = framed(self._serialize(request))
        if self._connection is None or self._call is None:
            self._connection = await self._channel.connection()
            self._call = self._connection.start(self._block, data, is_last=False)
        else:
            self._connection.send(self._call, data)

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
        self._connection.consumed(self._call)
        return self._parse(message)

    def cancel(self) -> None:
        """End the stream; doing it twice is harmless."""
        if self._connection is not None and self._call is not None:
            self._connection.cancel(self._call)
