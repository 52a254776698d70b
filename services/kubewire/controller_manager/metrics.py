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
    """

    def __init__(self, registry: Registry) -> None:
        self.queues = WorkQueueMetrics(registry)
        self.election = ElectionMetrics(registry)
        self._running = registry.gauge(
            "running_managed_controllers", "1 for controllers that run here.", ("name", "manager")
        )

    def runs(self, controller: str, *, is_running: bool) -> None:
        """A controller was started or has ended."""
        self._running.labels(controller, MANAGER).set(float(is_running))
