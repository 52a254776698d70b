"""The transport to an API server in the same process: its dispatcher is called directly.

Nothing is skipped but sockets: requests and answers are bytes, calls have deadlines, and errors are StatusErrors.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Generic, Protocol, TypeVar

from kubewire.client.cause import current_cause
from kubewire.client.transport.failures import deadline_exceeded
from kubewire.client.transport.options import DEFAULT_USER_AGENT
from kubewire.client.transport.transport import TransportClosed


class ServerContext(Protocol):
    """What a dispatcher is told of a call besides its request."""

    @property
    def warnings(self) -> list[str]:
        """Filled by the server."""
        ...


ContextT = TypeVar("ContextT", bound=ServerContext)
ContextT_contra = TypeVar("ContextT_contra", bound=ServerContext, contravariant=True)
Answer = TypeVar("Answer")
ContextT_co = TypeVar("ContextT_co", bound=ServerContext, covariant=True)


class Messages(Protocol):
    """An open stream of a dispatcher."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The messages; each is made when it is asked for."""
        ...

    async def aclose(self) -> None:
        """End the stream; doing it twice is harmless."""


class Dispatcher(Protocol[ContextT_contra]):
    """An API server without its sockets. Raises StatusError and nothing else, besides cancellation."""

    async def unary(self, path: str, context: ContextT_contra, data: bytes, /) -> bytes:
        """Serve a method that answers once."""
        ...

    async def stream(self, path: str, context: ContextT_contra, data: bytes, /) -> Messages:
        """Serve a method that answers with a stream."""
        ...


class ContextMaker(Protocol[ContextT_co]):
    """Makes the context of one call, which holds who we are: `partial(RpcContext, identity)`."""

    def __call__(self, *, user_agent: str, cause: str) -> ContextT_co:
        """The context."""
        ...


class InProcessTransport(Generic[ContextT]):
    """Implements `Transport` over a dispatcher."""

    def __init__(
        self,
        dispatcher: Dispatcher[ContextT],
        make_context: ContextMaker[ContextT],
        *,
        user_agent: str = DEFAULT_USER_AGENT,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._make_context = make_context
        self._user_agent = user_agent
        self._on_warning = on_warning
        self._running: set[asyncio.Timeout] = set()
        self._is_closed = False

    async def unary(self, method: str, request: bytes, *, timeout_seconds: float) -> bytes:
        """See `Transport.unary`."""
        self._check_open()
        context = self._context()
        call = self._dispatcher.unary(method, context, request)
        answer = await self._bounded(call, _deadline(timeout_seconds))
        self._tell_warnings(context)
        return answer

    @asynccontextmanager
    async def stream(
        self, method: str, request: bytes, *, timeout_seconds: float, open_timeout_seconds: float
    ) -> AsyncGenerator[AsyncIterator[bytes], None]:
        """See `Transport.stream`."""
        self._check_open()
        deadline, context = _deadline(timeout_seconds), self._context()
        opening = self._dispatcher.stream(method, context, request)
        messages = await self._bounded(opening, min(deadline, _deadline(open_timeout_seconds)))
        self._tell_warnings(context)
        async with aclosing(messages), aclosing(self._delivered(aiter(messages), deadline)) as delivered:
            yield delivered

    async def _delivered(self, messages: AsyncIterator[bytes], deadline: float) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                try:
                    message = await self._bounded(anext(messages), deadline)
                except StopAsyncIteration:
                    return
                yield message
        finally:
            # What a generator holds is given up now, and not when it is collected.
            if isinstance(messages, AsyncGenerator):
                await messages.aclose()

    async def close(self) -> None:
        """See `Transport.close`. The dispatcher is its owner's."""
        self._is_closed = True
        now = asyncio.get_running_loop().time()
        for timeout in self._running:
            timeout.reschedule(now)

    async def _bounded(self, call: Awaitable[Answer], deadline: float) -> Answer:
        """The answer, unless the deadline passes or the transport is closed first."""
        timeout = asyncio.timeout_at(deadline)
        try:
            async with timeout:
                self._running.add(timeout)
                return await call
        except TimeoutError:
            if not timeout.expired():
                raise
            self._check_open()
            raise deadline_exceeded() from None
        finally:
            self._running.discard(timeout)

    def _context(self) -> ContextT:
        return self._make_context(user_agent=self._user_agent, cause=current_cause())

    def _tell_warnings(self, context: ContextT) -> None:
        if context.warnings and self._on_warning is not None:
            for warning in context.warnings:
                self._on_warning(warning)

    def _check_open(self) -> None:
        if self._is_closed:
            raise TransportClosed("the transport is closed")


def _deadline(timeout_seconds: float) -> float:
    return asyncio.get_running_loop().time() + timeout_seconds
