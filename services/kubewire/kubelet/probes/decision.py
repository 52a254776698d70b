"""From results of probes, one after the other, to what they say of a container. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kubewire.kubelet.contracts import Verdict
from kubewire.kubelet.probes.reply import Outcome, Reply
from kubewire.kubelet.probes.spec import ProbeKind, ProbeSpec


@dataclass(slots=True)
class History:
    """Results of one probe of one container.

    Attributes:
        result: what they come to; None while nothing is known.
        last: of the last probe.
        run: how often that came without the other in between.
    """

    spec: ProbeSpec
    result: Outcome | None = None
    last: Outcome | None = None
    run: int = 0

    def take(self, outcome: Outcome) -> bool:
        """Count one; True if it changed the result."""
        self.run = self.run + 1 if outcome is self.last else 1
        self.last = outcome
        enough = self.spec.successes if outcome is Outcome.SUCCESS else self.spec.failures
        if self.run < enough or outcome is self.result:
            return False
        self.result = outcome
        return True


EARLY_FIRST_SECONDS: Final = 0.005
EARLY_LIMIT_SECONDS: Final = 0.5
_EARLY_GROWTH: Final = 1.5
"""So that a port which opens after a moment is found open at most half as long later."""

_EARLY: Final = frozenset({ProbeKind.STARTUP, ProbeKind.READINESS})


def early_wait(history: History, reply: Reply, looks: int, seconds_left: float) -> float | None:
    """Seconds until a probe is made again that came too early; None: it counts.

    A container's port is often opened a few milliseconds after the container was started, and a whole period would be
    lost over them. So a connection that is refused during the first period is tried again soon, `looks` times so far:
    nothing in the container notices that. With the end of the period it counts as the failure of that period.
    """
    if not reply.refused or history.last is not None or history.spec.kind not in _EARLY or seconds_left <= 0:
        return None
    # Beyond the twelfth the limit is reached; larger powers are of no use.
    return min(EARLY_FIRST_SECONDS * _EARLY_GROWTH ** min(looks, 12), EARLY_LIMIT_SECONDS, seconds_left)


Histories = Mapping[ProbeKind, History]
"""Those of one container, by kind; kinds that it does not have are missing."""


def is_due(kind: ProbeKind, histories: Histories, *, is_terminating: bool) -> bool:
    """Whether a probe is to be made at present.

    Until a container has started only its startup probe is, and then never again. One that failed a probe that has it
    restarted is left alone, and so is, but for readiness, one whose pod is about to end.
    """
    if kind.restarts and (is_terminating or histories[kind].result is Outcome.FAILURE):
        return False
    return (kind is ProbeKind.STARTUP) is not _has_started(histories)


def verdict_of(container: str, histories: Histories) -> Verdict:
    """What is known of a container that runs."""
    started = _has_started(histories)
    readiness = histories.get(ProbeKind.READINESS)
    failed = next((history for history in histories.values() if _has_ended(history)), None)
    return Verdict(
        started=started,
        ready=started and (readiness is None or readiness.result is Outcome.SUCCESS),
        live=failed is None,
        failure="" if failed is None else f"Container {container} failed {failed.spec.kind.lower()} probe",
        grace_seconds=None if failed is None else failed.spec.grace,
    )


def _has_started(histories: Histories) -> bool:
    startup = histories.get(ProbeKind.STARTUP)
    return startup is None or startup.result is Outcome.SUCCESS


def _has_ended(history: History) -> bool:
    return history.spec.kind.restarts and history.result is Outcome.FAILURE
