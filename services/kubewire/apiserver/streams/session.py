"""One open call to a kubelet: messages as bytes, both ways, failures as StatusErrors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import grpc
import grpc.aio

from kubewire.client.transport.failures import status_error
from kubewire.component.grpc.accepting import ACCEPTED

if TYPE_CHECKING:
    Call: TypeAlias = grpc.aio.StreamStreamCall[bytes, bytes] | grpc.aio.UnaryStreamCall[bytes, bytes]


class Session:
    """Close it whatever happens: the kubelet then ends what it runs for it."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._first: bytes | None = None

    async def opened(self) -> None:
        """Wait until the kubelet has begun.

        Raises:
            StatusError: it refused.
        """
        if not await self.is_accepted():
            # A call that ended at once may have lost its headers, but neither its answers nor its failure.
            self._first = await self._receive()

    async def is_accepted(self) -> bool:
        """Wait until the kubelet has begun; False when it refused or has ended already, which the receiver is told.

        Input that is sent before might hide the refusal: a call that ends while it is written to fails by that.

        Raises:
            StatusError: nothing came back.
        """
        with _translated():
            # The library sends headers with a refusal as well.
            return any(key == ACCEPTED for key, _ in await self._call.initial_metadata())

    async def send(self, message: bytes) -> None:
        """Send a message, as fast as it is taken; ignored when the call has ended, which the receiver sees."""
        assert isinstance(self._call, grpc.aio.StreamStreamCall), "a call that takes no stream"
        try:
            await self._call.write(message)
        except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
            return

    async def end(self) -> None:
        """Nothing more will be sent."""
        assert isinstance(self._call, grpc.aio.StreamStreamCall), "a call that takes no stream"
        try:
            await self._call.done_writing()
        except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
            return

    async def receive(self) -> bytes | None:
        """The next message, None at the end.

        Raises:
            StatusError: the call failed, or the node was lost.
        """
        first, self._first = self._first, None
        return first if first is not None else await self._receive()

    async def _receive(self) -> bytes | None:
        with _translated():
            message = await self._call.read()
        # Whatever is not bytes is the library's mark of the end.
        return message if isinstance(message, bytes) else None

    def close(self) -> None:
        """End the call; harmless if it has ended."""
        self._call.cancel()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise status_error(error) from None
