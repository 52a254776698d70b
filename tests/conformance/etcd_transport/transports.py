"""The seam under the etcd client, and both that fill it: grpc.aio's channel and ours."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import grpc
import grpc.aio

from kubewire.apiserver.etcd.http2.channel import Channel, Target, Timing

Request = TypeVar("Request")
Response = TypeVar("Response")
Request_contra = TypeVar("Request_contra", contravariant=True)
Response_co = TypeVar("Response_co", covariant=True)
Metadata = Sequence[tuple[str, str]]


class Unary(Protocol[Request_contra, Response_co]):
    """A callable of one method."""

    def __call__(self, request: Request_contra, *, timeout: float) -> Awaitable[Response_co]: ...


class Stream(Protocol[Request_contra, Response_co]):
    """A stream in both directions."""

    async def write(self, request: Request_contra) -> None: ...

    async def read(self) -> Response_co | None: ...

    def cancel(self) -> None: ...


class Transport(Protocol):
    """What the etcd client asks of a channel."""

    def unary(
        self, path: str, serialize: Callable[[Request], bytes], parse: Callable[[bytes], Response], metadata: Metadata
    ) -> Unary[Request, Response]: ...

    def stream(
        self, path: str, serialize: Callable[[Request], bytes], parse: Callable[[bytes], Response], metadata: Metadata
    ) -> Stream[Request, Response]: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class Trust:
    """PEM files: the authority, and our own certificate and key if the server asks for them."""

    authority: Path
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True)
class Address:
    """Where a server listens: a socket's path or a port of the loopback address."""

    path: str = ""
    port: int = 0

    @property
    def for_grpc(self) -> str:
        """As grpc has it."""
        return f"unix:{self.path}" if self.path else f"127.0.0.1:{self.port}"


def ours(address: Address, trust: Trust | None) -> Transport:
    """The channel under test."""
    context = None
    if trust is not None:
        context = ssl.create_default_context(cafile=trust.authority)
        context.set_alpn_protocols(["h2"])
        if trust.certificate is not None:
            context.load_cert_chain(trust.certificate, trust.key)
    host = "" if address.path else "127.0.0.1"
    return Channel(Target(address.path, host, address.port, context), Timing(5, 10, 5))


def theirs(address: Address, trust: Trust | None) -> Transport:
    """grpc.aio's channel, behind the same seam."""
    return GrpcChannel(address, trust)


class GrpcChannel:
    """grpc.aio's channel as the etcd client used it."""

    def __init__(self, address: Address, trust: Trust | None) -> None:
        options: list[tuple[str, str | int]] = [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.initial_reconnect_backoff_ms", 50),
            ("grpc.max_reconnect_backoff_ms", 200),
        ]
        if address.path:
            options.append(("grpc.ssl_target_name_override", "localhost"))
        if trust is None:
            self._channel = grpc.aio.insecure_channel(address.for_grpc, options)
            return
        pem = [path.read_bytes() if path else None for path in (trust.authority, trust.key, trust.certificate)]
        self._channel = grpc.aio.secure_channel(address.for_grpc, grpc.ssl_channel_credentials(*pem), options)

    def unary(
        self, path: str, serialize: Callable[[Request], bytes], parse: Callable[[bytes], Response], metadata: Metadata
    ) -> Unary[Request, Response]:
        made: grpc.aio.UnaryUnaryMultiCallable[Request, Response] = self._channel.unary_unary(path, serialize, parse)

        async def call(request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109
            return await made(request, timeout=timeout, metadata=tuple(metadata))

        return call

    def stream(
        self, path: str, serialize: Callable[[Request], bytes], parse: Callable[[bytes], Response], metadata: Metadata
    ) -> Stream[Request, Response]:
        made: grpc.aio.StreamStreamMultiCallable[Request, Response] = self._channel.stream_stream(
            path, serialize, parse
        )
        return _GrpcStream(made(metadata=tuple(metadata)))

    async def close(self) -> None:
        await self._channel.close()


class _GrpcStream(Generic[Request, Response]):
    """A stream that raises its error when it is read to the end, and again from then on."""

    def __init__(self, call: grpc.aio.StreamStreamCall[Request, Response]) -> None:
        self._call = call

    async def write(self, request: Request) -> None:
        try:
            await self._call.write(request)
        except asyncio.InvalidStateError:
            raise await self._error() from None

    async def read(self) -> Response | None:
        try:
            answer = await self._call.read()
        except asyncio.CancelledError:
            if self._call.cancelled():
                raise await self._error() from None
            raise
        if answer is not grpc.aio.EOF:
            return answer  # type: ignore[return-value]  # the stubs do not know that EOF is the only other value
        if await self._call.code() is not grpc.StatusCode.OK:
            raise await self._error()
        return None

    def cancel(self) -> None:
        self._call.cancel()

    async def _error(self) -> grpc.aio.AioRpcError:
        none = grpc.aio.Metadata()
        return grpc.aio.AioRpcError(await self._call.code(), none, none, details=await self._call.details())
