"""A real Prometheus watches a cluster: what it scrapes, what that says, and that it is what Kubernetes would say."""

from __future__ import annotations

import ssl
import urllib.request
from functools import partial
from pathlib import Path

from tests.cluster_commands import eventually
from tests.e2e.prometheus.conftest import JOBS, Watched
from tests.metric_families import differences

COMPONENTS = "apiserver|controller-manager|scheduler|kubelet|kube-proxy"
TRUE = (
    'sum(apiserver_request_total{job="apiserver",resource="replicasets",subresource="",verb="POST",code="201"}) == 1',
    'sum(apiserver_request_total{job="apiserver",resource="pods",subresource="",verb="POST"}) > 0',
    'sum(apiserver_request_total{job="apiserver",resource="pods",subresource="binding",verb="POST"}) > 0',
    'histogram_quantile(0.99, sum by (le) (apiserver_request_duration_seconds_bucket{job="apiserver",verb="PUT"})) > 0',
    'sum(apiserver_watch_events_total{job="apiserver",resource="pods"}) > 0',
    'sum(apiserver_longrunning_requests{job="apiserver",verb="WATCH"}) > 0',
    'apiserver_storage_objects{job="apiserver",resource="replicasets.apps"} == 1',
    'sum(etcd_request_duration_seconds_count{job="apiserver",operation="create"}) > 0',
    'workqueue_adds_total{job="controller-manager",name="replicaset-controller"} > 0',
    'sum(workqueue_depth{job="controller-manager"}) == 0',
    'leader_election_master_status{job="controller-manager",name="kube-controller-manager"} == 1',
    'sum(scheduler_schedule_attempts_total{result="scheduled"}) == 3',
    "sum(scheduler_pending_pods) == 0",
    'kubelet_running_pods{job="kubelet"} == 3',
    'kubelet_running_containers{job="kubelet",container_state="running"} == 3',
    'kubelet_started_pods_total{job="kubelet"} == 3',
    'sum(prober_probe_total{job="kubelet-probes",probe_type="Readiness",result="successful"}) >= 3',
    "sum(kubeproxy_sync_proxy_rules_duration_seconds_count) > 0",
    "time() - kubeproxy_sync_proxy_rules_last_timestamp_seconds >= 0",
    f'count(process_resident_memory_bytes{{job=~"{COMPONENTS}"}} > 1e7) == 5',
    f'count(process_start_time_seconds{{job=~"{COMPONENTS}"}} < time()) == 5',
    f'count(kubernetes_build_info{{job=~"{COMPONENTS}",minor="36"}}) == 5',
)
"""What holds once three replicas are ready, as questions that have an answer then."""


def test_every_target_is_up(watched: Watched) -> None:
    """At the addresses of `kubewire status` all are scraped, and the log tells of nothing amiss."""
    prometheus = watched.prometheus
    targets = prometheus.targets()
    assert {target["scrapePool"] for target in targets} == JOBS
    assert {target["scrapePool"]: target["lastError"] for target in targets if target["health"] != "up"} == {}
    amiss = [
        one for one in prometheus.said() if one["level"] in {"warn", "error"} or "failed" in one.get("msg", "").lower()
    ]
    assert amiss == []


def test_numbers_tell_what_happened(watched: Watched) -> None:
    """Every component counts what it did for the three replicas, under Kubernetes' names."""
    for question in TRUE:
        eventually(partial(watched.prometheus.holds, question), question, seconds=30)


def test_samples_are_all_taken(watched: Watched) -> None:
    """No series is served twice, and Prometheus drops no sample as a double, out of order or out of bounds."""
    told = watched.prometheus.own_numbers()
    dropped = [name for name in told if name.startswith("prometheus_target_scrapes_sample_")]
    assert len(dropped) >= 3
    assert {name: told[name] for name in dropped if told[name]} == {}
    for target in watched.prometheus.targets():
        lines = [line.rpartition(" ")[0] for line in page(watched, target["scrapeUrl"]).splitlines()]
        series = [line for line in lines if not line.startswith("#")]
        assert len(series) == len(set(series)), target["scrapeUrl"]


def test_families_are_kubernetes_own(watched: Watched) -> None:
    """Whatever carries a name of Kubernetes has its kind, labels and buckets, and is on its page."""
    found = {
        target["scrapePool"]: differences(page(watched, target["scrapeUrl"]), target["scrapeUrl"])
        for target in watched.prometheus.targets()
    }
    assert {job: told for job, told in found.items() if told} == {}


def page(watched: Watched, url: str) -> str:
    """What is served there."""
    context = None
    headers = {}
    if url.startswith("https:"):
        context = ssl.create_default_context(cafile=str(watched.cluster.home / "pki" / "ca.crt"))
        headers = {"Authorization": f"Bearer {Path(watched.token).read_text()}"}
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=30, context=context) as answer:
        text: str = answer.read().decode()
    return text
