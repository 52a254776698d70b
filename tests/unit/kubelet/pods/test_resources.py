"""What containers get of CPU and memory."""

import pytest

from kubewire.kubelet.pods.qos import qos_of
from kubewire.kubelet.pods.resources import cgroup_parent, container_resources, cpu_shares, oom_score
from tests.unit.kubelet.manifests import pod_of

CAPACITY = 8 << 30


def one(resources: str, more: str = "") -> str:
    """The spec of a pod with one container."""
    return f"{{containers: [{{name: app, resources: {resources}}}] {more}}}"


@pytest.mark.parametrize(
    ("resources", "qos", "shares", "quota", "memory"),
    [
        ("{}", "BestEffort", 2, 0, 0),
        ("{requests: {cpu: 500m}}", "Burstable", 512, 0, 0),
        ("{requests: {cpu: 100m}, limits: {cpu: '1', memory: 64Mi}}", "Burstable", 102, 100_000, 64 << 20),
        ("{requests: {cpu: '2', memory: 1Gi}, limits: {cpu: '2', memory: 1Gi}}", "Guaranteed", 2048, 200_000, 1 << 30),
        ("{limits: {cpu: 5m, memory: 4Mi}}", "Guaranteed", 5, 1000, 4 << 20),
    ],
)
def test_requests_are_shares_and_limits_are_quotas(
    resources: str, qos: str, shares: int, quota: int, memory: int
) -> None:
    """And the quality of service follows from both."""
    pod = pod_of(one(resources))
    assert qos_of(pod) == qos
    found = container_resources(pod, pod.spec.containers[0], CAPACITY)
    assert (found.cpu_shares, found.cpu_quota, found.memory_limit_in_bytes) == (shares, quota, memory)


def test_shares_stay_within_what_the_kernel_takes() -> None:
    """2 to 262144."""
    assert (cpu_shares(0), cpu_shares(10_000_000)) == (2, 262_144)


@pytest.mark.parametrize(
    ("resources", "more", "score"),
    [
        ("{}", "", 1000),
        ("{requests: {memory: 4Gi}}", "", 500),
        ("{requests: {memory: 1Mi}}", "", 999),
        ("{requests: {memory: 8Gi}}", "", 3),
        ("{requests: {cpu: '1', memory: 1Gi}, limits: {cpu: '1', memory: 1Gi}}", "", -997),
        ("{}", ", priority: 2000001000", -997),
    ],
)
def test_who_asked_for_less_is_killed_sooner(resources: str, more: str, score: int) -> None:
    """Critical and guaranteed pods last, best effort first."""
    pod = pod_of(one(resources, more))
    assert oom_score(pod, pod.spec.containers[0], CAPACITY) == score


@pytest.mark.parametrize(
    ("resources", "path"),
    [
        ("{}", "/kw/n1/kubepods/besteffort/poduid-1"),
        ("{requests: {cpu: 1m}}", "/kw/n1/kubepods/burstable/poduid-1"),
        ("{limits: {cpu: '1', memory: 1Gi}}", "/kw/n1/kubepods/poduid-1"),
    ],
)
def test_cgroups_stand_below_the_nodes_own(resources: str, path: str) -> None:
    """By quality of service."""
    assert cgroup_parent("/kw/n1/", pod_of(one(resources))) == path
