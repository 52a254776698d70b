"""Whether the event loop turns: how late it wakes who asked to be woken, as a metric and in the log."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from kubewire.component.log import Logger

if TYPE_CHECKING:
    from kubewire.component.metrics.registry import Registry

_LOG: Final = Logger("component.watchdog")
_INTERVAL_SECONDS: Final = 0.25
_LATE_SECONDS: Final = 0.5
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Watchdog:
    """Sleeps, and notes by how much it slept too long."""

    def __init__(self, registry: Registry) -> None:
        self._lag = registry.histogram(
            "kubewire_event_loop_lag_seconds",
            "Seconds by which the event loop woke a sleeper too late: how long other work held it.",
            buckets=_BUCKETS,
        ).labels()

    async def run(self) -> None:
        """Watch until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            expected = clock() + _INTERVAL_SECONDS
            await asyncio.sleep(_INTERVAL_SECONDS)
            lag = max(0.0, clock() - expected)
            self._lag.observe(lag)
            if lag > _LATE_SECONDS:
                _LOG.warning("the event loop was held", seconds=round(lag, 3))
