"""The line between an API server and etcd, held and cut on demand: what breaks between two healthy processes.

Held answers are the subtle case: what the server asked for has been done, and it is never told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

_READ_BYTES: Final = 64 << 10
_HOST: Final = "127.0.0.1"
_PAUSE_SECONDS: Final = 0.01


def _open_gate() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate


@dataclass
class Wire:
    """Passes on whatever comes to `port` to `target`, a port on the same machine, and back.

    Attributes:
        requests, answers: while one is cleared, that direction is held.
    """

    port: int
    target: int
    requests: asyncio.Event = field(default_factory=_open_gate)
    answers: asyncio.Event = field(default_factory=_open_gate)
    _ends: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"{_HOST}:{self.port}"

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Listen, and cut everything in the end."""
        server = await asyncio.start_server(self._join, _HOST, self.port)
        try:
            yield
        finally:
            server.close()
            await server.wait_closed()
            while self._ends:
                self.cut()
                await asyncio.sleep(_PAUSE_SECONDS)

    def cut(self) -> None:
        """Break all connections; what is held is lost, new ones are passed on."""
        for end in self._ends:
            end.transport.abort()
        self.requests.set()
        self.answers.set()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(_HOST, self.target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._ends |= ends
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass_on(reader, far_writer, self.requests))
                group.create_task(_pass_on(far_reader, writer, self.answers))
        finally:
            self._ends -= ends
            for end in ends:
                end.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event) -> None:
    """Until one side ends; then the other is ended too."""
    try:
        while data := await reader.read(_READ_BYTES):
            await gate.wait()
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()
