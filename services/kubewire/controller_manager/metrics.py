"""The controller-manager's metrics, under Kubernetes' names."""

from __future__ import annotations

from typing import Final

from kubewire.client.leader_election.metrics import ElectionMetrics
from kubewire.client.workqueue.metrics import WorkQueueMetrics
from kubewire.component.metrics.registry import Registry

MANAGER: Final = "kube-controller-manager"


class ControllerManagerMetrics:
    """All families of the component.

    Attributes:
        queues: of every reconcile loop, by its name.
        election: who leads.
        slice_changes: writes of EndpointSlices: create, update, delete.
        ranges_given: ranges given to nodes.
        taint_evictions: pods deleted because of taints.
        pods_removed: pods the pod garbage collector removed, by namespace and reason.
    """

    def __init__(self, registry: Registry) -> None:
        self.queues = WorkQueueMetrics(registry)
        self.election = ElectionMetrics(registry)
        self.slice_changes = registry.counter(
            "endpoint_slice_controller_changes", "Writes of EndpointSlices.", ("operation",)
        )
        self.ranges_given = registry.counter(
            "node_ipam_controller_cidrset_cidrs_allocations_total", "Ranges given to nodes.", ("clusterCIDR",)
        )
        self.taint_evictions = registry.counter(
            "taint_eviction_controller_pod_deletions_total", "Pods deleted because of taints."
        )
        self.pods_removed = registry.counter(
            "pod_gc_collector_force_delete_pods_total", "Pods removed without their node.", ("namespace", "reason")
        )
        self._running = registry.gauge(
            "running_managed_controllers", "1 for controllers that run here.", ("name", "manager")
        )

    def runs(self, controller: str, *, is_running: bool) -> None:
        """A controller was started or has ended."""
        self._running.labels(controller, MANAGER).set(float(is_running))
