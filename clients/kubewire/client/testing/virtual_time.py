"""An event loop whose clock jumps: waiting takes no time, and a test of ten minutes takes a millisecond.

The loop is the clock. Code under test reads `loop.time()` and waits with `asyncio.sleep`, `asyncio.timeout` or
`call_later`; when nothing is ready to run, time jumps to the next timer. When there is no timer either, nothing can
ever happen again: that is a deadlock, and it is raised instead of hanging. Sockets have no place in virtual time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Final, TypeVar

Result = TypeVar("Result")

THREAD_GRACE_SECONDS: Final = 1.0
"""How long, in real time, a thread may take to wake a loop that has nothing else to wait for."""


class Deadlock(RuntimeError):
    """Every task waits for another one and no timer is set: a mistake in the test or in what it tests."""


class _JumpingSelector(selectors.DefaultSelector):
    """Advances its loop's clock instead of waiting; sees what is ready right now, such as a finished thread."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            return self._wait_for_thread()
        self.now += timeout
        return ready

    def _wait_for_thread(self) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(THREAD_GRACE_SECONDS)
        if not ready:
            raise Deadlock("nothing is ready to run and no timer is set")
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop that starts at time 0 and never waits."""

    is_virtual = True
    """Tells who measures time to ask this loop for it."""

    def __init__(self) -> None:
        self._clock = _JumpingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._clock.now


def run(main: Coroutine[object, object, Result]) -> Result:
    """`asyncio.run` in virtual time.

    Raises:
        Deadlock: `main` waits for something that cannot happen.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
