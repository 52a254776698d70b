"""Many writes at once: each on its own, a bounded number under way, one result each in the order of the request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, TypeVar

from kubewire.machinery.errors import StatusError

IN_FLIGHT: Final = 128
"""Transactions of one batch that etcd has at once: beyond this it gains little, and others wait longer."""

_Asked = TypeVar("_Asked")
_Done = TypeVar("_Done")


async def each(
    asked: Sequence[_Asked], act: Callable[[_Asked], Awaitable[_Done]], *, in_flight: int = IN_FLIGHT
) -> list[_Done | StatusError]:
    """What `act` makes of each, or the StatusError it raised."""
    results: list[_Done | StatusError | None] = [None] * len(asked)
    rest = iter(enumerate(asked))

    async def work(mine: Iterator[tuple[int, _Asked]]) -> None:
        for place, one in mine:
            try:
                results[place] = await act(one)
            except StatusError as error:
                results[place] = error

    async with asyncio.TaskGroup() as group:
        for _ in range(min(in_flight, len(asked))):
            group.create_task(work(rest))
    return [result for result in results if result is not None]
