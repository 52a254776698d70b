"""Servers on loopback that say what a test wants, and that are gone when the test goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def talking(answer: bytes, *, closes: bool = True) -> AsyncIterator[int]:
    """A server that sends bytes after the first line it gets, and closes then or waits; gives its port."""
    talks: list[asyncio.Task[None]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.append(task)
        try:
            if await reader.readline():
                writer.write(answer)
                if not closes:
                    await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()
            # However it ended, the socket is closed before the test goes on.
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        # A connection that was made just now becomes a task in the next turn.
        await asyncio.sleep(0.01)
        await asyncio.gather(*talks)
