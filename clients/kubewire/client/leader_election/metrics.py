"""Metrics of elections, under Kubernetes' names."""

from __future__ import annotations

from kubewire.client.metrics import MetricRegistry

_NAME = ("name",)


class ElectionMetrics:
    """Who leads, and how often a renewal was not straightforward. Without a registry nothing is counted."""

    def __init__(self, registry: MetricRegistry | None = None) -> None:
        self._leads = self._slow = None
        if registry is not None:
            help_text = "1 while this process leads, 0 otherwise"
            self._leads = registry.gauge("leader_election_master_status", help_text, _NAME)
            help_text = "Renewals for which the lease had to be read first"
            self._slow = registry.counter("leader_election_slowpath_total", help_text, _NAME)

    def leads(self, name: str, *, is_leading: bool) -> None:
        """The lead of lease `name` was won or lost."""
        if self._leads is not None:
            self._leads.labels(name).set(float(is_leading))

    def slow_path(self, name: str, count: int) -> None:
        """So many renewals needed a read."""
        if self._slow is not None and count:
            self._slow.labels(name).inc(float(count))
