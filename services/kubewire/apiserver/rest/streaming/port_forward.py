"""Port-forward over a WebSocket that carries SPDY, as kubectl does it: two streams for each connection to a port.

The client opens a stream for errors and one for data, both named by a number and a port; each pair becomes a call to
the kubelet. What goes wrong with one connection is told on its stream of errors, and the others go on.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from kubewire.component.log import Logger
from kubewire.component.spdy.errors import SpdyError
from kubewire.component.spdy.session import SpdySession
from kubewire.machinery.errors import StatusError
from kubewire.rpc.core.v1.pod_service_pb2 import PortForwardPodRequest, PortForwardPodResponse

if TYPE_CHECKING:
    from kubewire.apiserver.rest.streaming.websocket import WebSocket
    from kubewire.apiserver.streams.pod_streams import Prepared
    from kubewire.apiserver.streams.session import Session
    from kubewire.component.spdy.stream import Stream

PROTOCOL: Final = "SPDY/3.1+portforward.k8s.io"
_PORTS: Final = range(1, 65536)
_LOG: Final = Logger("apiserver.rest")


async def carry(socket: WebSocket, prepared: Prepared) -> None:
    """Serve the client's connections until it leaves."""
    try:
        async with asyncio.TaskGroup() as group:
            tunnel = Tunnel(group, socket, prepared)
            await tunnel.session.run(tunnel.receive)
            tunnel.close()
    except* (SpdyError, ConnectionError) as failures:
        _LOG.debug("port-forward ended", reason=failures.exceptions[0])
    await socket.close()


class Tunnel:
    """Pairs the streams of one client, and serves each pair in a task of its own."""

    def __init__(self, group: asyncio.TaskGroup, socket: WebSocket, prepared: Prepared) -> None:
        self._group = group
        self._socket = socket
        self._prepared = prepared
        self._waiting: dict[str, Stream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.session: Final = SpdySession(socket.send, is_client=False, on_stream=self._opened)

    async def receive(self) -> bytes:
        """The next bytes of the tunnel; empty at its end."""
        while (data := await self._socket.receive()) is not None:
            if data:
                return data
        return b""

    def close(self) -> None:
        """The client is gone: end its connections."""
        for task in self._tasks:
            task.cancel()

    def _opened(self, stream: Stream) -> None:
        number = stream.headers.get("requestid", "")
        other = self._waiting.pop(number, None)
        if other is None:
            self._waiting[number] = stream
            return
        pair = {one.headers.get("streamtype", ""): one for one in (stream, other)}
        task = self._group.create_task(self._serve(pair.get("data"), pair.get("error")))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, data: Stream | None, errors: Stream | None) -> None:
        if data is None or errors is None:
            return  # no pair: the client sees nothing come of it
        try:
            await self._connect(data)
        except* StatusError as group:
            await errors.write(_first(group).message.encode())
        await errors.finish()
        await data.finish()

    async def _connect(self, data: Stream) -> None:
        session = await self._prepared.to_port(_port(data)).open()
        try:
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(_send(data, session))
                await _receive(data, session)
                sending.cancel()
        finally:
            session.close()


async def _receive(data: Stream, session: Session) -> None:
    while (raw := await session.receive()) is not None:
        answer = PortForwardPodResponse.FromString(raw)
        await data.write(answer.data)
        if answer.end:
            return


async def _send(data: Stream, session: Session) -> None:
    if not await session.is_accepted():
        return
    while piece := await data.read():
        await session.send(PortForwardPodRequest(data=piece).SerializeToString())
    if data.is_written:
        session.close()  # the client has given the connection up
    else:
        await session.end()


def _port(stream: Stream) -> int:
    text = stream.headers.get("port", "")
    if not (text.isascii() and text.isdigit() and int(text) in _PORTS):
        raise StatusError(400, "BadRequest", f"want a port between 1 and 65535, got {text!r}")
    return int(text)


def _first(group: BaseExceptionGroup[StatusError]) -> StatusError:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
