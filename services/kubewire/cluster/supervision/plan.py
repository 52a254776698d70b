"""When a process is started again. Pure: times come in as seconds of one clock.

A process that ends is started anew after a pause that doubles while it does not stay up, so that a component that
cannot start neither burns a core nor fills the disk with its log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from kubewire.cluster.processes import ProcessId
from kubewire.cluster.supervision.component import Component

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0
HEALTHY_SECONDS: Final = 30.0
"""A process that ran for so long has started well: its next pause is the first again."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of one component's process.

    Attributes:
        process: the one that runs; None while none does.
        began: when it was started or found.
        restarts: how often one was started after another had ended.
        exit_code: of the last that ended, negative for a signal; None if none did or nobody could see it.
        quick_ends: how many ended in a row without having stayed up.
        not_before: when the next may be started.
    """

    process: ProcessId | None = None
    began: float = 0.0
    restarts: int = 0
    exit_code: int | None = None
    quick_ends: int = 0
    not_before: float = 0.0


def started(before: Watched | None, process: ProcessId, now: float) -> Watched:
    """After a start."""
    if before is None:
        return Watched(process, now)
    return replace(before, process=process, began=now, restarts=before.restarts + 1)


def ended(before: Watched, exit_code: int | None, now: float) -> Watched:
    """After an end that nobody asked for."""
    quick_ends = 0 if now - before.began >= HEALTHY_SECONDS else before.quick_ends
    pause = min(FIRST_PAUSE_SECONDS * 2**quick_ends, LONGEST_PAUSE_SECONDS)
    return replace(
        before, process=None, exit_code=exit_code, quick_ends=min(quick_ends + 1, 16), not_before=now + pause
    )


def due(components: Iterable[Component], watched: Mapping[str, Watched], now: float) -> list[Component]:
    """Those to start now, in order."""
    return [one for one in components if _is_missing(one, watched) and _not_before(one, watched) <= now]


def pause(components: Iterable[Component], watched: Mapping[str, Watched], now: float) -> float | None:
    """Seconds until the next start is due; None if nothing is missing."""
    times = [_not_before(one, watched) - now for one in components if _is_missing(one, watched)]
    return max(0.0, min(times)) if times else None


def _is_missing(component: Component, watched: Mapping[str, Watched]) -> bool:
    found = watched.get(component.name)
    return not component.is_stopped and (found is None or found.process is None)


def _not_before(component: Component, watched: Mapping[str, Watched]) -> float:
    found = watched.get(component.name)
    return 0.0 if found is None else found.not_before
