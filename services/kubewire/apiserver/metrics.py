"""All metrics of the API server, under Kubernetes' names, labels and buckets.

Whoever counts on a hot path asks once for the series it needs (`endpoint`, `of_kind`, `operation`: all remember what
they made) and keeps it: recording is then a few additions. Both faces record requests here, so that a call counts the
same however it came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubewire.machinery.gvk import GroupResource

if TYPE_CHECKING:
    from kubewire.component.metrics.families import Counter, Family, Gauge, Histogram
    from kubewire.component.metrics.registry import Registry
    from kubewire.machinery.resources import Resource

COMPONENT: Final = "apiserver"
_LATENCY: Final = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60)
_READ_WAIT: Final = _LATENCY[:13]
_RESPONSE_BYTES: Final = tuple(10**power for power in range(3, 10))
_EVENT_BYTES: Final = tuple(1024 << power for power in range(8))
_KIND: Final = ("group", "resource")
_REQUEST: Final = ("component", "group", "resource", "scope", "subresource", "verb", "version")


def scope_of(namespace: str, name: str, verb: str) -> str:
    """What part of the cluster a request is about: `resource`, `namespace` or `cluster`."""
    if name or verb == "POST":
        return "resource"
    return "namespace" if namespace else "cluster"


class EndpointMetrics:
    """Numbers of one verb on one resource. `running` counts watches and other calls that last."""

    __slots__ = ("_duration", "_labels", "_sizes", "_total", "_totals", "running")

    def __init__(
        self,
        labels: tuple[str, ...],
        total: Family[Counter],
        duration: Histogram,
        sizes: Histogram,
        running: Gauge,
    ) -> None:
        self._labels = labels
        self._total = total
        self._totals: dict[int, Counter] = {}
        self._duration = duration
        self._sizes = sizes
        self.running: Final = running

    def done(self, code: int, seconds: float, size: int = 0) -> None:
        """A call ended with HTTP status `code` (also when it came over gRPC) and sent `size` bytes."""
        total = self._totals.get(code)
        if total is None:
            total = self._totals[code] = self._total.labels(str(code), *self._labels)
        total.value += 1
        self._duration.observe(seconds)
        if size:
            self._sizes.observe(size)

    def ended(self, code: int) -> None:
        """A lasting call ended: counted, but its duration says nothing about the server."""
        self._total.labels(str(code), *self._labels).inc()


class RequestMetrics:
    """Requests of both faces."""

    def __init__(self, registry: Registry) -> None:
        self._total = registry.counter(
            "apiserver_request_total",
            "Requests by verb, resource and HTTP status code, whichever face they came to.",
            ("code", "component", "dry_run", "group", "resource", "scope", "subresource", "verb", "version"),
        )
        self._duration = registry.histogram(
            "apiserver_request_duration_seconds",
            "Seconds from a request's arrival to its answer, watches and other lasting calls left out.",
            ("component", "dry_run", "group", "resource", "scope", "subresource", "verb", "version"),
            buckets=_LATENCY,
        )
        self._sizes = registry.histogram(
            "apiserver_response_sizes", "Bytes of answers.", _REQUEST, buckets=_RESPONSE_BYTES
        )
        self._running = registry.gauge(
            "apiserver_longrunning_requests", "Watches and other calls that are open now.", _REQUEST
        )
        inflight = registry.gauge(
            "apiserver_current_inflight_requests",
            "Requests being served now, by whether they may change something; lasting calls left out.",
            ("request_kind",),
        )
        self._aborts = registry.counter(
            "apiserver_request_aborts_total",
            "Requests whose caller went away before the answer.",
            ("group", "resource", "scope", "subresource", "verb", "version"),
        )
        self._endpoints: dict[tuple[str, ...], EndpointMetrics] = {}
        self.mutating: Final = inflight.labels("mutating")
        self.read_only: Final = inflight.labels("readOnly")

    def endpoint(
        self, verb: str, resource: Resource | None, subresource: str, scope: str, *, is_dry_run: bool = False
    ) -> EndpointMetrics:
        """The series of one endpoint.

        `verb` is GET, LIST, WATCH, POST, PUT, PATCH, APPLY, DELETE, DELETECOLLECTION or CONNECT; `resource` None:
        a path that is no resource; `scope` as `scope_of` gives it.
        """
        group, version, plural = (resource.group, resource.version, resource.plural) if resource else ("", "", "")
        dry_run = "All" if is_dry_run else ""
        key = (verb, group, version, plural, subresource, scope, dry_run)
        found = self._endpoints.get(key)
        if found is None:
            what = (group, plural, scope, subresource, verb, version)
            found = self._endpoints[key] = EndpointMetrics(
                (COMPONENT, dry_run, *what),
                self._total,
                self._duration.labels(COMPONENT, dry_run, *what),
                self._sizes.labels(COMPONENT, *what),
                self._running.labels(COMPONENT, *what),
            )
        return found

    def aborted(self, verb: str, resource: Resource | None, subresource: str, scope: str) -> None:
        """The caller of a request went away."""
        group, version, plural = (resource.group, resource.version, resource.plural) if resource else ("", "", "")
        self._aborts.labels(group, plural, scope, subresource, verb, version).inc()


class KindMetrics:
    """What the cache does for one resource.

    Attributes:
        received: events that came from the store.
        undecodable: values in the store that are no objects of the kind, counted each time they are read.
        dispatched: events handed to watchers' queues, each counted once however many watchers there are.
        initial_events: objects sent to start watches that asked for the initial state.
        terminated_watchers: watches ended because they were too slow.
        initializations: how often the cache was filled from the store.
        resource_version: the newest revision the cache has seen of this resource.
        objects: how many objects there are.
        bytes: their estimated size.
        read_wait: seconds that reads waited until the cache had caught up.
        lists, fetched, returned: lists served, objects looked at, objects returned.
        events, event_sizes: events that faces sent to watchers, every receiver counted, and the bytes of each.
    """

    def __init__(self, families: _KindFamilies, resource: Resource) -> None:
        kind = (resource.group, resource.plural)
        self.received: Final = families.received.labels(*kind)
        self.undecodable: Final = families.undecodable.labels(*kind)
        self.dispatched: Final = families.dispatched.labels(*kind)
        self.initial_events: Final = families.initial_events.labels(*kind)
        self.terminated_watchers: Final = families.terminated_watchers.labels(*kind)
        self.initializations: Final = families.initializations.labels(*kind)
        self.resource_version: Final = families.resource_version.labels(*kind)
        self.objects: Final = families.objects.labels(*kind)
        self.bytes: Final = families.bytes.labels(*kind)
        self.read_wait: Final = families.read_wait.labels(*kind)
        self.lists: Final = families.lists.labels(resource.group, "", resource.plural)
        self.fetched: Final = families.fetched.labels(resource.group, "", resource.plural)
        self.returned: Final = families.returned.labels(*kind)
        self.events: Final = families.events.labels(*kind, resource.version)
        self.event_sizes: Final = families.event_sizes.labels(*kind, resource.version)
        self._consistent = families.consistent
        self._kind = kind

    def consistent_read(self, *, is_fallback: bool, is_success: bool) -> None:
        """A linearizable read was served by the cache, or (`is_fallback`) by the store instead."""
        self._consistent.labels(str(is_fallback).lower(), *self._kind, str(is_success).lower()).inc()


class _KindFamilies:
    """The families behind KindMetrics."""

    def __init__(self, registry: Registry) -> None:
        counter, gauge, histogram = registry.counter, registry.gauge, registry.histogram
        self.received = counter(
            "apiserver_watch_cache_events_received_total", "Events the cache got from the store.", _KIND
        )
        self.undecodable = counter(
            "apiserver_storage_decode_errors_total", "Values in the store that could not be decoded.", _KIND
        )
        self.dispatched = counter(
            "apiserver_watch_cache_events_dispatched_total", "Events the cache handed on to watchers.", _KIND
        )
        self.initial_events = counter(
            "apiserver_init_events_total", "Objects sent as the initial state of watches.", _KIND
        )
        self.terminated_watchers = counter(
            "apiserver_terminated_watchers_total", "Watches ended because they did not keep up.", _KIND
        )
        self.initializations = counter(
            "apiserver_watch_cache_initializations_total", "How often the cache was filled from the store.", _KIND
        )
        self.resource_version = gauge(
            "apiserver_watch_cache_resource_version", "The newest revision the cache has seen.", _KIND
        )
        self.objects = gauge("apiserver_resource_objects", "Objects in the cache.", _KIND)
        self.bytes = gauge("apiserver_resource_size_estimate_bytes", "Estimated bytes of all objects.", _KIND)
        self.read_wait = histogram(
            "apiserver_watch_cache_read_wait_seconds",
            "Seconds that reads waited until the cache had caught up.",
            _KIND,
            buckets=_READ_WAIT,
        )
        self.lists = counter(
            "apiserver_cache_list_total", "Lists served from the cache.", ("group", "index", "resource")
        )
        self.fetched = counter(
            "apiserver_cache_list_fetched_objects_total",
            "Objects looked at to serve lists from the cache.",
            ("group", "index", "resource"),
        )
        self.returned = counter(
            "apiserver_cache_list_returned_objects_total", "Objects in lists that were served.", _KIND
        )
        self.consistent = counter(
            "apiserver_watch_cache_consistent_read_total",
            "Linearizable reads, by whether the cache could serve them.",
            ("fallback", *_KIND, "success"),
        )
        self.events = counter(
            "apiserver_watch_events_total", "Events sent to watchers, each receiver counted.", (*_KIND, "version")
        )
        self.event_sizes = histogram(
            "apiserver_watch_events_sizes", "Bytes of events as encoded.", (*_KIND, "version"), buckets=_EVENT_BYTES
        )


class OperationMetrics:
    """One operation on one resource's keys in etcd. `operation` is get, list, create, update or delete."""

    __slots__ = ("_duration", "_errors", "_requests")

    def __init__(self, duration: Histogram, requests: Counter, errors: Counter) -> None:
        self._duration = duration
        self._requests = requests
        self._errors = errors

    def done(self, seconds: float, *, is_failed: bool = False) -> None:
        """etcd answered, or did not, after `seconds`."""
        self._duration.observe(seconds)
        self._requests.value += 1
        if is_failed:
            self._errors.value += 1


