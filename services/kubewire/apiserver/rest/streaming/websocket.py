"""WebSockets on the server's own connections: the handshake, and messages in both directions with back pressure.

Frames are read and written by aiohttp; a client that does not read makes writers wait, and one that sends faster than
its messages are taken is not read from.
"""

from __future__ import annotations

import asyncio
import socket
from base64 import b64decode, b64encode
from binascii import Error as MalformedBase64
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha1
from typing import TYPE_CHECKING, Final

from aiohttp import EofStream
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.http_websocket import WS_KEY, WebSocketError, WebSocketReader, WebSocketWriter, WSCloseCode, WSMsgType

from kubewire.apiserver.rest.answers import drain
from kubewire.machinery import errors

if TYPE_CHECKING:
    from kubewire.apiserver.rest.request import Request

PROTOCOLS_HEADER: Final = "Sec-WebSocket-Protocol"
_KEY_HEADER: Final = "Sec-WebSocket-Key"
_KEY_BYTES: Final = 16
_VERSION: Final = "13"
_QUEUE_BYTES: Final = 64 * 1024
_MESSAGE_BYTES: Final = 4 << 20
_SWITCHING: Final = 101
_CLOSE_SECONDS: Final = 2.0
_KEEPALIVE: Final = (
    (socket.TCP_KEEPIDLE, 30),  # seconds of silence
    (socket.TCP_KEEPINTVL, 10),
    (socket.TCP_KEEPCNT, 3),
    (socket.TCP_USER_TIMEOUT, 60_000),  # milliseconds without an acknowledgement of what was sent
)


def is_wanted(request: Request) -> bool:
    """Whether the client asks for a WebSocket."""
    headers = request.headers
    connection = {word.strip().lower() for word in headers.get("Connection", "").split(",")}
    return request.method == "GET" and "upgrade" in connection and headers.get("Upgrade", "").lower() == "websocket"


def negotiate(request: Request, known: Sequence[str]) -> str:
    """The first protocol the client names that is known; empty if it names none.

    Raises:
        StatusError: 400, it names others only.
    """
    text = request.headers.get(PROTOCOLS_HEADER, "")
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    if not wanted:
        return ""
    for name in wanted:
        if name in known:
            return name
    raise errors.bad_request(f"unable to upgrade: none of the protocols {text!r} is known; there are {list(known)}")


class WebSocket:
    """One WebSocket, from its acceptance on."""

    def __init__(self, request: Request) -> None:
        connection = request.connection
        self._request = request
        self._queue = WebSocketDataQueue(connection, _QUEUE_BYTES, loop=asyncio.get_running_loop())
        # The connection feeds it, and it has to be held.
        self._reader = WebSocketReader(self._queue, _MESSAGE_BYTES, compress=False, decode_text=False)
        self._writer = WebSocketWriter(connection, request.transport)
        self._is_closed = False

    @classmethod
    def accept(cls, request: Request, protocol: str) -> WebSocket:
        """Answer the handshake; nothing else can be answered after that.

        Raises:
            StatusError: 400, it is malformed.
        """
        headers = request.headers
        key = headers.get(_KEY_HEADER, "")
        if headers.get("Sec-WebSocket-Version") != _VERSION or not _is_key(key):
            raise errors.bad_request(f"unable to upgrade: want a WebSocket of version {_VERSION} with a key")
        made = cls(request)
        _notice_death(request)
        proof = b64encode(sha1(key.encode() + WS_KEY, usedforsecurity=False).digest())
        chosen = f"{PROTOCOLS_HEADER}: {protocol}\r\n".encode() if protocol else b""
        request.code = _SWITCHING
        request.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n%b\r\n" % (proof, chosen)
        )
        request.connection.set_parser(made._reader)
        return made

    async def receive(self) -> bytes | None:
        """The next message's data, None once the client has closed it or is gone."""
        while True:
            try:
                message = await self._queue.read()
            except (EofStream, WebSocketError, ConnectionError):
                return None
            if message.type is WSMsgType.BINARY or message.type is WSMsgType.TEXT:
                data: bytes = message.data
                return data
            if message.type is WSMsgType.PING:
                await self._writer.send_frame(message.data, WSMsgType.PONG)
            elif message.type is WSMsgType.CLOSE:
                await self._send_close()
                return None

    async def send(self, data: bytes, *, is_text: bool = False) -> None:
        """Send a message; waits while the client does not read.

        Raises:
            ConnectionError: the client is gone.
        """
        request = self._request
        request.size += len(data)
        await self._writer.send_frame(data, WSMsgType.TEXT if is_text else WSMsgType.BINARY)
        if request.connection.writing_paused:
            await drain(request)

    async def close(self) -> None:
        """Say that nothing follows, and let the client say so too before the connection ends; harmless if it has."""
        if not self._is_closed:
            await self._send_close()
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    while await self.receive() is not None:
                        pass

    async def _send_close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            with suppress(ConnectionError):  # the client is gone
                await self._writer.send_frame(WSCloseCode.OK.to_bytes(2, "big"), WSMsgType.CLOSE)


def _notice_death(request: Request) -> None:
    """Have the kernel find out when the client's machine is gone, as a process would run on for nobody."""
    connection = request.transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEPALIVE:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _is_key(text: str) -> bool:
    try:
        return len(b64decode(text, validate=True)) == _KEY_BYTES
    except (ValueError, MalformedBase64):
        return False
