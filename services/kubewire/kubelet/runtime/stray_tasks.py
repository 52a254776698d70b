"""Ends processes that containerd runs and CRI's books do not have.

A kubelet that is killed while a container starts takes its call with it, and containerd 1.6 may then count a container
as ended that runs. It can be neither stopped nor removed over CRI; containerd's own Tasks API can end it.
"""

from __future__ import annotations

import asyncio
import signal
from typing import Final

from google.protobuf.empty_pb2 import Empty

from kubewire.containerd.tasks_pb2 import DeleteResponse, DeleteTaskRequest, KillRequest
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.runtime.cri_calls import CriCalls

_TASKS: Final = "/containerd.services.tasks.v1.Tasks/"
_NAMESPACE: Final = (("containerd-namespace", "k8s.io"),)
_WAITS: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


async def end_task(calls: CriCalls, container_id: str) -> None:
    """Kill what runs of a container, and forget it. Nothing there, or another runtime than containerd, is no failure.

    Raises:
        RuntimeCallError: it cannot be ended.
    """
    kill = KillRequest(container_id=container_id, signal=signal.SIGKILL, all=True)
    try:
        await calls.call(f"{_TASKS}Kill", kill, Empty, name="kill_task", metadata=_NAMESPACE)
    except RuntimeCallError as error:
        if error.code == "UNIMPLEMENTED":
            return
        # One that has ended meanwhile cannot be killed, and still has to be forgotten.
        if error.code not in {"NOT_FOUND", "FAILED_PRECONDITION"}:
            raise
    await _forget(calls, container_id)


async def _forget(calls: CriCalls, container_id: str) -> None:
    """What was killed takes a moment to be gone."""
    failure: RuntimeCallError | None = None
    for seconds in _WAITS:
        await asyncio.sleep(seconds)
        request = DeleteTaskRequest(container_id=container_id)
        try:
            await calls.call(f"{_TASKS}Delete", request, DeleteResponse, name="delete_task", metadata=_NAMESPACE)
        except RuntimeCallError as error:
            if error.is_not_found:
                return
            failure = error
        else:
            return
    if failure is not None:
        raise failure
