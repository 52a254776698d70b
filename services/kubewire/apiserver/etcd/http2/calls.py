"""One gRPC call on a connection: its messages, its end, and the error it ends with."""

from __future__ import annotations

import asyncio
from collections import deque
from struct import Struct
from typing import Final

import grpc
import grpc.aio

from kubewire.apiserver.etcd.http2.headers import Headers, grpc_message

_PREFIX_BYTES: Final = 5
_PREFIX: Final = Struct(">BL")
"""Whether the message is compressed, which we never ask for, and its length."""

_MOST_BYTES: Final = (1 << 31) - 1
"""No protobuf message is larger."""

_CODES: Final = {str(code.value[0]): code for code in grpc.StatusCode}
_NO_METADATA: Final = grpc.aio.Metadata()


class NotSent(grpc.aio.AioRpcError):
    """A call that certainly did not begin at the peer, and will not: it may be made again, whatever it does.

    It is made where no byte of the call left, or where HTTP/2 promises that the peer has not begun with it; never
    from what a peer says in words.
    """


def failure(code: grpc.StatusCode, text: str) -> grpc.aio.AioRpcError:
    """A call that failed; the peer may have begun with it."""
    return grpc.aio.AioRpcError(code, _NO_METADATA, _NO_METADATA, details=text)


def not_sent(text: str, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> NotSent:
    """A call that the peer has not begun with."""
    return NotSent(code, _NO_METADATA, _NO_METADATA, details=text)


def framed(message: bytes) -> bytes:
    """A message with gRPC's prefix: not compressed, and its length."""
    return _PREFIX.pack(0, len(message)) + message


class Call:
    """What has arrived of one call's answer. Read by one task, and written to by one.

    Attributes:
        is_unary: its answer is one message, awaited whole.
        is_over: nothing more will arrive.
        stream: its number on the connection; 0 before it is opened and after it was forgotten.
        credit: bytes the peer may be told to send again: what arrived, less what was told and what waits to be
            read. So a peer never stops in the middle of a message, and one that is not read stops at its window.
    """

    __slots__ = (
        "_begun",
        "_buffer",
        "_error",
        "_messages",
        "_reader",
        "_writer",
        "credit",
        "is_over",
        "is_unary",
        "stream",
    )

    def __init__(self, *, is_unary: bool) -> None:
        self.is_unary: Final = is_unary
        self.is_over = False
        self.stream = 0
        self.credit = 0
        self._begun = False
        self._buffer: bytearray | None = None
        self._messages: deque[bytes] = deque()
        self._error: grpc.aio.AioRpcError | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    def ended(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        """Done when a unary call is over."""
        waiter = self._reader = loop.create_future()
        if self.is_over:
            waiter.set_result(None)
        return waiter

    def answer(self) -> bytes:
        """The one message of a unary call that is over.

        Raises:
            grpc.aio.AioRpcError: it ended otherwise.
        """
        if self._error is not None:
            raise self._error
        return self._messages[0]

    async def next_message(self) -> bytes | None:
        """The next message in order; None when the call ended well.

        Raises:
            grpc.aio.AioRpcError: it ended otherwise.
        """
        while not self._messages:
            if self.is_over:
                self.raise_error()
                return None
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        message = self._messages.popleft()
        self.credit += _PREFIX_BYTES + len(message)
        return message

    async def room(self) -> None:
        """Until the connection says that more may be written, or the call is over."""
        if not self.is_over:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer

    def raise_error(self) -> None:
        """Raise the error that the call ended with, if it ended with one."""
        if self._error is not None:
            raise self._error

    def on_headers(self, headers: Headers, *, is_last: bool) -> None:
        """Initial headers, or the trailers that end the call."""
        if is_last:
            self.end(self._unfinished() if headers.is_ok else self._error_of(headers.fields))
        elif self._begun:
            self.end(failure(grpc.StatusCode.INTERNAL, "trailers that do not end the stream"))
        elif headers.begins_answer:
            self._begun = True
        elif not headers.fields.get(":status", "").startswith("1"):  # 1xx: the answer's own are still to come
            self.end(_no_grpc(headers.fields))

    def on_data(self, data: bytes, size: int) -> None:
        """Bytes of messages, cut anywhere; `size` is what they took of the window, padding included."""
        self.credit += size
        length = len(data) - _PREFIX_BYTES
        if not self._begun:
            self.end(failure(grpc.StatusCode.INTERNAL, "data before headers"))
        elif self._buffer is None and length >= 0 and _PREFIX.unpack_from(data) == (0, length):
            self._take(data[_PREFIX_BYTES:])
        else:
            self._cut(data)

    def end(self, error: grpc.aio.AioRpcError | None) -> None:
        """The call is over; what ended it first counts."""
        if not self.is_over:
            self.is_over = True
            self._error = error
            self._buffer = None
            _wake(self._reader)
            _wake(self._writer)

    def wake_writer(self) -> None:
        """More may be written."""
        _wake(self._writer)

    def _take(self, message: bytes) -> None:
        self._messages.append(message)
        if not self.is_unary:
            self.credit -= _PREFIX_BYTES + len(message)
            _wake(self._reader)
        elif len(self._messages) > 1:
            self.end(failure(grpc.StatusCode.INTERNAL, "more than one message in the answer"))

    def _cut(self, data: bytes) -> None:
        """Take whole messages off the buffer."""
        buffer = self._buffer = self._buffer or bytearray()
        buffer += data
        while len(buffer) >= _PREFIX_BYTES and not self.is_over:
            size = int.from_bytes(buffer[1:_PREFIX_BYTES], "big")
            if buffer[0] or size > _MOST_BYTES:
                self.end(failure(grpc.StatusCode.INTERNAL, "a message that is compressed or over 2 GiB"))
                return
            if len(buffer) < _PREFIX_BYTES + size:
                return
            message = bytes(memoryview(buffer)[_PREFIX_BYTES : _PREFIX_BYTES + size])
            del buffer[: _PREFIX_BYTES + size]
            self._take(message)
        if not buffer:
            self._buffer = None

    def _error_of(self, trailers: dict[str, str]) -> grpc.aio.AioRpcError:
        """What trailers tell that are not those of a call that ended well."""
        status = trailers.get("grpc-status")
        if status is not None:
            return failure(_CODES.get(status, grpc.StatusCode.UNKNOWN), grpc_message(trailers))
        if self._begun:
            return failure(grpc.StatusCode.UNKNOWN, "trailers without a status")
        return _no_grpc(trailers)

    def _unfinished(self) -> grpc.aio.AioRpcError | None:
        """What is wrong with a call whose trailers say that it ended well."""
        if self._buffer is not None:
            return failure(grpc.StatusCode.INTERNAL, "the answer ended within a message")
        if self.is_unary and not self._messages:
            return failure(grpc.StatusCode.INTERNAL, "no message in the answer")
        return None


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


def _no_grpc(fields: dict[str, str]) -> grpc.aio.AioRpcError:
    """Something else answered, a proxy maybe; what it did with the call is not known."""
    status, type_ = fields.get(":status", "none"), fields.get("content-type", "none")
    return failure(grpc.StatusCode.UNAVAILABLE, f"not a gRPC answer: HTTP status {status}, content type {type_}")
