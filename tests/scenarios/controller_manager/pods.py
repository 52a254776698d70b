"""Pods from rows of a table."""

from kubewire.api.core.v1.pod_pb2 import Pod
from tests.scenarios.controller_manager.text_tables import Row, pairs, rows

NOW = 1_000_000.0


def pods(text: str) -> list[Pod]:
    """A table's pods. All columns but the first are optional.

    name, node, phase (Running), ready (`no`, `yes`, or for how many seconds), labels (app=web), owner (uid of the
    controller; web), age (seconds), restarts, cost, going (`yes`: asked to go).
    """
    return [_pod(row) for row in rows(text)]


def names(found: list[Pod]) -> str:
    """As a scenario writes them."""
    return " ".join(sorted(pod.metadata.name for pod in found))


def _pod(row: Row) -> Pod:
    pod = Pod()
    metadata = pod.metadata
    metadata.name = metadata.uid = row["name"]
    metadata.namespace = "default"
    metadata.labels.update(pairs(row.get("labels", "app=web")))
    metadata.creationTimestamp.seconds = int(NOW) - int(row.get("age", "100"))
    if owner := row.get("owner", "web"):
        metadata.ownerReferences.add(kind="ReplicaSet", name=owner, uid=owner, controller=True)
    if cost := row.get("cost", ""):
        metadata.annotations["controller.kubernetes.io/pod-deletion-cost"] = cost
    if row.get("going", ""):
        metadata.deletionTimestamp.seconds = int(NOW) - 1
    pod.spec.nodeName = row.get("node", "n1")
    pod.status.phase = row.get("phase", "Running")
    _set_ready(pod, row.get("ready", ""))
    if restarts := row.get("restarts", ""):
        pod.status.containerStatuses.add(name="web", restartCount=int(restarts))
    return pod


def _set_ready(pod: Pod, ready: str) -> None:
    if not ready:
        return
    condition = pod.status.conditions.add(type="Ready", status="False" if ready == "no" else "True")
    seconds = int(ready) if ready.isdigit() else 50
    condition.lastTransitionTime.seconds = int(NOW) - seconds
