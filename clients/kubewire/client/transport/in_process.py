"""The transport to an API server in the same process: its dispatcher is called directly.

Nothing is skipped but sockets: requests and answers are bytes, calls have deadlines, and errors are StatusErrors.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
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
        self._bounds: set[_Bound] = set()
        self._is_closed = False

    async def unary(self, method: str, request: bytes, *, timeout_seconds: float) -> bytes:
        """See `Transport.unary`."""
        context = self._context()
        with self._bounding(timeout_seconds) as bound:
            answer = await bound.step(self._dispatcher.unary(method, context, request))
        self._tell_warnings(context)
        return answer

    @asynccontextmanager
    async def stream(
        self, method: str, request: bytes, *, timeout_seconds: float, open_timeout_seconds: float
    ) -> AsyncGenerator[AsyncIterator[bytes], None]:
        """See `Transport.stream`."""
        context = self._context()
        with self._bounding(min(open_timeout_seconds, timeout_seconds)) as opening:
            messages = await opening.step(self._dispatcher.stream(method, context, request))
        self._tell_warnings(context)
        async with aclosing(messages), aclosing(self._delivered(aiter(messages), timeout_seconds)) as delivered:
            yield delivered

    async def _delivered(self, messages: AsyncIterator[bytes], timeout_seconds: float) -> AsyncGenerator[bytes, None]:
        try:
            with self._bounding(timeout_seconds) as bound:
                while True:
                    try:
                        message = await bound.step(anext(messages))
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
        for bound in self._bounds:
            bound.end()

    @contextmanager
    def _bounding(self, timeout_seconds: float) -> Iterator[_Bound]:
        """What is done inside ends at the deadline, and when the transport is closed."""
        self._check_open()
        bound = _Bound(timeout_seconds)
        self._bounds.add(bound)
        try:
            yield bound
        except _Over:
            self._check_open()
            raise deadline_exceeded() from None
        finally:
            self._bounds.discard(bound)
            bound.release()

    def _context(self) -> ContextT:
        return self._make_context(user_agent=self._user_agent, cause=current_cause())

    def _tell_warnings(self, context: ContextT) -> None:
        if context.warnings and self._on_warning is not None:
            for warning in context.warnings:
                self._on_warning(warning)

    def _check_open(self) -> None:
        if self._is_closed:
            raise TransportClosed("the transport is closed")


class _Over(Exception):
    """A call's time is over."""


class _Bound:
    """Ends the steps of one call, all by one timer: setting one for each message would cost more than the message."""

    __slots__ = ("_is_over", "_loop", "_step", "_timer")

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._is_over = False
        self._step: asyncio.Timeout | None = None
        self._timer = self._loop.call_later(seconds, self.end)

    def end(self) -> None:
        """Interrupt the running step, and all that follow."""
        self._is_over = True
        if self._step is not None:
            self._step.reschedule(self._loop.time())

    def release(self) -> None:
        """The call is done."""
        self._timer.cancel()

    async def step(self, step: Awaitable[Answer]) -> Answer:
        """What a step gives.

        Raises:
            _Over: it was interrupted.
        """
        try:
            async with asyncio.timeout(0 if self._is_over else None) as self._step:
                return await step
        except TimeoutError:
            if not self._is_over:
                raise
            raise _Over from None
        finally:
            self._step = None
