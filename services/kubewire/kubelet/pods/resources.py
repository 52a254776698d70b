"""What containers get of CPU and memory, and the cgroups they are in. Pure."""

from __future__ import annotations

from typing import Final

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.cri.v1.api_pb2 import LinuxContainerResources
from kubewire.kubelet.pods.qos import BEST_EFFORT, BURSTABLE, GUARANTEED, qos_of
from kubewire.machinery.quantity import milli_value_of, value_of

_PERIOD_MICROSECONDS: Final = 100_000
_LEAST_QUOTA: Final = 1_000
_LEAST_SHARES: Final = 2
_MOST_SHARES: Final = 262_144
_GUARANTEED_OOM: Final = -997
_BEST_EFFORT_OOM: Final = 1000
_SANDBOX_OOM: Final = -998
_CRITICAL_PRIORITY: Final = 2_000_000_000


def container_resources(pod: Pod, container: Container, memory_capacity: int) -> LinuxContainerResources:
    """Requests as CPU shares, limits as CPU quota and memory limit."""
    requests, limits = container.resources.requests, container.resources.limits
    cpu = limits["cpu"].string if "cpu" in limits else ""
    asked = requests["cpu"].string if "cpu" in requests else cpu
    found = LinuxContainerResources(
        cpu_shares=cpu_shares(milli_value_of(asked) if asked else 0),
        oom_score_adj=oom_score(pod, container, memory_capacity),
    )
    if cpu:
        found.cpu_period = _PERIOD_MICROSECONDS
        found.cpu_quota = max(_LEAST_QUOTA, milli_value_of(cpu) * _PERIOD_MICROSECONDS // 1000)
    if "memory" in limits:
        found.memory_limit_in_bytes = value_of(limits["memory"].string)
    return found


def sandbox_resources() -> LinuxContainerResources:
    """The sandbox's own process does nothing and is the last to go."""
    return LinuxContainerResources(cpu_shares=_LEAST_SHARES, oom_score_adj=_SANDBOX_OOM)


def cpu_shares(milli_cpu: int) -> int:
    """A thousandth of a CPU is 1.024 shares."""
    return min(max(milli_cpu * 1024 // 1000, _LEAST_SHARES), _MOST_SHARES)


def oom_score(pod: Pod, container: Container, memory_capacity: int) -> int:
    """Who is killed first when the node runs out of memory: the less was requested, the sooner."""
    if pod.spec.priority >= _CRITICAL_PRIORITY:
        return _GUARANTEED_OOM
    qos = qos_of(pod)
    if qos == GUARANTEED:
        return _GUARANTEED_OOM
    if qos == BEST_EFFORT or memory_capacity <= 0:
        return _BEST_EFFORT_OOM
    requests = container.resources.requests
    requested = value_of(requests["memory"].string) if "memory" in requests else 0
    score = 1000 - 1000 * requested // memory_capacity
    return min(max(score, 1000 + _GUARANTEED_OOM), _BEST_EFFORT_OOM - 1)


def cgroup_parent(root: str, pod: Pod) -> str:
    """The pod's cgroup, below that of its quality of service."""
    tier = {BURSTABLE: "/burstable", BEST_EFFORT: "/besteffort"}.get(pod.status.qosClass or qos_of(pod), "")
    return f"{root.rstrip('/')}/kubepods{tier}/pod{pod.metadata.uid}"
