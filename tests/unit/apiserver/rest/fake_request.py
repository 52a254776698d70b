"""Requests without a socket: what handlers write is kept."""

import asyncio
from typing import cast

from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.http_writer import HttpVersion11
from aiohttp.streams import StreamReader
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from kubewire.apiserver.contracts import Identity
from kubewire.apiserver.rest.connection import Connection
from kubewire.apiserver.rest.request import BodyBudget, Request


class FakeTransport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.is_aborted = False

    def write(self, data: bytes) -> None:
        self.written += data

    def writelines(self, parts: tuple[bytes, ...]) -> None:
        self.written += b"".join(parts)

    def abort(self) -> None:
        self.is_aborted = True


class FakeConnection:
    """A connection of one request."""

    def __init__(self, peer: str) -> None:
        self.transport: FakeTransport | None = FakeTransport()
        self.peername = (peer, 1234)
        self.writing_paused = False
        self.budget = BodyBudget()
        self.certificate_subject: tuple[str, tuple[str, ...]] = ("", ())
        self.caller: Identity | None = None
        self.caller_header = ""
        self.caller_until = 0.0


class FakeBody:
    """A body that arrives in these pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces
        self.read = 0

    async def readany(self) -> bytes:
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        self.read += len(piece)
        return piece

    def at_eof(self) -> bool:
        return not self._pieces

    def set_exception(self, error: BaseException) -> None:
        self._pieces = []


class FakeRequest(Request):
    """A request, and the answer to it."""

    def __init__(
        self,
        method: str = "GET",
        target: str = "/",
        headers: dict[str, str] | CIMultiDict[str] | None = None,
        *,
        body: list[bytes] | None = None,
        peer: str = "192.0.2.7",
    ) -> None:
        named = CIMultiDictProxy(CIMultiDict(headers or {}))
        message = RawRequestMessage(method, target, HttpVersion11, named, (), False, None, False, False, URL(target))
        self.fake_connection = FakeConnection(peer)
        self.fake_body = FakeBody(body if body is not None else [])
        super().__init__(
            message,
            cast("StreamReader", self.fake_body),
            cast("Connection", self.fake_connection),
            cast("AbstractStreamWriter", None),
            cast("asyncio.Task[None]", None),
        )

    @property
    def answer(self) -> "Answer":
        """What has been written so far."""
        assert self.fake_connection.transport is not None
        return Answer(self.fake_connection.transport.written)


class Answer:
    """A written answer, taken apart."""

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        self.code = int(status.split(" ")[1])
        self.headers: CIMultiDict[str] = CIMultiDict()
        for line in lines:
            name, _, value = line.partition(": ")
            self.headers.add(name, value)

    @property
    def unchunked(self) -> bytes:
        """The body of a chunked answer; it must have ended."""
        whole, rest = b"", self.body
        while True:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size, 16)
            if not length:
                assert rest == b"\r\n"
                return whole
            whole += rest[:length]
            assert rest[length : length + 2] == b"\r\n"
            rest = rest[length + 2 :]
