"""Exec and attach over a WebSocket: channels on the client's side, messages of PodService on the kubelet's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import orjson

from kubewire.apiserver.rest.streaming.channels import RESIZE, STDERR, STDIN, STDOUT, ChannelProtocol
from kubewire.machinery.errors import StatusError
from kubewire.rpc.core.v1.pod_service_pb2 import ExecPodRequest, ExecPodResponse
from kubewire.rpc.v1.streams_pb2 import TerminalSize

if TYPE_CHECKING:
    from kubewire.apiserver.rest.streaming.websocket import WebSocket
    from kubewire.apiserver.streams.pod_streams import Prepared
    from kubewire.apiserver.streams.session import Session

_SIZE_AT_MOST: Final = 0xFFFF
_END: Final = ExecPodRequest(stdin_end=True).SerializeToString()


async def carry(socket: WebSocket, protocol: ChannelProtocol, prepared: Prepared) -> None:
    """Make the call and carry everything, until the process ends or the client leaves; then close the socket."""
    try:
        session = await prepared.open()
    except StatusError as error:
        await _end(socket, protocol, error)
        return
    try:
        await RemoteCommand(socket, protocol, session).run()
    except* ConnectionError:
        pass  # the client is gone
    finally:
        session.close()


async def _end(socket: WebSocket, protocol: ChannelProtocol, error: StatusError | None) -> None:
    await socket.send(protocol.encode_error(error), is_text=protocol.is_base64)
    await socket.close()


class RemoteCommand:
    """Carries one call. Requests and answers of exec and attach have the same fields."""

    def __init__(self, socket: WebSocket, protocol: ChannelProtocol, session: Session) -> None:
        self._socket = socket
        self._protocol = protocol
        self._session = session

    async def run(self) -> None:
        """Carry everything, until the process ends or the client leaves."""
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._send())
            error = await self._receive()
            sending.cancel()
        await _end(self._socket, self._protocol, error)

    async def _send(self) -> None:
        """From the client to the process; a client that leaves ends the call."""
        if not await self._session.is_accepted():
            return
        while (raw := await self._socket.receive()) is not None:
            message = self._protocol.decode(raw)
            if message is None:
                continue
            if message.channel == STDIN:
                request = _END if message.is_end else ExecPodRequest(stdin=message.data).SerializeToString()
                await self._session.send(request)
            elif message.channel == RESIZE:
                await self._resize(message.data)
        self._session.close()

    async def _resize(self, data: bytes) -> None:
        size = terminal_size(data)
        if size is not None:
            await self._session.send(ExecPodRequest(resize=size).SerializeToString())

    async def _receive(self) -> StatusError | None:
        """From the process to the client; how it ended."""
        try:
            while (raw := await self._session.receive()) is not None:
                answer = ExecPodResponse.FromString(raw)
                if answer.stdout:
                    await self._write(self._protocol.encode(STDOUT, answer.stdout))
                if answer.stderr:
                    await self._write(self._protocol.encode(STDERR, answer.stderr))
                if answer.HasField("status"):
                    return None if answer.status.status == "Success" else StatusError.from_proto(answer.status)
        except StatusError as error:
            return error
        return None

    async def _write(self, message: bytes) -> None:
        await self._socket.send(message, is_text=self._protocol.is_base64)


def terminal_size(data: bytes) -> TerminalSize | None:
    """What a resize message says, as JSON; None if it says nothing that makes sense."""
    try:
        told = orjson.loads(data)
        width, height = int(told["Width"]), int(told["Height"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
    if not (0 < width <= _SIZE_AT_MOST and 0 < height <= _SIZE_AT_MOST):
        return None
    return TerminalSize(width=width, height=height)
