"""When calls run out of time.

A timer for each call would cost a tenth of the call, and nearly all are cancelled. Deadlines that lie close together
share one; a call is ended up to a sixteenth of a second late, and never early.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import ceil
from typing import Final

from kubewire.apiserver.etcd.http2.calls import Call

_A_SECOND: Final = 16


class Deadlines:
    """The calls of one connection by the time they have.

    Whoever adds a call takes it out of the set it was put into once it is over.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, expire: Callable[[Call], None]) -> None:
        self._loop = loop
        self._expire = expire
        self._due: dict[int, set[Call]] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def add(self, call: Call, deadline: float) -> set[Call]:
        """Have `call` expire at `deadline` on the loop's clock, or a little later."""
        moment = ceil(deadline * _A_SECOND)
        due = self._due.get(moment)
        if due is None:
            due = self._due[moment] = set()
            self._timers[moment] = self._loop.call_at(moment / _A_SECOND, self._run, moment)
        due.add(call)
        return due

    def stop(self) -> None:
        """Forget everything."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._due.clear()

    def _run(self, moment: int) -> None:
        del self._timers[moment]
        for call in self._due.pop(moment):
            self._expire(call)
