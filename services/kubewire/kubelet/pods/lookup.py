"""From names to what runs, for those who look into containers from outside: logs, exec, attach, port-forward."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kubewire.kubelet.contracts import ContainerOnNode, SandboxOnNode
from kubewire.kubelet.pods.worker import PodWorker
from kubewire.kubelet.pods.workers import PodWorkers
from kubewire.kubelet.runtime import labels
from kubewire.kubelet.runtime.contracts import Container
from kubewire.machinery import errors
from kubewire.machinery.gvk import GroupResource

_PODS: Final = GroupResource("", "pods")


class RunningPods:
    """Fills `contracts.PodsOnNode`."""

    def __init__(self, workers: PodWorkers) -> None:
        self._workers = workers

    def container(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> ContainerOnNode:
        """See `PodsOnNode.container`."""
        worker = self._worker(namespace, pod)
        name = container or self._only(worker)
        found = worker.picture().seen.named(name)
        if name not in worker.picture().specs.by_name() and not found:
            raise errors.bad_request(f"container {name} is not valid for pod {pod}")
        place = 1 if previous else 0
        if len(found) <= place:
            what = "previous terminated container" if previous else "container"
            waiting = f'{what} "{name}" in pod "{pod}" ' + ("not found" if previous else "is waiting to start")
            raise errors.bad_request(f"{waiting}{'' if previous else self._why(worker, name)}")
        return _on_node(worker, found[place])

    def sandbox(self, namespace: str, pod: str) -> SandboxOnNode:
        """See `PodsOnNode.sandbox`."""
        worker = self._worker(namespace, pod)
        found = worker.picture().seen.ready_sandbox
        if found is None:
            raise errors.not_found(_PODS, pod)
        return SandboxOnNode(found.id, worker.identity.uid, found.ips)

    def _worker(self, namespace: str, pod: str) -> PodWorker:
        """The newest pod of a name; one that is gone does not count while there is another."""
        found = [
            worker
            for worker in self._workers.workers.values()
            if (worker.identity.namespace, worker.identity.name) == (namespace, pod)
        ]
        if not found:
            raise errors.not_found(_PODS, pod)
        return max(found, key=lambda worker: not worker.is_gone)

    @staticmethod
    def _only(worker: PodWorker) -> str:
        containers = worker.pod.spec.containers
        if len(containers) != 1:
            names = " ".join(container.name for container in containers)
            raise errors.bad_request(
                f"a container name must be specified for pod {worker.identity.name}, choose one of: [{names}]"
            )
        return containers[0].name

    @staticmethod
    def _why(worker: PodWorker, name: str) -> str:
        """Why it waits, as it was reported."""
        for one in (*worker.status.initContainerStatuses, *worker.status.containerStatuses):
            if one.name == name and one.state.waiting.reason:
                return f": {one.state.waiting.message or one.state.waiting.reason}"
        return ""


def _on_node(worker: PodWorker, container: Container) -> ContainerOnNode:
    streams = container.annotations.get(labels.STREAMS, "").split(",")
    return ContainerOnNode(
        id=container.id,
        name=container.name,
        pod_uid=worker.identity.uid,
        sandbox_id=container.sandbox_id,
        attempt=container.attempt,
        is_running=container.is_running,
        log_path=Path(container.annotations.get(labels.LOG_FILE, "")),
        tty="tty" in streams,
        stdin="stdin" in streams,
        stdin_once="stdinOnce" in streams,
    )
