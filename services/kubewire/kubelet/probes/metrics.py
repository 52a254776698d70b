"""Metrics of probes, under Kubernetes' names and labels; a pod's series go with it."""

from __future__ import annotations

from typing import Final, NamedTuple

from kubewire.component.metrics.registry import Registry
from kubewire.kubelet.probes.spec import ProbeKind

_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

UNKNOWN: Final = "unknown"
"""The result of a probe that could not be made."""

_RESULTS: Final = ("successful", "failed", UNKNOWN)


class Probed(NamedTuple):
    """Whose probe it is, as labels."""

    kind: ProbeKind
    container: str
    pod: str
    namespace: str
    pod_uid: str


class ProbeMetrics:
    """Both families; made once per kubelet."""

    def __init__(self, registry: Registry) -> None:
        self._of_pods: dict[str, set[Probed]] = {}
        self._total = registry.counter(
            "prober_probe_total",
            "Probes of containers, by result.",
            ("probe_type", "result", "container", "pod", "namespace", "pod_uid"),
        )
        self._seconds = registry.histogram(
            "prober_probe_duration_seconds",
            "Seconds that a probe took that was made.",
            ("probe_type", "container", "pod", "namespace"),
            buckets=_BUCKETS,
        )

    def made(self, probed: Probed, result: str, seconds: float) -> None:
        """A probe has ended."""
        self._of_pods.setdefault(probed.pod_uid, set()).add(probed)
        kind, *rest = probed
        self._total.labels(kind, result, *rest).inc()
        if result != UNKNOWN:
            self._seconds.labels(kind, *rest[:3]).observe(seconds)

    def forget(self, pod_uid: str) -> None:
        """The pod is gone."""
        for probed in self._of_pods.pop(pod_uid, ()):
            kind, *rest = probed
            for result in _RESULTS:
                self._total.remove(kind, result, *rest)
            self._seconds.remove(kind, *rest[:3])
