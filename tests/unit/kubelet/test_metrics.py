"""The kubelet's metrics under Kubernetes' names."""

from prometheus_client.parser import text_string_to_metric_families

from kubewire.component.metrics.registry import Registry
from kubewire.kubelet.metrics import KubeletMetrics


def test_what_happened_is_told() -> None:
    """Calls with their failures, lists, starts, and what there is."""
    registry = Registry()
    metrics = KubeletMetrics(registry, "n1")
    metrics.operation("create_container", 0.02, failed=False)
    metrics.operation("create_container", 0.2, failed=True)
    metrics.relisted(0.01, 10.0)
    metrics.starts.started_containers.labels("container").inc()
    metrics.observe(
        lambda: {"kubelet_desired_pods": 3.0, "kubelet_active_pods": 2.0, "running": 1.0},
        lambda: {"running": 4, "exited": 5},
    )
    families = text_string_to_metric_families(registry.render().decode())
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
        if "le" not in sample.labels
    }
    assert found["kubelet_node_name", "n1"] == 1
    assert found["kubelet_runtime_operations_total", "create_container"] == 2
    assert found["kubelet_runtime_operations_errors_total", "create_container"] == 1
    assert found["kubelet_runtime_operations_duration_seconds_count", "create_container"] == 2
    assert found[("kubelet_pleg_relist_interval_seconds_sum",)] == 10
    assert found["kubelet_started_containers_total", "container"] == 1
    assert found["kubelet_desired_pods", ""] == 3
    assert found["kubelet_active_pods", ""] == 2
    assert found[("kubelet_running_pods",)] == 1
    assert found["kubelet_running_containers", "exited"] == 5


def test_buckets_are_kubernetes_own() -> None:
    """Dashboards add them up over nodes of both kinds."""
    registry = Registry()
    metrics = KubeletMetrics(registry, "n1")
    metrics.operation("version", 1.0, failed=False)
    families = {family.name: family for family in text_string_to_metric_families(registry.render().decode())}

    def bounds(name: str) -> list[str]:
        return [sample.labels["le"] for sample in families[name].samples if "le" in sample.labels]

    assert bounds("kubelet_runtime_operations_duration_seconds")[:4] == ["0.005", "0.0125", "0.03125", "0.078125"]
    assert len(bounds("kubelet_runtime_operations_duration_seconds")) == 15
    assert bounds("kubelet_pod_start_duration_seconds")[-2:] == ["3600", "+Inf"]
    assert bounds("kubelet_pod_worker_start_duration_seconds")[0] == "0.005"
