"""`kubewire.kubelet.v1.KubeletService`: the node's pods as the kubelet knows them, what they use, the runtime."""

from __future__ import annotations

import time
from typing import Final, Protocol

from kubewire.api.core.v1.pod_pb2 import ContainerStatus
from kubewire.component.grpc.server import Methods, serves
from kubewire.kubelet.assembly import NodeParts
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.pods.worker import PodWorker
from kubewire.kubelet.pods.workers import PodWorkers
from kubewire.kubelet.runtime.observation import Observation
from kubewire.kubelet.v1 import kubelet_service_pb2 as messages
from kubewire.machinery import errors
from kubewire.machinery.gvk import GroupResource


class Told(Protocol):
    """What is told about."""

    @property
    def node_name(self) -> str:
        """Which node it is."""
        ...

    @property
    def workers(self) -> PodWorkers:
        """The pods."""
        ...

    @property
    def parts(self) -> NodeParts:
        """What touches the node."""
        ...

    @property
    def observation(self) -> Observation:
        """What was last seen of it."""
        ...


class KubeletService:
    """Fills `component.grpc.server.Service`."""

    name: Final = "kubewire.kubelet.v1.KubeletService"
    module: Final = "kubewire.kubelet.v1.kubelet_service_pb2"

    def __init__(self, told: Told) -> None:
        self._told = told

    @property
    def methods(self) -> Methods:
        """By name."""
        return {
            "ListPods": serves(messages.ListPodsRequest, self.list_pods),
            "GetPod": serves(messages.GetPodRequest, self.get_pod),
            "GetStats": serves(messages.GetStatsRequest, self.get_stats),
            "GetRuntime": serves(messages.GetRuntimeRequest, self.get_runtime),
        }

    async def list_pods(self, request: messages.ListPodsRequest) -> messages.ListPodsResponse:
        """By namespace and name."""
        found = [
            worker
            for worker in self._told.workers.workers.values()
            if request.namespace in {"", worker.identity.namespace}
        ]
        found.sort(key=lambda worker: (worker.identity.namespace, worker.identity.name))
        return messages.ListPodsResponse(node=self._told.node_name, pods=[_pod(worker) for worker in found])

    async def get_pod(self, request: messages.GetPodRequest) -> messages.GetPodResponse:
        """The newest of its name."""
        wanted = (request.namespace or "default", request.name)
        for worker in reversed(self._told.workers.workers.values()):
            if (worker.identity.namespace, worker.identity.name) == wanted:
                return messages.GetPodResponse(pod=_pod(worker))
        raise errors.not_found(GroupResource("", "pods"), request.name)

    async def get_stats(self, _: messages.GetStatsRequest) -> messages.GetStatsResponse:
        """As the runtime measures it now."""
        try:
            usage = await self._told.parts.runtime.usage()
        except RuntimeCallError as error:
            raise errors.service_unavailable(str(error)) from None
        return messages.GetStatsResponse(
            node=self._told.node_name,
            containers=[
                messages.ContainerStats(
                    namespace=one.pod.namespace,
                    pod=one.pod.name,
                    uid=one.pod.uid,
                    container=one.name,
                    id=one.container_id,
                    cpu_seconds=one.cpu_seconds,
                    memory_working_set_bytes=one.memory_bytes,
                    writable_layer_bytes=one.disk_bytes,
                )
                for one in usage
            ],
        )

    async def get_runtime(self, _: messages.GetRuntimeRequest) -> messages.GetRuntimeResponse:
        """As it says of itself now."""
        runtime = self._told.parts.runtime
        try:
            version, conditions = await runtime.version(), await runtime.conditions()
        except RuntimeCallError as error:
            raise errors.service_unavailable(str(error)) from None
        return messages.GetRuntimeResponse(
            name=version.name,
            version=version.version,
            simulated=runtime.is_simulated,
            conditions=[messages.RuntimeCondition(**one._asdict()) for one in conditions],
            seconds_since_relist=time.monotonic() - self._told.observation.listed_at,
        )


def _pod(worker: PodWorker) -> messages.PodOnNode:
    picture = worker.picture()
    sandbox = picture.seen.ready_sandbox
    status = worker.status
    return messages.PodOnNode(
        namespace=worker.identity.namespace,
        name=worker.identity.name,
        uid=worker.identity.uid,
        phase=status.phase,
        reason=status.reason,
        ready=any(one.type == "Ready" and one.status == "True" for one in status.conditions),
        terminating=picture.is_deleted,
        ips=[one.ip for one in status.podIPs],
        sandbox_id=sandbox.id if sandbox is not None else "",
        containers=[
            _container(worker, one)
            for one in (*status.initContainerStatuses, *status.containerStatuses, *status.ephemeralContainerStatuses)
        ],
        doing=worker.doing,
        next_look_seconds=max(0.0, worker.look_at - picture.now) if worker.look_at else 0.0,
    )


def _container(worker: PodWorker, status: ContainerStatus) -> messages.ContainerOnNode:
    state = status.state
    name = next((one for one in ("running", "terminated", "waiting") if state.HasField(one)), "waiting")
    picture = worker.picture()
    newest = picture.seen.newest(status.name)
    wait = 0.0
    if newest is not None and newest.is_ended:
        wait = max(0.0, worker.memory.restarts.ready_at(newest) - picture.now)
    return messages.ContainerOnNode(
        name=status.name,
        id=newest.id if newest is not None else "",
        state=name,
        reason=state.terminated.reason or state.waiting.reason,
        message=state.terminated.message or state.waiting.message,
        ready=status.ready,
        started=status.started,
        restarts=status.restartCount,
        image=status.image,
        exit_code=state.terminated.exitCode,
        backoff_seconds=wait,
    )
