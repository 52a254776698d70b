"""Blocking work in a thread of its own, which is waited for even by those who are told to stop.

Its own, as in a process with other components their work may take all threads there are. Waited for, as who is
cancelled closes sockets next, and a thread that still used one might write to whatever got its number meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class WorkerThread:
    """One thread, started when there is work for the first time."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def do(self, work: Callable[[], Result]) -> Result:
        """Do it after what is under way, and return when it is done."""
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise

    def close(self) -> None:
        """Take no more work."""
        self._pool.shutdown(wait=False)
