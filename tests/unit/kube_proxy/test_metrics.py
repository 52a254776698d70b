"""Names and buckets are Kubernetes'."""

from kubewire.component.metrics.registry import Registry
from kubewire.kube_proxy.metrics import KubeProxyMetrics

NAMES = {
    "kubeproxy_conntrack_reconciler_deleted_entries_total",
    "kubeproxy_conntrack_reconciler_sync_duration_seconds",
    "kubeproxy_network_programming_duration_seconds",
    "kubeproxy_proxy_healthz_total",
    "kubeproxy_proxy_livez_total",
    "kubeproxy_sync_full_proxy_rules_duration_seconds",
    "kubeproxy_sync_partial_proxy_rules_duration_seconds",
    "kubeproxy_sync_proxy_rules_duration_seconds",
    "kubeproxy_sync_proxy_rules_endpoint_changes_pending",
    "kubeproxy_sync_proxy_rules_endpoint_changes_total",
    "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds",
    "kubeproxy_sync_proxy_rules_last_timestamp_seconds",
    "kubeproxy_sync_proxy_rules_nftables_sync_failures_total",
    "kubeproxy_sync_proxy_rules_no_local_endpoints_total",
    "kubeproxy_sync_proxy_rules_service_changes_pending",
    "kubeproxy_sync_proxy_rules_service_changes_total",
}


def test_names() -> None:
    """Every metric of Kubernetes that applies is there, with its labels."""
    registry = Registry()
    metrics = KubeProxyMetrics(registry, lambda: 1000.0)
    metrics.observe_missing(lambda: [(("internal",), 2.0)])
    metrics.synced(0.003, is_full=True)
    metrics.answered("healthz", 503)
    text = registry.render().decode()
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert names >= NAMES
    assert 'kubeproxy_sync_proxy_rules_last_timestamp_seconds{ip_family="IPv4"} 1000' in text
    assert 'kubeproxy_sync_full_proxy_rules_duration_seconds_count{ip_family="IPv4"} 1' in text
    assert 'kubeproxy_sync_partial_proxy_rules_duration_seconds_count{ip_family="IPv4"} 0' in text
    assert 'no_local_endpoints_total{ip_family="IPv4",traffic_policy="internal"} 2' in text
    assert 'kubeproxy_proxy_healthz_total{code="503"} 1' in text


def test_buckets() -> None:
    """Dashboards made for Kubernetes fit: the same upper bounds."""
    metrics = KubeProxyMetrics(Registry())
    assert metrics.programming.bounds[:4] == (0.25, 0.5, 1.0, 2.0)
    assert metrics.programming.bounds[-7:] == (115.0, 120.0, 150.0, 180.0, 210.0, 240.0, 270.0, 300.0)[1:]
    assert len(metrics.programming.bounds) == 80
