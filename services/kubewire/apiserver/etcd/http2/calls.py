"""One gRPC call on a connection: its messages, its end, and the error it ends with."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

import grpc
import grpc.aio

from kubewire.apiserver.etcd.http2.headers import Headers, grpc_message

_PREFIX_BYTES: Final = 5
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_NO_METADATA: Final = grpc.aio.Metadata()


def failure(code: grpc.StatusCode, text: str) -> grpc.aio.AioRpcError:
    """A failed call, as the rest of the client knows it."""
    return grpc.aio.AioRpcError(code, _NO_METADATA, _NO_METADATA, details=text)


def framed(message: bytes) -> bytes:
    """A message with gRPC's prefix: not compressed, and its length."""
    return b"\0" + len(message).to_bytes(4, "big") + message


class Call:
    """What has arrived of one call's answer.

    Attributes:
        stream: its number on the connection; 0 before it is opened and after it was forgotten.
        takes_all: its answer is awaited whole, so what arrives counts as taken at once.
        unconsumed: bytes that arrived and were not yet given back to the peer's window.
    """

    __slots__ = (
        "_buffer",
        "_ended",
        "_initial",
        "_messages",
        "_needed",
        "_waiter",
        "stream",
        "takes_all",
        "unconsumed",
    )

    def __init__(self, *, takes_all: bool) -> None:
        self.takes_all: Final = takes_all
        self.stream = 0
        self.unconsumed = 0
        self._buffer = bytearray()
        self._needed = _PREFIX_BYTES
        self._messages: deque[bytes] = deque()
        self._initial: Headers | None = None
        self._ended: grpc.aio.AioRpcError | bool | None = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will arrive."""
        return self._ended is not False

    async def next_message(self) -> bytes | None:
        """The next message in order; None when the call ended well.

        Raises:
            grpc.aio.AioRpcError: it ended otherwise.
        """
        while not self._messages:
            if self._ended is not False:
                if isinstance(self._ended, grpc.aio.AioRpcError):
                    raise self._ended
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._messages.popleft()

    def on_data(self, data: bytes) -> None:
        """Bytes of messages, cut anywhere."""
        self.unconsumed += len(data)
        if not self._buffer and _is_whole(data):
            self._messages.append(data[_PREFIX_BYTES:])
        else:
            self._buffer += data
            self._cut()
        if self._messages:
            self._wake()

    def _cut(self) -> None:
        """Take whole messages off the buffer."""
        while len(self._buffer) >= self._needed:
            if self._buffer[0]:
                self.end(failure(grpc.StatusCode.INTERNAL, "a compressed message, which was not asked for"))
                return
            self._needed = _PREFIX_BYTES + int.from_bytes(self._buffer[1:_PREFIX_BYTES], "big")
            if len(self._buffer) < self._needed:
                return
            self._messages.append(bytes(self._buffer[_PREFIX_BYTES : self._needed]))
            del self._buffer[: self._needed]
            self._needed = _PREFIX_BYTES

    def on_headers(self, headers: Headers, *, is_last: bool) -> None:
        """Initial headers, or the trailers that end the call."""
        if is_last:
            self.end(_status_of(headers))
        elif self._initial is None:
            self._initial = headers

    def on_end_without_trailers(self) -> None:
        """The peer ended the stream in the middle."""
        self.end(failure(grpc.StatusCode.INTERNAL, "the stream ended without a status"))

    def end(self, error: grpc.aio.AioRpcError | None) -> None:
        """The call is over; what ended it first counts."""
        if self._ended is False:
            self._ended = error
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _is_whole(data: bytes) -> bool:
    """Whether these bytes are exactly one message that is not compressed."""
    return len(data) >= _PREFIX_BYTES and not data[0] and int.from_bytes(data[1:5], "big") == len(data) - _PREFIX_BYTES


def _status_of(headers: Headers) -> grpc.aio.AioRpcError | None:
    """The error that trailers tell, None for OK."""
    status = headers.get("grpc-status")
    if status == "0":
        return None
    if status is None:
        return failure(grpc.StatusCode.UNAVAILABLE, f"not a gRPC answer: HTTP status {headers.get(':status', 'none')}")
    code = _CODES.get(int(status), grpc.StatusCode.UNKNOWN) if status.isdigit() else grpc.StatusCode.UNKNOWN
    return failure(code, grpc_message(headers))
