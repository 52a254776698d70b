"""What pods are given on admission: an account, a priority, and patience with failing nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kubewire.apiserver.admission.contracts import Operation, Request
from kubewire.machinery.errors import forbidden

if TYPE_CHECKING:
    from kubewire.api.core.v1.pod_pb2 import Pod
    from kubewire.machinery.errors import StatusError

MIRROR = "kubernetes.io/config.mirror"
"""The annotation of pods that show what a node runs of itself."""

_PATIENCE_SECONDS = 300
_NODE_TROUBLES = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")

SYSTEM_PRIORITIES = {"": 0, "system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
"""Priorities that need no look at PriorityClasses: that of no class, and those every cluster has."""

_PREEMPTION_POLICY = "PreemptLowerPriority"


def assign_service_account(pod: Pod, _request: Request) -> None:
    """Run as the namespace's default account; mirrors of static pods have none."""
    if MIRROR not in pod.metadata.annotations and not pod.spec.serviceAccountName:
        pod.spec.serviceAccountName = pod.spec.serviceAccount = "default"


def assign_priority(pod: Pod, request: Request) -> None:
    """Write the number that stands behind the priority class; an update keeps the stored one.

    Classes that only PriorityClass objects know are left open here.
    """
    if request.operation is Operation.UPDATE:
        _keep_priority(pod, cast("Pod", request.old))
        return
    priority = SYSTEM_PRIORITIES.get(pod.spec.priorityClassName)
    if priority is None:
        return
    spec = pod.spec
    if spec.HasField("priority") and spec.priority != priority:
        raise _computed(request, f"the integer value of priority ({spec.priority})", str(priority))
    if spec.HasField("preemptionPolicy") and spec.preemptionPolicy != _PREEMPTION_POLICY:
        given = f"the string value of PreemptionPolicy ({spec.preemptionPolicy})"
        raise _computed(request, given, _PREEMPTION_POLICY)
    spec.priority = priority
    spec.preemptionPolicy = _PREEMPTION_POLICY


def _computed(request: Request, given: str, computed: str) -> StatusError:
    why = (
        f"{given} must not be provided in pod spec; "
        f"priority admission controller computed {computed} from the given PriorityClass name"
    )
    return forbidden(request.resource.group_resource, request.name, why)


def _keep_priority(pod: Pod, old: Pod) -> None:
    if not pod.spec.HasField("priority") and old.spec.HasField("priority"):
        pod.spec.priority = old.spec.priority
    if not pod.spec.HasField("preemptionPolicy") and old.spec.HasField("preemptionPolicy"):
        pod.spec.preemptionPolicy = old.spec.preemptionPolicy


def tolerate_node_troubles(pod: Pod, _request: Request) -> None:
    """Stay on a node that is not ready or cannot be reached for five minutes, unless the pod says otherwise."""
    tolerated = {item.key for item in pod.spec.tolerations if item.effect in {"", "NoExecute"}}
    if "" in tolerated:
        return
    for key in _NODE_TROUBLES:
        if key not in tolerated:
            pod.spec.tolerations.add(
                key=key, operator="Exists", effect="NoExecute", tolerationSeconds=_PATIENCE_SECONDS
            )
