"""All pods of the node: who has a worker, who is admitted, and what is left of pods that nobody wants any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from kubewire.api.core.v1.container_pb2 import Container as ContainerSpec
from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.component.log import Logger
from kubewire.kubelet.config import KubeletConfig
from kubewire.kubelet.contracts import Prober
from kubewire.kubelet.errors import VolumeError
from kubewire.kubelet.pods.acting import Tools
from kubewire.kubelet.pods.admission import Applicant, Ledger, admit
from kubewire.kubelet.pods.backoff import RestartBackoff
from kubewire.kubelet.pods.configuration import identity_of
from kubewire.kubelet.pods.memory import Memory
from kubewire.kubelet.pods.status import Place
from kubewire.kubelet.pods.worker import Around, PodWorker
from kubewire.kubelet.runtime import labels
from kubewire.kubelet.runtime.contracts import PodIdentity, RuntimePod
from kubewire.kubelet.runtime.observation import Observation
from kubewire.kubelet.table import CHECKS

_LOG: Final = Logger("kubelet.pods")
_HOUSEKEEPING_SECONDS: Final = 30.0


class NodeView:
    """What admission has to know of the node; filled by `node`.

    Attributes:
        node: as the API server has it.
        allocatable: what there is for pods.
    """

    def __init__(self) -> None:
        self.node = Node()
        self.allocatable: Mapping[str, int] = {}


class PodWorkers:
    """Make it inside a running loop, and run it in a TaskGroup; pods are told of before or after.

    Attributes:
        workers: by uid.
    """

    def __init__(
        self, config: KubeletConfig, tools: Tools, observation: Observation, prober: Prober, view: NodeView
    ) -> None:
        self.workers: dict[str, PodWorker] = {}
        self._config = config
        self._tools = tools
        self._observation = observation
        self._prober = prober
        self._view = view
        self._around: Around | None = None
        self._pods: dict[str, Pod] = {}
        self._ledger = Ledger()
        self._place: Callable[[], Place] = lambda: Place("containerd", ())

    async def run(self, place: Callable[[], Place], started: Callable[[], None]) -> None:
        """Work until cancelled. All pods that are bound here have been told of, and the runtime was looked at."""
        async with asyncio.TaskGroup() as group:
            config = self._config
            self._around = Around(self._tools, self._observation, self._prober, group, place, config.sync_seconds, self)
            try:
                self._begin()
                started()
                while True:
                    await self._keep_house()
                    await asyncio.sleep(_HOUSEKEEPING_SECONDS)
            finally:
                # Before the group ends its tasks: nobody begins anything any more.
                self._around = None
                for worker in self.workers.values():
                    worker.close()

    # ------------------------------------------------------------------------------------------------ what is told

    def put(self, pod: Pod) -> None:
        """A pod is bound to this node, or is another version now."""
        uid = pod.metadata.uid
        self._pods[uid] = pod
        self._tools.statuses.seen(pod)
        worker = self.workers.get(uid)
        if worker is not None:
            worker.set_pod(pod)
        elif self._around is not None:
            self._add(pod)

    def drop(self, pod: Pod) -> None:
        """The API server has the pod no longer."""
        uid = pod.metadata.uid
        self._pods.pop(uid, None)
        self._tools.statuses.forget(uid)
        worker = self.workers.get(uid)
        if worker is not None:
            worker.set_gone()

    def changed(self, identity: PodIdentity) -> None:
        """Something of the pod is different in the runtime."""
        worker = self.workers.get(identity.uid)
        if worker is not None:
            worker.poke()
        elif self._around is not None and identity.uid in self._observation.pods:
            self._adopt(self._observation.pods[identity.uid])

    def poke(self, uid: str) -> None:
        """A verdict about the pod turned."""
        worker = self.workers.get(uid)
        if worker is not None:
            worker.poke()

    def refresh_volumes(self, uid: str) -> None:
        """The pod's files are out of date."""
        worker = self.workers.get(uid)
        if worker is not None:
            worker.refresh_volumes()

    # -------------------------------------------------------------------------------------------------- who works

    def _begin(self) -> None:
        """Pods that run already are taken before those that ask to."""
        for pod in sorted(self._pods.values(), key=self._seniority):
            if pod.metadata.uid not in self.workers:
                self._add(pod)

    def _seniority(self, pod: Pod) -> tuple[bool, float, str]:
        runs = pod.metadata.uid in self._observation.pods
        return (not runs, pod.metadata.creationTimestamp.seconds, pod.metadata.uid)

    def _add(self, pod: Pod) -> None:
        now = self._tools.wall_clock()
        reported = pod.status
        started_at = float(reported.startTime.seconds) if reported.HasField("startTime") else now
        memory = self._memory(started_at)
        if reported.phase not in {"Succeeded", "Failed"} and not pod.metadata.HasField("deletionTimestamp"):
            self._admit(pod, memory)
        if not reported.HasField("startTime"):
            created = pod.metadata.creationTimestamp.seconds
            self._tools.metrics.starts.worker_start_seconds.observe(max(0.0, now - created))
        self._employ(identity_of(pod), pod, memory, is_gone=False)

    def _memory(self, started_at: float) -> Memory:
        config = self._config
        return Memory(started_at, RestartBackoff(config.backoff_first_seconds, config.backoff_limit_seconds))

    def _admit(self, pod: Pod, memory: Memory) -> None:
        trouble = admit(Applicant(pod, self._ledger, self._view.node, self._view.allocatable), CHECKS)
        memory.admitted, memory.rejected = trouble is None, trouble
        if trouble is None:
            self._ledger.take(pod)
        if trouble is not None:
            self._tools.metrics.rejections.labels(trouble.reason).inc()
            self._tools.recorder.warning(pod, trouble.reason, trouble.message)
            _LOG.info("pod rejected", pod=f"{pod.metadata.namespace}/{pod.metadata.name}", why=trouble.message)

    def _adopt(self, seen: RuntimePod) -> None:
        """Something runs of a pod that the API server does not have: have it ended and removed."""
        _LOG.info("ending a pod that is gone", pod=f"{seen.identity.namespace}/{seen.identity.name}")
        self._tools.metrics.orphans.inc()
        self._employ(seen.identity, gone_pod(seen), self._memory(self._tools.wall_clock()), is_gone=True)

    def _employ(self, identity: PodIdentity, pod: Pod, memory: Memory, *, is_gone: bool) -> None:
        assert self._around is not None, "run() comes first"
        worker = PodWorker(identity, pod, memory, self._around, is_gone=is_gone)
        self.workers[identity.uid] = worker
        worker.poke()

    def release(self, uid: str) -> None:
        """The pod needs nothing of the node any more."""
        self._ledger.release(uid)

    def forget(self, uid: str) -> None:
        """Nothing is left of the pod."""
        self._ledger.release(uid)
        worker = self.workers.pop(uid, None)
        if worker is not None:
            worker.close()

    async def _keep_house(self) -> None:
        """Remove what former kubelets left of pods that are gone."""
        for uid, seen in list(self._observation.pods.items()):
            if uid not in self.workers:
                self._adopt(seen)
        for uid in self._tools.volumes.known():
            if uid not in self.workers:
                await self._remove_volumes(uid)
        for identity in list(self._tools.folders.pods_with_logs()):
            if identity.uid not in self.workers:
                await self._tools.off_loop(partial(self._tools.folders.remove_logs, identity))

    async def _remove_volumes(self, uid: str) -> None:
        try:
            await self._tools.volumes.remove(uid)
        except VolumeError as error:
            _LOG.warning("volumes of a pod that is gone cannot be removed", uid=uid, why=error)


def gone_pod(seen: RuntimePod) -> Pod:
    """A pod as far as its remains tell of it: enough to end it as it wanted to be ended."""
    pod = Pod()
    metadata = pod.metadata
    metadata.uid, metadata.namespace, metadata.name = seen.identity
    for container in seen.containers:
        if all(one.name != container.name for one in pod.spec.containers):
            pod.spec.containers.append(ContainerSpec(name=container.name, image=container.image))
        grace = container.annotations.get(labels.POD_GRACE, "")
        if grace.isdigit():
            pod.spec.terminationGracePeriodSeconds = int(grace)
    return pod
