"""The kubelet's metrics, under Kubernetes' names, labels and buckets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from kubewire.component.metrics.registry import Registry

_CALLS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_OPERATIONS: Final = tuple(0.005 * 2.5**step for step in range(14))
_MINUTES: Final = (60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600)
_STARTS: Final = (0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, *_MINUTES)
_SYNCS: Final = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 45, 60)


class StartMetrics:
    """Of what is started."""

    def __init__(self, registry: Registry) -> None:
        self.pod_start_seconds: Final = registry.histogram(
            "kubelet_pod_start_duration_seconds",
            "Seconds from the kubelet's first sight of a pod to its first running container.",
            buckets=_STARTS,
        ).labels()
        self.worker_start_seconds: Final = registry.histogram(
            "kubelet_pod_worker_start_duration_seconds",
            "Seconds from a pod's creation to the kubelet's first sight of it.",
            buckets=_CALLS,
        ).labels()
        self.status_seconds: Final = registry.histogram(
            "kubelet_pod_status_sync_duration_seconds", "Seconds that writing a pod's status took.", buckets=_SYNCS
        ).labels()
        self.sandbox_seconds: Final = registry.histogram(
            "kubelet_run_podsandbox_duration_seconds",
            "Seconds that making a sandbox took.",
            ("runtime_handler",),
            buckets=_CALLS,
        )
        self.sandbox_errors: Final = registry.counter(
            "kubelet_run_podsandbox_errors_total", "Sandboxes that could not be made.", ("runtime_handler",)
        )
        self.started_pods: Final = registry.counter("kubelet_started_pods_total", "Sandboxes that were made.").labels()
        self.started_pod_errors: Final = registry.counter(
            "kubelet_started_pods_errors_total", "Sandboxes that could not be made."
        ).labels()
        self.started_containers: Final = registry.counter(
            "kubelet_started_containers_total", "Containers that were started.", ("container_type",)
        )
        self.started_container_errors: Final = registry.counter(
            "kubelet_started_containers_errors_total",
            "Containers that could not be started, by what went wrong.",
            ("code", "container_type"),
        )


class KubeletMetrics:
    """All of them; made once per kubelet. Fills `CallMetrics` and `RelistMetrics`."""

    def __init__(self, registry: Registry, node_name: str) -> None:
        self.registry: Final = registry
        registry.gauge("kubelet_node_name", "The node's name; the count is always 1.", ("node",)).labels(node_name).set(
            1
        )
        self._calls = registry.counter(
            "kubelet_runtime_operations_total", "Calls to the container runtime.", ("operation_type",)
        )
        self._call_errors = registry.counter(
            "kubelet_runtime_operations_errors_total",
            "Calls to the container runtime that failed.",
            ("operation_type",),
        )
        self._call_seconds = registry.histogram(
            "kubelet_runtime_operations_duration_seconds",
            "Seconds that calls to the container runtime took.",
            ("operation_type",),
            buckets=_OPERATIONS,
        )
        self._relist_seconds = registry.histogram(
            "kubelet_pleg_relist_duration_seconds", "Seconds that listing all pods of the runtime took.", buckets=_CALLS
        ).labels()
        self._relist_interval = registry.histogram(
            "kubelet_pleg_relist_interval_seconds", "Seconds between lists of all pods of the runtime.", buckets=_CALLS
        ).labels()
        self.starts: Final = StartMetrics(registry)
        self.rejections: Final = registry.counter(
            "kubelet_admission_rejections_total", "Pods the node did not take, by reason.", ("reason",)
        )
        self.orphans: Final = registry.counter(
            "kubelet_orphaned_runtime_pods_total", "Pods that ran although nobody wanted them."
        ).labels()

    def observe(self, counts: Callable[[], Mapping[str, float]], containers: Callable[[], Mapping[str, int]]) -> None:
        """Tell how many pods and containers there are whenever metrics are read.

        `counts` gives desired, running and active pods; `containers` gives containers by state.
        """
        for name, help_text in (
            ("kubelet_desired_pods", "Pods that are bound to this node."),
            ("kubelet_active_pods", "Pods that are neither finished nor rejected."),
        ):
            self.registry.computed(name, help_text, ("static",), collect=partial(_static, counts, name))
        self.registry.computed(
            "kubelet_running_pods", "Pods with a sandbox that is up.", collect=lambda: [((), counts()["running"])]
        )
        self.registry.computed(
            "kubelet_running_containers",
            "Containers the runtime has, by state.",
            ("container_state",),
            collect=lambda: [((state,), float(count)) for state, count in containers().items()],
        )

    def operation(self, name: str, seconds: float, *, failed: bool) -> None:
        """A call to the runtime has ended."""
        self._calls.labels(name).inc()
        self._call_seconds.labels(name).observe(seconds)
        if failed:
            self._call_errors.labels(name).inc()

    def relisted(self, seconds: float, interval_seconds: float) -> None:
        """All pods of the runtime were listed."""
        self._relist_seconds.observe(seconds)
        if interval_seconds:
            self._relist_interval.observe(interval_seconds)


def _static(counts: Callable[[], Mapping[str, float]], name: str) -> Sequence[tuple[tuple[str, ...], float]]:
    """There are no static pods."""
    return [(("",), counts().get(name, 0.0))]