class StoreMetrics:
    """Requests to etcd, and what it tells about itself."""

    def __init__(self, registry: Registry) -> None:
        labels = ("group", "operation", "resource")
        self._duration = registry.histogram(
            "etcd_request_duration_seconds", "Seconds that requests to etcd took.", labels, buckets=_LATENCY
        )
        self._requests = registry.counter("etcd_requests_total", "Requests to etcd.", labels)
        self._errors = registry.counter("etcd_request_errors_total", "Requests to etcd that failed.", labels)
        self._operations: dict[tuple[str, GroupResource], OperationMetrics] = {}
        self.size: Final = registry.gauge(
            "apiserver_storage_size_bytes", "Size of the store's file, as etcd tells it.", ("storage_cluster_id",)
        )

    def operation(self, operation: str, resource: GroupResource) -> OperationMetrics:
        """The series of one operation on one resource."""
        key = (operation, resource)
        found = self._operations.get(key)
        if found is None:
            labels = (resource.group, operation, resource.resource)
            found = self._operations[key] = OperationMetrics(
                self._duration.labels(*labels), self._requests.labels(*labels), self._errors.labels(*labels)
            )
        return found


class ApiServerMetrics:
    """All of them; made once per server."""

    def __init__(self, registry: Registry) -> None:
        self.registry: Final = registry
        self.requests: Final = RequestMetrics(registry)
        self.store: Final = StoreMetrics(registry)
        self._families = _KindFamilies(registry)
        self._kinds: dict[Resource, KindMetrics] = {}
        # Deprecated by apiserver_resource_objects, but what dashboards look at.
        registry.computed(
            "apiserver_storage_objects",
            "Objects in the store by resource.",
            ("resource",),
            collect=self._storage_objects,
        )

    def of_kind(self, resource: Resource) -> KindMetrics:
        """The cache's series of one resource."""
        found = self._kinds.get(resource)
        if found is None:
            found = self._kinds[resource] = KindMetrics(self._families, resource)
        return found

    def _storage_objects(self) -> list[tuple[tuple[str, ...], float]]:
        counts = {str(kind.group_resource): metrics.objects.value for kind, metrics in self._kinds.items()}
        return [((name,), count) for name, count in counts.items()]
