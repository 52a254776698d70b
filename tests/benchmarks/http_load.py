"""A lean HTTP/1.1 load generator: requests are bytes made beforehand, answers are counted and mostly not looked at.

It must cost less than what it measures, so it is a bare asyncio protocol over TLS instead of a client library.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

_KEPT_BYTES = 1 << 20
"""Larger answers are counted and not kept: copying them would be part of what is measured."""


@dataclass(slots=True)
class Target:
    """Where to send requests, and as whom."""

    host: str
    port: int
    trust: ssl.SSLContext
    token: str

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        accept: str = "application/json",
        content: str = "application/json",
    ) -> bytes:
        """One request as bytes."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nAuthorization: Bearer {self.token}\r\n"
            f"Accept: {accept}\r\nUser-Agent: bench/1\r\n"
        )
        if body:
            head += f"Content-Type: {content}\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body


@dataclass(slots=True)
class Answer:
    """Status code and body of one answer; the body of a very large one is empty."""

    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """One connection, one request at a time; reads Content-Length and chunked bodies."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._answer: asyncio.Future[Answer] | None = None
        self._needed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by class

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) >= self._needed:
            self._parse()

    async def ask(self, request: bytes) -> Answer:
        """Send a request and wait for its answer."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _parse(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[:end]).lower()
        at = head.find(b"content-length:")
        if at >= 0:
            length = int(head[at + 15 : head.find(b"\r\n", at) if b"\r\n" in head[at:] else None])
            self._needed = end + 4 + length
            if len(self._buffer) >= self._needed:
                self._finish(head, end + 4)
        elif b"transfer-encoding: chunked" in head:
            if self._buffer.endswith(b"\r\n0\r\n\r\n"):
                self._finish(head, end + 4)
        else:
            self._finish(head, end + 4)

    def _finish(self, head: bytes, at: int) -> None:
        body = bytes(self._buffer[at:]) if len(self._buffer) < _KEPT_BYTES else b""
        self._buffer.clear()
        self._needed = 0
        assert self._answer is not None
        self._answer.set_result(Answer(int(head[9:12]), body))


@dataclass(slots=True)
class Load:
    """What a run of requests came to. Latencies in seconds, in no order."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency that `share` (0 to 1) of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def connect(target: Target) -> Connection:
    """One open connection."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, target.host, target.port, ssl=target.trust)
    return connection


async def drive(target: Target, requests: Iterator[bytes], *, in_flight: int, expect: Callable[[int], bool]) -> Load:
    """Send all requests over `in_flight` connections and time them.

    Raises:
        RuntimeError: an answer's status was not as expected; a benchmark of failures would be worthless.
    """
    connections = [await connect(target) for _ in range(in_flight)]
    load = Load()

    async def work(connection: Connection) -> None:
        for request in requests:
            begun = time.perf_counter()
            answer = await connection.ask(request)
            load.latencies.append(time.perf_counter() - begun)
            if not expect(answer.status):
                raise RuntimeError(f"{answer.status} {answer.body[:300]!r}")

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for connection in connections:
            group.create_task(work(connection))
    load.seconds = time.perf_counter() - begun
    for connection in connections:
        connection.close()
    return load
