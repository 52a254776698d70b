"""Calls to a CRI runtime over its socket: deadlines, errors, metrics. What they mean stands in `cri`.

Callables are made from message classes, without generated stubs, which would cost memory for calls that nobody makes.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from functools import cache
from typing import Final, Protocol, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from kubewire.kubelet.errors import RuntimeCallError

AnswerT = TypeVar("AnswerT", bound=Message)

RUNTIME: Final = "/runtime.v1.RuntimeService/"
IMAGE: Final = "/runtime.v1.ImageService/"
CALL_SECONDS: Final = 120.0
"""Longest a call may take unless it says otherwise (upstream's runtimeRequestTimeout)."""

_MESSAGE_BYTES: Final = 16 << 20


class CallMetrics(Protocol):
    """Told of every call."""

    def operation(self, name: str, seconds: float, *, failed: bool) -> None:
        """A call has ended; `name` is Kubernetes' word for it, such as `create_container`."""
        ...


class CriCalls:
    """One channel to the runtime's socket. Make it inside a running loop."""

    def __init__(self, socket: str, metrics: CallMetrics) -> None:
        self._metrics = metrics
        self.channel: Final = grpc.aio.insecure_channel(
            f"unix:{socket}",
            options=[
                ("grpc.max_receive_message_length", _MESSAGE_BYTES),
                ("grpc.max_send_message_length", _MESSAGE_BYTES),
                # A runtime that was restarted is found again at once, not after two minutes.
                ("grpc.initial_reconnect_backoff_ms", 100),
                ("grpc.max_reconnect_backoff_ms", 1000),
            ],
        )
        self._callable: Final = cache(self._make)

    async def call(
        self,
        path: str,
        request: Message,
        answer: type[AnswerT],
        *,
        name: str,
        seconds: float = CALL_SECONDS,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> AnswerT:
        """One call.

        Raises:
            RuntimeCallError: it failed.
        """
        began = time.monotonic()
        failed = True
        try:
            data = await self._callable(path)(request.SerializeToString(), timeout=seconds, metadata=metadata)
            failed = False
        except grpc.aio.AioRpcError as error:
            raise call_error(path, error) from None
        finally:
            self._metrics.operation(name, time.monotonic() - began, failed=failed)
        return answer.FromString(data)

    async def stream(
        self, path: str, request: Message, answer: type[AnswerT], metadata: tuple[tuple[str, str], ...] = ()
    ) -> AsyncIterator[AnswerT]:
        """The messages of a call that does not end by itself.

        Raises:
            RuntimeCallError: it ended.
        """
        opened: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = self.channel.unary_stream(path)
        call = opened(request.SerializeToString(), metadata=metadata)
        try:
            async for data in call:
                yield answer.FromString(data)
        except grpc.aio.AioRpcError as error:
            raise call_error(path, error) from None
        finally:
            call.cancel()
        raise RuntimeCallError(_last(path), "UNAVAILABLE", "the runtime ended the stream")

    async def close(self) -> None:
        """End all calls."""
        await self.channel.close()

    def _make(self, path: str) -> Callable[..., grpc.aio.UnaryUnaryCall[bytes, bytes]]:
        return self.channel.unary_unary(path)


def call_error(path: str, error: grpc.aio.AioRpcError) -> RuntimeCallError:
    """A failed call in our words."""
    return RuntimeCallError(_last(path), error.code().name, error.details() or "no reason given")


def _last(path: str) -> str:
    return path.rpartition("/")[2]
