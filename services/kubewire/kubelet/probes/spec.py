"""The probes of a container, with upstream's defaults where its spec says nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.probe_pb2 import Probe, ProbeHandler


class ProbeKind(StrEnum):
    """The values are those of events and of metrics' label `probe_type`."""

    STARTUP = "Startup"
    READINESS = "Readiness"
    LIVENESS = "Liveness"

    @property
    def restarts(self) -> bool:
        """Whether a container that fails it is ended and started anew."""
        return self is not ProbeKind.READINESS


class ProbeSpec(NamedTuple):
    """One probe; times are seconds."""

    kind: ProbeKind
    handler: ProbeHandler
    initial_delay: float
    timeout: float
    period: float
    successes: int
    failures: int
    grace: int | None


def probes_of(container: Container) -> Iterator[ProbeSpec]:
    """The probes that a container has."""
    if container.HasField("startupProbe"):
        yield _spec(ProbeKind.STARTUP, container.startupProbe)
    if container.HasField("readinessProbe"):
        yield _spec(ProbeKind.READINESS, container.readinessProbe)
    if container.HasField("livenessProbe"):
        yield _spec(ProbeKind.LIVENESS, container.livenessProbe)


def _spec(kind: ProbeKind, probe: Probe) -> ProbeSpec:
    return ProbeSpec(
        kind=kind,
        handler=probe.handler,
        initial_delay=float(max(probe.initialDelaySeconds, 0)),
        timeout=float(max(probe.timeoutSeconds, 1)),
        period=float(probe.periodSeconds if probe.periodSeconds > 0 else 10),
        successes=max(probe.successThreshold, 1),
        failures=probe.failureThreshold if probe.failureThreshold > 0 else 3,
        grace=probe.terminationGracePeriodSeconds if probe.HasField("terminationGracePeriodSeconds") else None,
    )
