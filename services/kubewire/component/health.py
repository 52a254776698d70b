"""Whether a process is alive, and whether it is ready: named checks, asked by probes and by gRPC's health service.

Live means that the event loop turns and nothing is broken for good; ready means that requests can be served now.
A check is cheap and does no I/O: it looks at what its part already knows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from enum import Enum
from typing import Final, NamedTuple

Check = Callable[[], str]
"""What is wrong, in a few words; empty when all is well."""


class Probe(Enum):
    """What is asked; the values are the paths probes use."""

    LIVE = "livez"
    READY = "readyz"
    HEALTHY = "healthz"


class Result(NamedTuple):
    """The outcome of one check; `problem` is empty when all is well."""

    name: str
    problem: str


class Health:
    """The checks of one process.

    Whoever wants to know of changes subscribes; `refresh` tells subscribers when readiness turned since it was last
    called.
    """

    def __init__(self) -> None:
        self._live: dict[str, Check] = {"ping": lambda: ""}
        self._ready: dict[str, Check] = {}
        self._subscribers: list[Callable[[bool], None]] = []
        self._was_ready = False
        self._stopping = False
        self.add_readiness("shutdown", lambda: "the process is shutting down" if self._stopping else "")

    def add_liveness(self, name: str, check: Check) -> None:
        """A check whose failure only a restart can heal. It counts for readiness too."""
        self._live[name] = check

    def add_readiness(self, name: str, check: Check) -> None:
        """A check that keeps requests away while it fails."""
        self._ready[name] = check

    def results(self, probe: Probe, exclude: Collection[str] = ()) -> list[Result]:
        """The outcome of every check a probe asks for, in the order in which they were added."""
        checks = dict(self._live) if probe is Probe.LIVE else {**self._live, **self._ready}
        return [Result(name, check()) for name, check in checks.items() if name not in exclude]

    @property
    def is_ready(self) -> bool:
        """Whether requests can be served now."""
        return not any(result.problem for result in self.results(Probe.READY))

    def stop(self) -> None:
        """From now on the process is not ready: it finishes what it has."""
        self._stopping = True
        self.refresh()

    def subscribe(self, subscriber: Callable[[bool], None]) -> None:
        """Call `subscriber` now, and whenever readiness has turned, with what it is."""
        self._subscribers.append(subscriber)
        subscriber(self._was_ready)

    def refresh(self) -> bool:
        """Ask all checks and tell subscribers if readiness turned; returns it."""
        ready = self.is_ready
        if ready is not self._was_ready:
            self._was_ready = ready
            for subscriber in self._subscribers:
                subscriber(ready)
        return ready


REFRESH_SECONDS: Final = 1.0
"""How often a process asks its checks by itself, so that what turned is noticed although no part said so."""


def render(probe: Probe, results: Iterable[Result], *, excluded: Iterable[str] = ()) -> str:
    """The answer to a verbose probe, or to one that failed, in Kubernetes' form. Reasons are for the log alone."""
    lines, failed = [], False
    for name, problem in results:
        failed = failed or bool(problem)
        lines.append(f"[-]{name} failed: reason withheld" if problem else f"[+]{name} ok")
    lines += [f"[+]{name} excluded: ok" for name in excluded]
    lines.append(f"{probe.value} check {'failed' if failed else 'passed'}")
    return "\n".join(lines) + "\n"
