"""The scheduler's metrics, under Kubernetes' names, labels and buckets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from kubewire.component.metrics.registry import Registry
from kubewire.scheduler.queue.queue import Place, SchedulingQueue

_ATTEMPT: Final = tuple(0.001 * 2**step for step in range(15))
_WAIT: Final = tuple(0.01 * 2**step for step in range(20))


class SchedulerMetrics:
    """All of them; made once per scheduler. `result` is scheduled, unschedulable or error."""

    def __init__(self, registry: Registry, profile: str) -> None:
        self.registry: Final = registry
        self._profile = profile
        self._attempts = registry.counter(
            "scheduler_schedule_attempts_total", "Attempts to schedule pods, by result.", ("profile", "result")
        )
        self._attempt_seconds = registry.histogram(
            "scheduler_scheduling_attempt_duration_seconds",
            "Seconds from taking a pod out of the queue to the end of the attempt, binding included.",
            ("profile", "result"),
            buckets=_ATTEMPT,
        )
        self.algorithm_seconds: Final = registry.histogram(
            "scheduler_scheduling_algorithm_duration_seconds", "Seconds that deciding took.", buckets=_ATTEMPT
        ).labels()
        self._pod_attempts = registry.histogram(
            "scheduler_pod_scheduling_attempts", "Attempts until a pod was scheduled.", buckets=(1, 2, 4, 8, 16)
        ).labels()
        self._waited = registry.histogram(
            "scheduler_pod_scheduling_sli_duration_seconds",
            "Seconds from a pod's coming into the queue to its being bound.",
            ("attempts",),
            buckets=_WAIT,
        )
        self._incoming = registry.counter(
            "scheduler_queue_incoming_pods_total", "Pods that came into the queue.", ("event", "queue")
        )

    def observe(self, queue: Callable[[], SchedulingQueue | None], sizes: Callable[[], Mapping[str, int]]) -> None:
        """Tell what waits and the size of the snapshot whenever metrics are read; no queue: nothing waits."""

        def pending() -> Mapping[Place, int]:
            waiting = queue()
            return dict.fromkeys(Place, 0) if waiting is None else waiting.counts

        def refused() -> Mapping[str, int]:
            waiting = queue()
            return {} if waiting is None else waiting.refused()

        self.registry.computed(
            "scheduler_pending_pods",
            "Pods that wait, by where they do.",
            ("queue",),
            collect=lambda: [((place.value,), float(count)) for place, count in pending().items()],
        )
        self.registry.computed(
            "scheduler_unschedulable_pods",
            "Pods that fit nowhere, by the plugins that refused nodes.",
            ("plugin", "profile"),
            collect=lambda: [((plugin, self._profile), float(count)) for plugin, count in refused().items()],
        )
        self.registry.computed(
            "scheduler_cache_size",
            "Nodes, pods and assumed pods in the snapshot.",
            ("type",),
            collect=lambda: [((kind,), float(size)) for kind, size in sizes().items()],
        )

    def attempted(self, result: str, seconds: float) -> None:
        """An attempt has ended."""
        self._attempts.labels(self._profile, result).inc()
        self._attempt_seconds.labels(self._profile, result).observe(seconds)

    def bound(self, attempts: int, waited_seconds: float) -> None:
        """A pod was bound after so many attempts."""
        self._pod_attempts.observe(attempts)
        self._waited.labels(str(attempts) if attempts < 15 else "15+").observe(waited_seconds)

    def incoming(self, event: str, place: Place) -> None:
        """A pod came into the queue."""
        self._incoming.labels(event, place.value).inc()
