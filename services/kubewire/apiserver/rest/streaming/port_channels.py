"""Port-forward over the channels of a WebSocket, as client libraries do it: one connection to each port asked for.

The port that stands at place N of the query has channel 2N for data and 2N+1 for errors. Each channel begins with a
message that has the port's number, low byte first. There is no half-close: whoever is done closes the WebSocket.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.rest.streaming.channels import REMOTE_COMMANDS, ChannelProtocol
from kubewire.machinery import errors
from kubewire.machinery.errors import StatusError
from kubewire.rpc.core.v1.pod_service_pb2 import PortForwardPodRequest, PortForwardPodResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubewire.apiserver.rest.streaming.websocket import WebSocket
    from kubewire.apiserver.streams.pod_streams import Prepared
    from kubewire.apiserver.streams.session import Session

PROTOCOLS: Final = {name: REMOTE_COMMANDS[name] for name in ("v4.channel.k8s.io", "v4.base64.channel.k8s.io", "")}
PORTS_AT_MOST: Final = 64
"""Channels are numbered by a byte."""


def ports_of(texts: Sequence[str]) -> list[int]:
    """Ports of a query: repeated, or separated by commas.

    Raises:
        StatusError: 400, there are none, too many, or something else than ports.
    """
    words = [word for text in texts for word in text.split(",")]
    if not words:
        raise errors.bad_request("query parameter port is required")
    if len(words) > PORTS_AT_MOST:
        raise errors.bad_request(f"ports: want at most {PORTS_AT_MOST}, got {len(words)}")
    return [_port(word) for word in words]


def _port(word: str) -> int:
    if not (word.isascii() and word.isdigit() and 0 < int(word) < 65536):
        raise errors.bad_request(f"ports: want a number between 1 and 65535, got {word!r}")
    return int(word)


async def carry(socket: WebSocket, protocol: ChannelProtocol, prepared: Prepared, ports: Sequence[int]) -> None:
    """Serve one connection to each port, until all have ended or the client leaves."""
    connections = [_Connection(socket, protocol, place, port) for place, port in enumerate(ports)]
    try:
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(_read(socket, protocol, connections))
            async with asyncio.TaskGroup() as serving:
                for connection in connections:
                    connection.task = serving.create_task(connection.run(prepared))
            reading.cancel()
    except* ConnectionError:
        pass  # the client is gone
    await socket.close()


async def _read(socket: WebSocket, protocol: ChannelProtocol, connections: Sequence[_Connection]) -> None:
    """From the client to the ports; a client that leaves ends them."""
    while (raw := await socket.receive()) is not None:
        message = protocol.decode(raw)
        if message is not None and message.channel % 2 == 0 and message.channel // 2 < len(connections):
            await connections[message.channel // 2].send(message.data)
    for connection in connections:
        connection.close()


class _Connection:
    """One port's. `task` runs it."""

    def __init__(self, socket: WebSocket, protocol: ChannelProtocol, place: int, port: int) -> None:
        self._socket = socket
        self._protocol = protocol
        self._channel = 2 * place
        self._port = port
        self._is_open = asyncio.Event()
        self._session: Session | None = None
        self.task: asyncio.Task[None] | None = None

    async def run(self, prepared: Prepared) -> None:
        """Connect, and carry what the port sends."""
        number = self._port.to_bytes(2, "little")
        await self._write(self._channel, number)
        await self._write(self._channel + 1, number)
        try:
            self._session = await prepared.to_port(self._port).open()
            self._is_open.set()
            await self._receive(self._session)
        except StatusError as error:
            await self._write(self._channel + 1, error.message.encode())
        finally:
            self._is_open.set()
            if self._session is not None:
                self._session.close()

    async def send(self, data: bytes) -> None:
        """Give the port what the client sent, once it is connected; dropped if it is not."""
        await self._is_open.wait()
        if self._session is not None and await self._session.is_accepted():
            await self._session.send(PortForwardPodRequest(data=data).SerializeToString())

    def close(self) -> None:
        """End it."""
        if self.task is not None:
            self.task.cancel()

    async def _receive(self, session: Session) -> None:
        while (raw := await session.receive()) is not None:
            answer = PortForwardPodResponse.FromString(raw)
            if answer.data:
                await self._write(self._channel, answer.data)
            if answer.end:
                return

    async def _write(self, channel: int, data: bytes) -> None:
        await self._socket.send(self._protocol.encode(channel, data), is_text=self._protocol.is_base64)
