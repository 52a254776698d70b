"""What can go wrong between a client and a simulated API server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from kubewire.machinery.errors import Reason, StatusError


def unavailable() -> StatusError:
    """What a client sees that finds no server."""
    return StatusError(503, Reason.SERVICE_UNAVAILABLE, "the simulated server cannot be reached")


@dataclass(slots=True)
class Link:
    """One client's way to the server; change it while the test runs.

    Attributes:
        is_up: False: calls fail at once with ServiceUnavailable.
        hangs: True: calls are never answered, as when packets vanish.
        loses_answers: True: calls are done, and then fail with ServiceUnavailable.
        latency_seconds: how long each call takes.
        refusals: raised by the next calls, one each, before anything is done.
        breaks: how often the running watches were ended.
        watches: woken when they are.
    """

    is_up: bool = True
    hangs: bool = False
    loses_answers: bool = False
    latency_seconds: float = 0.0
    refusals: list[StatusError] = field(default_factory=list)
    breaks: int = 0
    watches: set[asyncio.Event] = field(default_factory=set)

    def break_watches(self) -> None:
        """End every running watch of this client with ServiceUnavailable."""
        self.breaks += 1
        for watch in self.watches:
            watch.set()

    def take_down(self) -> None:
        """From now on nothing gets through; `is_up = True` ends it."""
        self.is_up = False
        self.break_watches()

    async def before(self) -> None:
        """What happens to a call on its way to the server."""
        if self.latency_seconds:
            await asyncio.sleep(self.latency_seconds)
        if self.hangs:
            await asyncio.Event().wait()
        if not self.is_up:
            raise unavailable()
        if self.refusals:
            raise self.refusals.pop(0)

    def after(self) -> None:
        """What happens to its answer."""
        if self.loses_answers:
            raise unavailable()
