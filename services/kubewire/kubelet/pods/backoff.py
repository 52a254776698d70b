"""Restarts that are held back while a container keeps failing. Pure: times come in as parameters.

The first restart is at once, the second waits 10 s from the container's end, then 20 s, up to 300 s; who ran without
ending for twice the longest wait begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kubewire.kubelet.runtime.contracts import Container


@dataclass(frozen=True, slots=True)
class _Entry:
    """The wait of the container after the next end.

    `attempt` is the one whose successor was started last, after `waited` seconds.
    """

    seconds: float
    updated_at: float
    attempt: int = -1
    waited: float = 0.0


class RestartBackoff:
    """The waits of one pod's containers."""

    def __init__(self, first_seconds: float = 10.0, limit_seconds: float = 300.0) -> None:
        self._first: Final = first_seconds
        self._limit: Final = limit_seconds
        self._entries: dict[str, _Entry] = {}

    def ready_at(self, ended: Container) -> float:
        """When the successor of a container that has ended may start."""
        return ended.finished_at + self.seconds(ended)

    def seconds(self, ended: Container) -> float:
        """How long its successor waits from its end."""
        entry = self._entries.get(ended.name) or self._recalled(ended)
        if entry is not None and entry.attempt == ended.attempt:
            return entry.waited
        if entry is None or ended.finished_at - entry.updated_at > 2 * self._limit:
            return 0.0
        return entry.seconds

    def restarted(self, ended: Container, now: float) -> None:
        """The successor of a container starts now: the one after it waits longer."""
        seconds = self.seconds(ended)
        longer = min(2 * seconds, self._limit) if seconds else self._first
        self._entries[ended.name] = _Entry(longer, now, ended.attempt, seconds)

    def forget(self, name: str) -> None:
        """The container was changed: what it did before does not count."""
        self._entries.pop(name, None)

    def _recalled(self, ended: Container) -> _Entry | None:
        """What must have been before the kubelet itself was restarted: a crash loop does not begin anew by that."""
        if ended.attempt == 0:
            return None
        return _Entry(min(self._first * 2 ** min(ended.attempt - 1, 16), self._limit), ended.started_at)
