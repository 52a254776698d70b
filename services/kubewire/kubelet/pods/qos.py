"""Quality of service: which pods give way first when a node runs short. Pure."""

from __future__ import annotations

from typing import Final

from kubewire.api.core.v1.pod_pb2 import Pod

GUARANTEED: Final = "Guaranteed"
BURSTABLE: Final = "Burstable"
BEST_EFFORT: Final = "BestEffort"

_COMPUTE: Final = ("cpu", "memory")


def qos_of(pod: Pod) -> str:
    """Guaranteed: every container limits CPU and memory to what it requests. BestEffort: none asks for anything."""
    requested = limited = False
    guaranteed = True
    for container in (*pod.spec.initContainers, *pod.spec.containers):
        resources = container.resources
        for name in _COMPUTE:
            request = resources.requests[name].string if name in resources.requests else ""
            limit = resources.limits[name].string if name in resources.limits else ""
            requested = requested or request not in {"", "0"}
            limited = limited or limit not in {"", "0"}
            guaranteed = guaranteed and bool(limit) and (not request or request == limit)
    if not requested and not limited:
        return BEST_EFFORT
    return GUARANTEED if guaranteed else BURSTABLE
