"""Noticing a peer that is gone although its connection seems to stand."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Peer(Protocol):
    """The connection as it is watched over."""

    @property
    def is_idle(self) -> bool:
        """Whether no call is under way."""
        ...

    def ping(self) -> None:
        """Ask for a sign of life."""
        ...

    def close(self, reason: str) -> None:
        """Give up."""
        ...


class Keepalive:
    """Pings a peer that was silent while calls are under way, and gives up on one that stays silent.

    A connection without calls is left alone: etcd ends connections that are pinged then, or more often than every
    5 seconds.

    Attributes:
        heard: when the peer was last heard, on the loop's clock.
    """

    def __init__(self, peer: Peer, interval_seconds: float, timeout_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self.heard = self._loop.time()
        self._peer = peer
        self._interval = interval_seconds
        self._timeout = timeout_seconds
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._timer = self._loop.call_later(self._interval, self._look)

    def stop(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        now = self._loop.time()
        due = self.heard + self._interval
        if self._peer.is_idle:
            self._timer = self._loop.call_at(now + self._interval, self._look)
        elif now < due:
            self._timer = self._loop.call_at(due, self._look)
        else:
            self._peer.ping()
            self._timer = self._loop.call_later(self._timeout / 2, self._wait, now)

    def _wait(self, pinged: float) -> None:
        """Half of the time is over.

        A process that was stopped runs its timers before it reads what has come meanwhile: one timer alone would
        find silence where there was none.
        """
        self._timer = self._loop.call_later(self._timeout / 2, self._judge, pinged)

    def _judge(self, pinged: float) -> None:
        if self.heard >= pinged:
            self._look()
        else:
            self._peer.close(f"the peer did not answer a ping within {self._timeout:g} s")
