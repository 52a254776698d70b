"""The seam between the client and an API server: a method's path and a request's bytes in, the answer's bytes out.

Two stand behind it: gRPC to another process, and a dispatcher in this one. Both pass one suite
(tests/conformance/transport), so that what works hosted works apart.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class TransportClosed(RuntimeError):
    """The transport was closed by its owner: calls that were running end with this, and new ones are refused."""


class Transport(Protocol):
    """Carries calls. Every call has a deadline, the caller's identity and user agent, and the current cause."""

    async def unary(self, method: str, request: bytes, *, timeout_seconds: float) -> bytes:
        """Call a method such as `/kubewire.rpc.core.v1.PodService/GetPod`.

        Cancelling the call cancels it on the server. A read that found no server may be repeated within the deadline;
        a write is sent again only if it certainly was not sent before.

        Raises:
            StatusError: the server's, with its reason; `Timeout` when the deadline passes and `ServiceUnavailable`
                when no server can be reached: then a write may or may not have been done.
            TransportClosed: the transport was closed.
        """
        ...

    def stream(
        self, method: str, request: bytes, *, timeout_seconds: float, open_timeout_seconds: float
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Call a method that answers with a stream: entering opens it, leaving ends it.

        When it is entered the server has opened the stream: what happens from now on, it tells. Messages are taken from
        the server as fast as they are asked for: a slow receiver slows the sender down.

        Raises:
            StatusError: as `unary`, on entering or from the iterator; `Timeout` when the stream is not open within
                `open_timeout_seconds` or not over within `timeout_seconds`.
            TransportClosed: the transport was closed.
        """
        ...

    async def close(self) -> None:
        """End every call. Doing it twice is harmless."""
