"""Creates, deletes, adopts and releases the pods of one ReplicaSet: the acts behind a plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.events.recorder import EventRecorder
from kubewire.client.resources.batches import BYTES_AT_MOST
from kubewire.client.resources.options import PatchType, View
from kubewire.client.resources.resource_client import ResourceClient
from kubewire.client.resources.results import Result
from kubewire.controller_manager.calls import is_missing, is_there, leaves_open
from kubewire.controller_manager.pods.ownership import controller_of
from kubewire.controller_manager.replica_set.memory import Memory
from kubewire.controller_manager.replica_set.plan import is_going
from kubewire.controller_manager.replica_set.pods import adoption, release
from kubewire.machinery.errors import StatusError
from kubewire.machinery.json_value import JsonObject

_SLOW_START: Final = 1
"""Pods in the first batch; each one that succeeds is followed by one of twice the size, so that a cluster that refuses
all of them is not asked for all of them each time."""


class PodControl:
    """The pods of one ReplicaSet, and what is remembered of them. Lives for one look at it."""

    def __init__(
        self,
        pods: ResourceClient[Pod],
        recorder: EventRecorder,
        replica_set: ReplicaSet,
        memory: Memory,
        now: float,
    ) -> None:
        self._pods = pods.in_namespace(replica_set.metadata.namespace)
        self._recorder = recorder
        self._set = replica_set
        self._memory = memory
        self._now = now

    async def settle(self) -> None:
        """Find out what became of creations that were left open, by repeating them.

        Raises:
            StatusError: they are still open.
        """
        if not self._memory.open:
            return
        if is_going(self._set):
            # What was made all the same is the garbage collector's.
            self._memory.open.clear()
            return
        error = await self._send(list(self._memory.open))
        if self._memory.open and error is not None:
            raise error

    async def verify(self) -> None:
        """Ask for created pods that the cache should have shown by now; forget those that are gone."""
        for pod in self._memory.doubtful(self._now):
            found = await self._find(pod.metadata.name)
            if found is not None and found.metadata.uid == pod.metadata.uid:
                self._memory.created(found, self._now)
            else:
                self._memory.saw(pod.metadata.uid)

    async def create(self, pods: Sequence[Pod]) -> None:
        """Create in batches, each of twice the size of the one before, until one fails.

        Raises:
            StatusError: the first failure; what was created is remembered.
        """
        start, size = 0, _SLOW_START
        one_call = max(1, BYTES_AT_MOST // max(1, max((pod.ByteSize() for pod in pods), default=1)))
        while start < len(pods):
            error = await self._send(pods[start : start + size])
            if error is not None:
                self._recorder.warning(self._set, "FailedCreate", f"Error creating: {error}")
                raise error
            start, size = start + size, min(size * 2, one_call)

    async def delete(self, pods: Sequence[Pod]) -> None:
        """Delete all of them.

        Raises:
            StatusError: the first failure; the others were tried all the same.
        """
        uids = [pod.metadata.uid for pod in pods]
        # Before the call: their end may be seen before it returns.
        self._memory.deleting.update(uids)
        try:
            results = await self._pods.delete_many([pod.metadata.name for pod in pods])
        except StatusError:
            self._memory.deleting.difference_update(uids)
            raise
        failures = [self._deleted(pod, result) for pod, result in zip(pods, results, strict=True)]
        for failure in failures:
            if failure is not None:
                raise failure

    async def adopt(self, pods: Sequence[Pod]) -> None:
        """Take orphans under control.

        Raises:
            StatusError: a pod could not be patched, or the ReplicaSet could not be asked whether it still is itself.
        """
        await self._patch([(pod, adoption(self._set, pod)) for pod in pods])

    async def release(self, pods: Sequence[Pod]) -> None:
        """Let pods go whose labels no longer match.

        Raises:
            StatusError: a pod could not be patched.
        """
        await self._patch([(pod, release(self._set, pod)) for pod in pods])

    async def _patch(self, patches: Sequence[tuple[Pod, JsonObject]]) -> None:
        for pod, patch in patches:
            try:
                await self._pods.patch(pod.metadata.name, patch, PatchType.STRATEGIC)
            except StatusError as error:
                if not is_missing(error):
                    raise

    async def _send(self, pods: Sequence[Pod]) -> StatusError | None:
        """Create in one call; returns why the first that was refused was.

        Raises:
            StatusError: it is not known which were created; they stay open.
        """
        self._memory.open = list(pods)
        try:
            results = await self._pods.create_many(pods, view=View.METADATA)
        except StatusError as error:
            if leaves_open(error):
                raise
            # It was one call, and refused as a whole.
            self._memory.open = []
            return error
        self._memory.open = []
        failures = [self._created(pod, result) for pod, result in zip(pods, results, strict=True)]
        for pod, result in zip(pods, results, strict=True):
            if result.error is not None and is_there(result.error):
                await self._meet(pod)
        return next((failure for failure in failures if failure is not None), None)

    def _created(self, pod: Pod, result: Result[Pod]) -> StatusError | None:
        error = result.error
        if error is None:
            identity = result.unwrap().metadata
            pod.metadata.uid = identity.uid
            pod.metadata.creationTimestamp.CopyFrom(identity.creationTimestamp)
            self._memory.created(pod, self._now)
            self._recorder.normal(self._set, "SuccessfulCreate", f"Created pod: {pod.metadata.name}")
        elif is_there(error):
            # Whose it is is asked next; until then it may be ours.
            self._memory.open.append(pod)
        else:
            if leaves_open(error):
                self._memory.open.append(pod)
            return error
        return None

    async def _meet(self, pod: Pod) -> None:
        """The name is taken: by this very pod, made by a call whose answer was lost, or by a stranger."""
        found = await self._find(pod.metadata.name)
        owner = controller_of(found) if found is not None else None
        if found is not None and owner is not None and owner.uid == self._set.metadata.uid:
            self._memory.created(found, self._now)
        self._memory.open.remove(pod)

    def _deleted(self, pod: Pod, result: Result[Pod]) -> StatusError | None:
        error = result.error
        if error is None:
            self._recorder.normal(self._set, "SuccessfulDelete", f"Deleted pod: {pod.metadata.name}")
        elif not is_missing(error):
            self._memory.deleting.discard(pod.metadata.uid)
            self._recorder.warning(self._set, "FailedDelete", f"Error deleting: {error}")
            return error
        return None

    async def _find(self, name: str) -> Pod | None:
        try:
            return await self._pods.get(name)
        except StatusError as error:
            if is_missing(error):
                return None
            raise
