"""The streams that a CRI runtime serves itself: asked for over CRI, then fetched over HTTP turned into SPDY."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

import grpc.aio

from kubewire.component.spdy.session import SpdySession
from kubewire.cri.v1.api_pb2 import AttachRequest, AttachResponse
from kubewire.kubelet.errors import RuntimeCallError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_ATTACH: Final = "/runtime.v1.RuntimeService/Attach"
_CALL_SECONDS: Final = 10.0
_CHUNK_BYTES: Final = 64 * 1024
_SWITCHING: Final = b"HTTP/1.1 101 "


class Wanted(NamedTuple):
    """Which streams of a container are wanted, and whether it has a terminal."""

    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False


class RuntimeStreams:
    """Asks the runtime where its streams are."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._attach: Callable[..., Awaitable[AttachResponse]] = channel.unary_unary(
            _ATTACH, AttachRequest.SerializeToString, AttachResponse.FromString
        )

    async def attach_url(self, container_id: str, wanted: Wanted) -> str:
        """Where to attach; good for one use, and a short while.

        Raises:
            RuntimeCallError: the runtime refused.
        """
        request = AttachRequest(
            container_id=container_id,
            stdin=wanted.stdin,
            stdout=wanted.stdout,
            stderr=wanted.stderr,
            tty=wanted.tty,
        )
        try:
            return (await self._attach(request, timeout=_CALL_SECONDS)).url
        except grpc.aio.AioRpcError as error:
            raise RuntimeCallError("Attach", error.code().name, error.details() or "no reason given") from None


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[SpdySession]:
    """A session with what the runtime serves at a URL; closed when the block is left.

    Raises:
        RuntimeCallError: it cannot be reached there, or refuses.
    """
    place = urlsplit(url)
    try:
        async with asyncio.timeout(_CALL_SECONDS):
            reader, writer = await asyncio.open_connection(place.hostname, place.port)
            await _switch(reader, writer, place.netloc, f"{place.path}?{place.query}" if place.query else place.path)
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise RuntimeCallError(
            "Attach", "UNAVAILABLE", f"its streams at {place.netloc} cannot be had: {error}"
        ) from None

    async def send(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    session = SpdySession(send, is_client=True)
    try:
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(session.run(lambda: reader.read(_CHUNK_BYTES)))
            yield session
            reading.cancel()
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _switch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, path: str) -> None:
    """Turn the connection into a SPDY one."""
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
        f"X-Stream-Protocol-Version: v4.channel.k8s.io\r\nContent-Length: 0\r\n\r\n".encode()
    )
    await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(_SWITCHING):
        raise OSError(f"it answered {head.splitlines()[0].decode(errors='replace')}")
