"""Every metric family that a component can have, also those that count nothing yet, beside Kubernetes' own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubewire.apiserver.metrics import ApiServerMetrics
from kubewire.component.metrics.build import add_build_info
from kubewire.component.metrics.families import Computed, Histogram
from kubewire.component.metrics.registry import AnyFamily, Registry
from kubewire.controller_manager.metrics import ControllerManagerMetrics
from kubewire.kube_proxy.metrics import KubeProxyMetrics
from kubewire.kubelet.metrics import KubeletMetrics
from kubewire.kubelet.probes.metrics import ProbeMetrics
from kubewire.scheduler.metrics import SchedulerMetrics
from tests.metric_families import known


def scheduler(registry: Registry) -> None:
    """All of a scheduler's, with those that are computed."""
    SchedulerMetrics(registry, "default-scheduler").observe(lambda: None, dict)


def kubelet(registry: Registry) -> None:
    """A kubelet's."""
    KubeletMetrics(registry, "node-1").observe(dict, dict)


def kube_proxy(registry: Registry) -> None:
    """A proxy's."""
    KubeProxyMetrics(registry).observe_missing(tuple)


FILL: tuple[tuple[str, Callable[[Registry], object], int], ...] = (
    ("/metrics", ApiServerMetrics, 25),
    ("/metrics", ControllerManagerMetrics, 13),
    ("/metrics", scheduler, 9),
    ("/metrics", kubelet, 20),
    ("/metrics/probes", ProbeMetrics, 2),
    ("/metrics", kube_proxy, 15),
    ("/metrics", add_build_info, 1),
)


@pytest.mark.parametrize(("page", "fill", "least"), FILL)
def test_families(page: str, fill: Callable[[Registry], object], least: int) -> None:
    """Those with Kubernetes' names, and there are so many at least, have its kind, labels, buckets and page."""
    registry = Registry()
    fill(registry)
    shared = {name: family for name, family in registry._families.items() if name in known()}
    assert len(shared) >= least
    for name, family in shared.items():
        want = known()[name]
        assert want.kind in {family.kind, "any"}, name
        assert want.labels == set(family.label_names), name
        assert want.buckets in (set(), bounds(family)), name
        assert want.page == page, name


def bounds(family: AnyFamily) -> set[float]:
    """A family's upper bounds; none if it is no histogram."""
    series = None if isinstance(family, Computed) else family._make()
    return set(series.bounds) if isinstance(series, Histogram) else set()
