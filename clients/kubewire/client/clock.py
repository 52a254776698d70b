"""The clock that durations are measured by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds that only go forward."""


def running_clock() -> Clock:
    """The running loop's time where it is virtual, the machine's otherwise: uvloop's own counts whole milliseconds."""
    loop = asyncio.get_running_loop()
    return loop.time if getattr(loop, "is_virtual", False) else time.monotonic
