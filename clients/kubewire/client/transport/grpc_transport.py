"""The transport to API servers in other processes.

Callables are generic, bytes in and bytes out: no generated stub is loaded. One server is kept until it fails; what is
safe to repeat then is asked of the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Final, TypeAlias
from urllib.parse import unquote

import grpc
import grpc.aio

from kubewire.client.backoff import Backoff
from kubewire.client.cause import current_cause
from kubewire.client.transport.endpoints import Endpoint, Endpoints
from kubewire.client.transport.failures import Outcome, deadline_exceeded, outcome_of, status_error
from kubewire.client.transport.metadata import AUTHORIZATION, CAUSE, WARNING
from kubewire.client.transport.options import GrpcOptions
from kubewire.client.transport.tokens import FileToken, Token, static_token
from kubewire.client.transport.transport import TransportClosed

Metadata = tuple[tuple[str, str], ...]
Stream: TypeAlias = "grpc.aio.UnaryStreamCall[bytes, bytes]"
OnWarning = Callable[[str], None]

_READS: Final = ("Get", "List", "Watch")
_PAUSE_FIRST_SECONDS: Final = 0.05
_PAUSE_MAX_SECONDS: Final = 1.0


class GrpcTransport:
    """Implements `Transport` over grpc.aio. Made inside a running loop; close it when done.

    `on_warning` is told what servers warn of; without it nobody looks.
    """

    def __init__(self, options: GrpcOptions, *, on_warning: OnWarning | None = None) -> None:
        self._options = options
        self._endpoints = Endpoints([Endpoint(target, options) for target in options.endpoints])
        self._token = _token(options)
        self._on_warning = on_warning
        self._is_closed = False

    async def unary(self, method: str, request: bytes, *, timeout_seconds: float) -> bytes:
        """See `Transport.unary`."""
        attempts = _Attempts(len(self._endpoints), timeout_seconds, self._options.retry_seconds)
        while True:
            endpoint = self._current()
            try:
                return await self._call(endpoint, method, request, attempts.remaining())
            except grpc.aio.AioRpcError as error:
                failure = error
            outcome = outcome_of(failure)
            self._leave(endpoint, failure)
            is_safe = outcome is Outcome.NOT_SENT or (outcome is Outcome.LOST and _is_read(method))
            if not is_safe or not await attempts.pause():
                raise status_error(failure) from None

    @asynccontextmanager
    async def stream(
        self, method: str, request: bytes, *, timeout_seconds: float, open_timeout_seconds: float
    ) -> AsyncGenerator[AsyncIterator[bytes], None]:
        """See `Transport.stream`."""
        endpoint = self._current()
        call = endpoint.stream(method)(request, timeout=timeout_seconds, metadata=self._metadata())
        try:
            with self._failures_of(endpoint):
                try:
                    async with asyncio.timeout(open_timeout_seconds):
                        await call.wait_for_connection()
                except TimeoutError:
                    raise deadline_exceeded() from None
            async with aclosing(self._delivered(endpoint, call)) as messages:
                yield messages
        finally:
            call.cancel()

    async def _delivered(self, endpoint: Endpoint, call: Stream) -> AsyncGenerator[bytes, None]:
        with self._failures_of(endpoint):
            # Whatever is not bytes is the library's mark of the end.
            while isinstance(message := await call.read(), bytes):
                yield message

    @contextmanager
    def _failures_of(self, endpoint: Endpoint) -> Iterator[None]:
        """Translate what a stream fails with."""
        try:
            yield
        except grpc.aio.AioRpcError as error:
            self._leave(endpoint, error)
            raise status_error(error) from None
        except asyncio.CancelledError:
            self._check_closed_by_owner()
            raise

    async def close(self) -> None:
        """See `Transport.close`."""
        self._is_closed = True
        await self._endpoints.close()

    async def _call(self, endpoint: Endpoint, method: str, request: bytes, timeout_seconds: float) -> bytes:
        call = endpoint.unary(method)(request, timeout=timeout_seconds, metadata=self._metadata())
        try:
            answer = await call
            if self._on_warning is not None:
                await self._tell_warnings(call, self._on_warning)
        except asyncio.CancelledError:
            self._check_closed_by_owner()
            raise
        return answer

    async def _tell_warnings(self, call: grpc.aio.UnaryUnaryCall[bytes, bytes], tell: OnWarning) -> None:
        for key, value in await call.trailing_metadata():
            if key == WARNING and isinstance(value, str):
                tell(unquote(value))

    def _leave(self, endpoint: Endpoint, error: grpc.aio.AioRpcError) -> None:
        """Ask another server next time if this one cannot be reached, or says itself that it cannot serve now."""
        if error.code() is grpc.StatusCode.UNAVAILABLE or outcome_of(error) is not Outcome.ANSWERED:
            self._endpoints.leave(endpoint)

    def _current(self) -> Endpoint:
        if self._is_closed:
            raise TransportClosed("the transport is closed")
        return self._endpoints.current

    def _check_closed_by_owner(self) -> None:
        """Tell the end of the channel, which the library reports as cancellation, from cancellation of the caller."""
        task = asyncio.current_task()
        if self._is_closed and task is not None and not task.cancelling():
            raise TransportClosed("the transport was closed during the call") from None

    def _metadata(self) -> Metadata:
        token, cause = self._token(), current_cause()
        metadata: Metadata = ((AUTHORIZATION, f"Bearer {token}"),) if token else ()
        return (*metadata, (CAUSE, cause)) if cause else metadata


class _Attempts:
    """How long a call may still take, and when it is tried again."""

    def __init__(self, servers: int, timeout_seconds: float, retry_seconds: float) -> None:
        self._clock = asyncio.get_running_loop().time
        self._deadline = self._clock() + timeout_seconds
        self._retry_until = min(self._deadline, self._clock() + retry_seconds)
        self._servers = servers
        self._failures = 0
        self._backoff = Backoff(_PAUSE_FIRST_SECONDS, _PAUSE_MAX_SECONDS)

    def remaining(self) -> float:
        """Seconds until the deadline.

        Raises:
            StatusError: 504, it has passed.
        """
        seconds = self._deadline - self._clock()
        if seconds <= 0:
            raise deadline_exceeded()
        return seconds

    async def pause(self) -> bool:
        """Get ready for the next attempt: the next server at once, all of them again after a while; False: give up."""
        self._failures += 1
        if self._failures % self._servers:
            return self._clock() < self._retry_until
        seconds = self._backoff.next()
        if self._clock() + seconds >= self._retry_until:
            return False
        await asyncio.sleep(seconds)
        return True


def _is_read(method: str) -> bool:
    return method.rpartition("/")[2].startswith(_READS)


def _token(options: GrpcOptions) -> Token:
    return FileToken(options.token_file) if options.token_file is not None else static_token(options.token)
