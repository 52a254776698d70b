"""kube-proxy's metrics: Kubernetes' names, labels and buckets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from kubewire.component.metrics.registry import Registry

_IPV4: Final = "IPv4"
_SYNC: Final = tuple(0.001 * 2**step for step in range(15))
_PROGRAMMING: Final = (
    0.25,
    0.5,
    *range(1, 60),
    *range(60, 120, 5),
    *range(120, 301, 30),
)


class ChangeMetrics:
    """Changes that were seen, and those that wait to be programmed."""

    def __init__(self, registry: Registry) -> None:
        prefix = "kubeproxy_sync_proxy_rules"
        self._services = registry.counter(
            f"{prefix}_service_changes_total", "Changes of Services that were seen."
        ).labels()
        self._endpoints = registry.counter(
            f"{prefix}_endpoint_changes_total", "Changes of EndpointSlices that were seen."
        ).labels()
        self._services_pending = registry.gauge(
            f"{prefix}_service_changes_pending", "Changes of Services that wait to be programmed."
        ).labels()
        self._endpoints_pending = registry.gauge(
            f"{prefix}_endpoint_changes_pending", "Changes of EndpointSlices that wait to be programmed."
        ).labels()

    def service_seen(self) -> None:
        """A Service came, changed or went."""
        self._services.inc()
        self._services_pending.inc()

    def slice_seen(self) -> None:
        """An EndpointSlice did."""
        self._endpoints.inc()
        self._endpoints_pending.inc()

    def taken(self) -> None:
        """All that waited are being programmed."""
        self._services_pending.set(0)
        self._endpoints_pending.set(0)


class KubeProxyMetrics:
    """What is counted and timed."""

    def __init__(self, registry: Registry, wall_clock: Callable[[], float] = time.time) -> None:
        self.registry: Final = registry
        self._wall_clock = wall_clock
        family = ("ip_family",)
        histogram, gauge, counter = registry.histogram, registry.gauge, registry.counter
        self._sync = histogram(
            "kubeproxy_sync_proxy_rules_duration_seconds", "Seconds of one round of programming.", family, buckets=_SYNC
        ).labels(_IPV4)
        self._full = histogram(
            "kubeproxy_sync_full_proxy_rules_duration_seconds",
            "Seconds of rounds that compared everything with what is programmed.",
            family,
            buckets=_SYNC,
        ).labels(_IPV4)
        self._partial = histogram(
            "kubeproxy_sync_partial_proxy_rules_duration_seconds",
            "Seconds of rounds that looked at what had changed alone.",
            family,
            buckets=_SYNC,
        ).labels(_IPV4)
        self.programming: Final = histogram(
            "kubeproxy_network_programming_duration_seconds",
            "Seconds from a change of a pod or Service to its being programmed.",
            family,
            buckets=_PROGRAMMING,
        ).labels(_IPV4)
        self._last = gauge(
            "kubeproxy_sync_proxy_rules_last_timestamp_seconds", "When rules were last programmed, Unix time.", family
        ).labels(_IPV4)
        self._queued = gauge(
            "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds", "When a round was last asked for.", family
        ).labels(_IPV4)
        self._failures = counter(
            "kubeproxy_sync_proxy_rules_nftables_sync_failures_total", "Rounds that failed.", family
        ).labels(_IPV4)
        self.repairs: Final = counter(
            "kubewire_kube_proxy_repairs_total", "Rounds that found rules other than they were left."
        ).labels()
        self.changes: Final = ChangeMetrics(registry)
        self._forget = histogram(
            "kubeproxy_conntrack_reconciler_sync_duration_seconds",
            "Seconds of looking for connections that go where they should no more.",
            family,
            buckets=_SYNC,
        ).labels(_IPV4)
        self._forgotten = counter(
            "kubeproxy_conntrack_reconciler_deleted_entries_total", "Connections that were forgotten.", family
        ).labels(_IPV4)
        self._healthz = counter("kubeproxy_proxy_healthz_total", "Answers of /healthz, by status code.", ("code",))
        self._livez = counter("kubeproxy_proxy_livez_total", "Answers of /livez, by status code.", ("code",))

    def observe_missing(self, collect: Callable[[], Iterable[tuple[tuple[str, ...], float]]]) -> None:
        """Tell how many frontends drop connections for want of a local target; labels are the traffic policies."""
        self.registry.computed(
            "kubeproxy_sync_proxy_rules_no_local_endpoints_total",
            "Frontends with a Local traffic policy that have targets on other nodes only.",
            ("ip_family", "traffic_policy"),
            collect=lambda: [((_IPV4, *labels), value) for labels, value in collect()],
        )

    def queued(self) -> None:
        """A round is asked for."""
        self._queued.set(self._wall_clock())

    def synced(self, seconds: float, *, is_full: bool) -> None:
        """A round has succeeded."""
        self._sync.observe(seconds)
        (self._full if is_full else self._partial).observe(seconds)
        self._last.set(self._wall_clock())

    def failed(self) -> None:
        """A round has failed."""
        self._failures.inc()

    def forgot(self, flows: int, seconds: float) -> None:
        """Connections were looked through."""
        self._forget.observe(seconds)
        self._forgotten.inc(flows)

    def answered(self, page: str, code: int) -> None:
        """`/healthz` or `/livez` was asked for."""
        (self._healthz if page == "healthz" else self._livez).labels(str(code)).inc()
