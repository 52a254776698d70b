"""One HTTP request as the handlers see it: a few slots around what aiohttp parsed, and its body within a limit.

aiohttp parses and keeps connections; its own request and response objects cost more than all of our work on a GET,
so they are not used: answers are written to the transport as bytes (`answers`).
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, time
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.auth.authentication import Credentials, bearer_token
from kubewire.machinery import errors

if TYPE_CHECKING:
    import asyncio

    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.http_parser import RawRequestMessage
    from aiohttp.streams import StreamReader

    from kubewire.apiserver.metrics import EndpointMetrics
    from kubewire.apiserver.rest.connection import Connection

BODY_LIMIT_BYTES: Final = 3 * 1024 * 1024
"""Largest request body, upstream's limit: what etcd takes, and room for JSON's overhead."""

BODIES_LIMIT_BYTES: Final = 192 * 1024 * 1024
"""All bodies that are being worked on: sixty-four of the largest."""

GONE: Final = "the client closed the connection"


class Request:
    """One HTTP request.

    Attributes:
        path: as sent, without the query, escapes not undone.
        received: wall clock, Unix seconds.
        started: monotonic, for durations.
        body_bytes: of the request's body, as far as it was read; held against the server's budget.
        code, size: of the answer, 0 until it is begun.
        series: metrics it counts in, once they are known.
        task: what serves it, once that has begun.
        is_timed_out: it took too long and is being ended.
        is_lasting: a watch, which may take as long as it likes.
        is_gone: the peer has closed the connection, or the server is closing it.
        on_gone: called once when that happens; long-running answers set it.
    """

    __slots__ = (
        "_task",
        "body_bytes",
        "code",
        "connection",
        "headers",
        "is_gone",
        "is_lasting",
        "is_timed_out",
        "message",
        "method",
        "on_gone",
        "path",
        "payload",
        "query_text",
        "received",
        "series",
        "size",
        "started",
        "task",
        "writer",
    )

    def __init__(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: Connection,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> None:
        self.message: Final = message
        self.payload: Final = payload
        self.connection: Final = protocol
        self.writer: Final = writer
        self._task: asyncio.Task[None] | None = task
        self.method: Final = message.method
        self.headers: Final = message.headers
        self.path, _, self.query_text = message.path.partition("?")
        self.received: Final = time()
        self.started: Final = perf_counter()
        self.body_bytes = self.code = self.size = 0
        self.series: EndpointMetrics | None = None
        self.task: asyncio.Task[object] | None = None
        self.is_gone = self.is_lasting = self.is_timed_out = False
        self.on_gone: Callable[[], object] | None = None

    @property
    def transport(self) -> asyncio.Transport:
        """Where the answer goes.

        Raises:
            ConnectionResetError: the peer is gone.
        """
        transport = self.connection.transport
        if transport is None:
            raise ConnectionResetError(GONE)
        return transport

    @property
    def credentials(self) -> Credentials:
        """Who the peer says it is."""
        common_name, organizations = self.connection.certificate_subject
        return Credentials(bearer_token(self.headers.get("Authorization")), common_name, organizations)

    @property
    def remote(self) -> str:
        """The peer's address, for logs."""
        peer = self.connection.peername
        return str(peer[0]) if isinstance(peer, tuple) else str(peer or "")

    def time_out(self) -> None:
        """It took too long: whatever serves it is ended, and the client told."""
        if self.task is not None:
            self.is_timed_out = True
            self.task.cancel()

    def leave(self) -> None:
        """The server is about to stop, or the peer is gone: end what lasts."""
        self.is_gone = True
        if self.on_gone is not None:
            self.on_gone()

    def _finish(self) -> None:
        """Aiohttp's hook at the end of a request."""

    def _cancel(self, _exception: BaseException) -> None:
        """Aiohttp's hook when the connection is lost or the server shuts down."""
        self.payload.set_exception(ConnectionResetError(GONE))
        self.leave()


class BodyBudget:
    """How many bytes all request bodies may hold at once: callers who send many large ones must not fill the memory."""

    __slots__ = ("limit", "used")

    def __init__(self, limit: int = BODIES_LIMIT_BYTES) -> None:
        self.limit: Final = limit
        self.used = 0

    def take(self, size: int) -> None:
        """Count bytes that were read; whoever does gives them back when the request ends.

        Raises:
            StatusError: 429, the budget is used up.
        """
        self.used += size
        if self.used > self.limit:
            raise errors.too_many_requests("the server holds too many large request bodies, please try again later")

    def give(self, size: int) -> None:
        """The bytes are no longer held."""
        self.used -= size


class Written:
    """An answer that has been written: what a handler returns, so that aiohttp knows whether to go on."""

    __slots__ = ("keep_alive",)

    def __init__(self, *, keep_alive: bool) -> None:
        self.keep_alive: Final = keep_alive

    async def prepare(self, request: Request) -> None:
        """Nothing is left to do."""

    async def write_eof(self) -> None:
        """Nothing is left to do."""


GO_ON: Final = Written(keep_alive=True)
CLOSE: Final = Written(keep_alive=False)


async def read_body(request: Request, limit: int = BODY_LIMIT_BYTES) -> bytes:
    """The whole body.

    Raises:
        StatusError: 413, when it is larger than `limit`, and 429, when all bodies together are too large; nothing
            beyond is kept.
    """
    payload = request.payload
    announced = request.headers.get("Content-Length", "0")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    if request.headers.get("Expect", "").lower() == "100-continue":
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    pieces: list[bytes] = []
    budget = request.connection.budget
    while True:
        piece = await payload.readany()
        request.body_bytes += len(piece)
        budget.take(len(piece))
        if request.body_bytes > limit:
            raise _too_large(limit)
        pieces.append(piece)
        if payload.at_eof():
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _too_large(limit: int) -> errors.StatusError:
    return errors.request_entity_too_large(f"limit is {limit}")
