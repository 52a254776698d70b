"""Tells about pods that fit nowhere: the condition PodScheduled and an event. Beside the loop, and not twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.client import Client
from kubewire.client.events.occurrence import Subject
from kubewire.client.events.recorder import EventRecorder
from kubewire.client.objects import ObjectKey
from kubewire.client.resources.options import PatchType
from kubewire.component.log import Logger
from kubewire.machinery.errors import Reason, StatusError
from kubewire.machinery.json_value import JsonObject
from kubewire.scheduler.pods.pod import PodInfo

_LOG: Final = Logger("scheduler.reporter")
_SCHEDULED: Final = "PodScheduled"
UNSCHEDULABLE: Final = "Unschedulable"
CALLS_AT_MOST: Final = 4

Known = Callable[[ObjectKey], Pod | None]
"""A pod as the informer has it."""


class Reporter:
    """Make it for one term, with a client that is fenced by it.

    Of each pod only the last outcome waits to be written, so that the queue is bounded by the number of pods.
    """

    def __init__(self, client: Client, recorder: EventRecorder, known: Known, wall_clock: Callable[[], float]) -> None:
        self._pods = client.pods()
        self._recorder = recorder
        self._known = known
        self._wall_clock = wall_clock
        self._waiting: dict[ObjectKey, tuple[PodInfo, str]] = {}
        self._arrived = asyncio.Event()

    def unschedulable(self, pod: PodInfo, message: str) -> None:
        """A pod fits nowhere."""
        self._recorder.warning(subject_of(pod), "FailedScheduling", message)
        self._waiting[pod.key] = (pod, message)
        self._arrived.set()

    def scheduled(self, pod: PodInfo, node_name: str) -> None:
        """A pod was bound. The API server has set its condition."""
        self._waiting.pop(pod.key, None)
        self._recorder.normal(subject_of(pod), "Scheduled", f"Successfully assigned {pod.key} to {node_name}")

    async def run(self) -> None:
        """Write conditions until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(CALLS_AT_MOST):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            while not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
            key = next(iter(self._waiting))
            pod, message = self._waiting.pop(key)
            known = self._known(key)
            if known is not None and known.metadata.uid == pod.uid and not _is_told(known, message):
                await self._write(key, known, message)

    async def _write(self, key: ObjectKey, known: Pod, message: str) -> None:
        try:
            patch = self._condition(known, message)
            pods = self._pods.in_namespace(key.namespace)
            await pods.patch(key.name, patch, PatchType.STRATEGIC, subresource="status")
        except StatusError as error:
            # The pod is gone, or the next attempt tells it again.
            if error.reason != Reason.NOT_FOUND:
                _LOG.info("condition not written", pod=key, reason=error.reason, why=error)

    def _condition(self, known: Pod, message: str) -> JsonObject:
        """A patch; the time is when the condition became false, not when it was last said."""
        condition: JsonObject = {"type": _SCHEDULED, "status": "False", "reason": UNSCHEDULABLE, "message": message}
        if not any(one.type == _SCHEDULED and one.status == "False" for one in known.status.conditions):
            now = datetime.fromtimestamp(int(self._wall_clock()), UTC)
            condition["lastTransitionTime"] = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"metadata": {"uid": known.metadata.uid}, "status": {"conditions": [condition]}}


def subject_of(pod: PodInfo) -> Subject:
    """A pod as the subject of an event."""
    return Subject("v1", "Pod", pod.key.namespace, pod.key.name, pod.uid)


def _is_told(known: Pod, message: str) -> bool:
    return any(
        one.type == _SCHEDULED and one.status == "False" and one.reason == UNSCHEDULABLE and one.message == message
        for one in known.status.conditions
    )
