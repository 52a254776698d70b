"""The HTTP ports of components that serve no REST: `/metrics`, `/healthz`, `/livez` and `/readyz`, and pages like them.

A server of a dozen lines on asyncio's streams: a web framework would cost every component ten megabytes for four pages.
It answers GET and HEAD, one request a connection, and reads no bodies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from kubewire.component.health import Health, Probe, render
from kubewire.component.metrics.exposition import CONTENT_TYPE
from kubewire.component.metrics.registry import Registry

_READ_SECONDS: Final = 5.0
_HEADER_BYTES: Final = 16 << 10
_TEXT: Final = "text/plain; charset=utf-8"
_PHRASES: Final = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class Answer(NamedTuple):
    """What is sent back."""

    code: int
    body: bytes
    content_type: str = _TEXT


class PageServer:
    """Serves what `answer` (method, target) gives, which does not wait for anything."""

    def __init__(self, answer: Callable[[str, str], Answer]) -> None:
        self._answer = answer
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which differs from the one asked for where that was 0.

        Raises:
            OSError: the address cannot be listened on.
        """
        self._server = await asyncio.start_server(self._connection, host, port, limit=_HEADER_BYTES)
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def run(self) -> None:
        """Serve until cancelled; `start` comes first."""
        assert self._server is not None, "call start() first"
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._server.close()

    def close(self) -> None:
        """Listen no more, for those who do not `run` it."""
        if self._server is not None:
            self._server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_READ_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._reply(head))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            # Whoever does not finish a request, or does not take the answer, gets none.
            return
        finally:
            writer.close()

    def _reply(self, head: bytes) -> bytes:
        words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        method, target = (words[0], words[1]) if len(words) == 3 else ("", "")
        answer = self._answer(method, target) if method else Answer(400, b"want: GET path HTTP/1.1\n")
        start = (
            f"HTTP/1.1 {answer.code} {_PHRASES[answer.code]}\r\nContent-Type: {answer.content_type}\r\n"
            f"Content-Length: {len(answer.body)}\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
        )
        return start.encode("latin-1") + (b"" if method == "HEAD" else answer.body)


class ProbeServer(PageServer):
    """Serves one process's health and metrics; `more` are metrics with a page of their own, `/metrics/<name>`."""

    def __init__(self, health: Health, registry: Registry, more: Mapping[str, Registry] | None = None) -> None:
        super().__init__(self.answer)
        self._health = health
        self._registries = {"metrics": registry, **{f"metrics/{name}": one for name, one in (more or {}).items()}}

    def answer(self, method: str, target: str) -> Answer:
        """The answer to one request."""
        if method not in {"GET", "HEAD"}:
            return Answer(405, b"only GET and HEAD\n")
        parts = urlsplit(target)
        path = parts.path.strip("/")
        registry = self._registries.get(path)
        if registry is not None:
            return Answer(200, registry.render(), CONTENT_TYPE)
        name, _, check = path.partition("/")
        if name not in {probe.value for probe in Probe}:
            return Answer(404, b"not found\n")
        return self._probe(Probe(name), check, parse_qs(parts.query, keep_blank_values=True))

    def _probe(self, probe: Probe, check: str, query: dict[str, list[str]]) -> Answer:
        excluded = query.get("exclude", [])
        results = [one for one in self._health.results(probe, excluded) if not check or one.name == check]
        if check and not results:
            return Answer(404, b"not found\n")
        failed = any(result.problem for result in results)
        text = render(probe, results, excluded=excluded) if failed or "verbose" in query else "ok"
        return Answer(500 if failed else 200, text.encode())
