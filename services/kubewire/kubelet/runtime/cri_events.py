"""What happens in the runtime, as it happens.

CRI has a stream for it since containerd 1.7. Before, containerd's own events tell when a container's first process has
ended, which is what cannot be known otherwise: what is started and removed, the kubelet does itself. Runtimes that
have neither are asked again and again (`observation`).
"""

from __future__ import annotations

from typing import Final

from kubewire.containerd.events_pb2 import TaskExit, TaskOOM
from kubewire.containerd.events_service_pb2 import SubscribeRequest
from kubewire.containerd.types_pb2 import Envelope
from kubewire.cri.v1 import api_pb2 as cri
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.runtime.contracts import OnChange
from kubewire.kubelet.runtime.cri_calls import RUNTIME, CriCalls

_SUBSCRIBE: Final = "/containerd.services.events.v1.Events/Subscribe"
_FILTERS: Final = ('namespace==k8s.io,topic=="/tasks/exit"', 'namespace==k8s.io,topic=="/tasks/oom"')


async def follow(calls: CriCalls, on_change: OnChange) -> None:
    """Tell of changes until cancelled.

    Raises:
        RuntimeCallError: the stream broke; UNIMPLEMENTED if the runtime has none.
    """
    try:
        await _follow_cri(calls, on_change)
    except RuntimeCallError as error:
        if error.code != "UNIMPLEMENTED":
            raise
    await _follow_containerd(calls, on_change)


async def _follow_cri(calls: CriCalls, on_change: OnChange) -> None:
    events = calls.stream(f"{RUNTIME}GetContainerEvents", cri.GetEventsRequest(), cri.ContainerEventResponse)
    async for event in events:
        on_change(event.container_id, event.pod_sandbox_status.metadata.uid)


async def _follow_containerd(calls: CriCalls, on_change: OnChange) -> None:
    async for envelope in calls.stream(_SUBSCRIBE, SubscribeRequest(filters=_FILTERS), Envelope):
        container_id = _ended(envelope)
        if container_id:
            on_change(container_id, "")


def _ended(envelope: Envelope) -> str:
    """The container or sandbox whose first process has ended; empty for other processes, such as probes'."""
    if envelope.topic == "/tasks/oom":
        return TaskOOM.FromString(envelope.event.value).container_id
    exit_ = TaskExit.FromString(envelope.event.value)
    return exit_.container_id if exit_.id == exit_.container_id else ""
