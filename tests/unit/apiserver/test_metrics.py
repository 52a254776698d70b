"""Names, types, labels and buckets that dashboards and alerts for Kubernetes rely on."""

from kubewire.apiserver.metrics import ApiServerMetrics, scope_of
from kubewire.component.metrics.families import Computed, Histogram
from kubewire.component.metrics.registry import Registry
from kubewire.machinery import resources

REQUEST = "component,group,resource,scope,subresource,verb,version"
LATENCY = "0.005,0.025,0.05,0.1,0.2,0.4,0.6,0.8,1,1.25,1.5,2,3,4,5,6,8,10,15,20,30,45,60"
KUBERNETES = {
    "apiserver_cache_list_fetched_objects_total": ("counter", "group,index,resource"),
    "apiserver_cache_list_returned_objects_total": ("counter", "group,resource"),
    "apiserver_cache_list_total": ("counter", "group,index,resource"),
    "apiserver_current_inflight_requests": ("gauge", "request_kind"),
    "apiserver_init_events_total": ("counter", "group,resource"),
    "apiserver_longrunning_requests": ("gauge", REQUEST),
    "apiserver_request_aborts_total": ("counter", "group,resource,scope,subresource,verb,version"),
    "apiserver_request_duration_seconds": (
        "histogram",
        "component,dry_run,group,resource,scope,subresource,verb,version",
    ),
    "apiserver_request_total": ("counter", "code,component,dry_run,group,resource,scope,subresource,verb,version"),
    "apiserver_resource_objects": ("gauge", "group,resource"),
    "apiserver_resource_size_estimate_bytes": ("gauge", "group,resource"),
    "apiserver_response_sizes": ("histogram", REQUEST),
    "apiserver_storage_objects": ("gauge", "resource"),
    "apiserver_storage_size_bytes": ("gauge", "storage_cluster_id"),
    "apiserver_terminated_watchers_total": ("counter", "group,resource"),
    "apiserver_watch_cache_consistent_read_total": ("counter", "fallback,group,resource,success"),
    "apiserver_watch_cache_events_dispatched_total": ("counter", "group,resource"),
    "apiserver_watch_cache_events_received_total": ("counter", "group,resource"),
    "apiserver_watch_cache_initializations_total": ("counter", "group,resource"),
    "apiserver_watch_cache_read_wait_seconds": ("histogram", "group,resource"),
    "apiserver_watch_cache_resource_version": ("gauge", "group,resource"),
    "apiserver_watch_events_sizes": ("histogram", "group,resource,version"),
    "apiserver_watch_events_total": ("counter", "group,resource,version"),
    "etcd_request_duration_seconds": ("histogram", "group,operation,resource"),
    "etcd_request_errors_total": ("counter", "group,operation,resource"),
    "etcd_requests_total": ("counter", "group,operation,resource"),
}
BUCKETS = {
    "apiserver_request_duration_seconds": LATENCY,
    "apiserver_response_sizes": "1000,10000,100000,1000000,10000000,100000000,1000000000",
    "apiserver_watch_cache_read_wait_seconds": "0.005,0.025,0.05,0.1,0.2,0.4,0.6,0.8,1,1.25,1.5,2,3",
    "apiserver_watch_events_sizes": "1024,2048,4096,8192,16384,32768,65536,131072",
    "etcd_request_duration_seconds": LATENCY,
}


def test_families_are_kubernetes_own() -> None:
    """Each metric has the type and the labels it has there."""
    registry = Registry()
    ApiServerMetrics(registry)
    found = {name: (family.kind, ",".join(family.label_names)) for name, family in registry._families.items()}
    assert {name: found.get(name) for name in KUBERNETES} == KUBERNETES


def test_buckets_are_kubernetes_own() -> None:
    """Quantiles of both can be compared."""
    registry = Registry()
    ApiServerMetrics(registry)
    for name, bounds in BUCKETS.items():
        family = registry._families[name]
        assert not isinstance(family, Computed)
        series = family.labels(*("" for _ in family.label_names))
        assert isinstance(series, Histogram)
        assert ",".join(f"{bound:g}" if bound < 1e5 else str(int(bound)) for bound in series.bounds) == bounds, name


def test_scopes() -> None:
    """One object, one namespace, or all; a create is about one object whose name may not be known yet."""
    assert scope_of("ns", "name", "GET") == "resource"
    assert scope_of("ns", "", "POST") == "resource"
    assert scope_of("ns", "", "LIST") == "namespace"
    assert scope_of("", "", "LIST") == "cluster"


def test_a_dry_run_counts_apart() -> None:
    """Under the label that Kubernetes has for it."""
    metrics = ApiServerMetrics(Registry())
    pods = resources.builtin().by_plural("", "v1", "pods")
    metrics.requests.endpoint("POST", pods, "", "resource", is_dry_run=True).done(201, 0.01, 500)
    assert 'dry_run="All"' in metrics.registry.render().decode()


def test_objects_are_named_with_their_group() -> None:
    """`apiserver_storage_objects` says `deployments.apps`, once for all versions of a kind."""
    metrics = ApiServerMetrics(Registry())
    for group, plural, count in (("", "pods", 3), ("apps", "deployments", 2)):
        resource = resources.builtin().by_plural(group, "v1", plural)
        assert resource is not None
        metrics.of_kind(resource).objects.set(count)
    text = metrics.registry.render().decode()
    assert 'apiserver_storage_objects{resource="pods"} 3\n' in text
    assert 'apiserver_storage_objects{resource="deployments.apps"} 2\n' in text
