"""Writes pods' statuses: one write under way for each pod, always the latest, guarded by the version it was made for.

What differs from the API server's is written; a conflict is read again and tried again. What nobody waits for is held
back a moment for what comes next: a pod that starts quickly is told of once or twice, not four times.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from kubewire.api.core.v1.pod_pb2 import Pod, PodStatus
from kubewire.client.backoff import Backoff
from kubewire.client.informer.cache import copy_of
from kubewire.client.resources.following import is_passing
from kubewire.client.resources.resource_client import ResourceClient
from kubewire.component.log import Logger
from kubewire.kubelet.pods.status import merged
from kubewire.machinery.errors import Reason, StatusError

_LOG: Final = Logger("kubelet.pods.status")
_RETRY_FIRST_SECONDS: Final = 0.2
_RETRY_LIMIT_SECONDS: Final = 10.0


@dataclass(slots=True)
class _Entry:
    """One pod: what the API server has as far as we know, and what it should have."""

    base: Pod
    wanted: PodStatus
    task: asyncio.Task[None] | None = None
    # When it is to be written at the latest, by the loop's time; the event says that it is earlier now.
    due: float = 0.0
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    # The version we wrote last and have not been told of yet: until then, what the watch brings is older.
    awaited: str = ""
    # Versions the watch told of while a write was under way: the answer may come after the news of it.
    overtook: set[str] = field(default_factory=set)
    is_dirty: bool = False


class StatusWriter:
    """Make it inside a running loop, and run it in a TaskGroup."""

    def __init__(
        self,
        pods: ResourceClient[Pod],
        *,
        wall_clock: Callable[[], float] = time.time,
        observe_seconds: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._pods = pods
        self._wall = wall_clock
        self._observe = observe_seconds
        self._entries: dict[str, _Entry] = {}
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Own the writes until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self._group = None

    def seen(self, pod: Pod) -> None:
        """The watch told of a version of the pod."""
        entry = self._entries.get(pod.metadata.uid)
        if entry is None:
            return
        entry.overtook.add(pod.metadata.resourceVersion)
        if entry.awaited and pod.metadata.resourceVersion != entry.awaited:
            return
        entry.awaited = ""
        entry.base = pod
        if entry.task is None and self._differs(entry):
            # Somebody else has written it, such as who took the node for gone: what we see here holds.
            entry.is_dirty = True
            self._begin(entry, asyncio.get_running_loop().time())

    def put(self, pod: Pod, wanted: PodStatus, *, within_seconds: float) -> None:
        """Have this status written, unless the API server has it already."""
        due = asyncio.get_running_loop().time() + within_seconds
        entry = self._entries.get(pod.metadata.uid)
        if entry is None:
            entry = self._entries[pod.metadata.uid] = _Entry(pod, wanted)
        entry.wanted, entry.is_dirty = wanted, True
        if entry.task is not None:
            self._hurry(entry, due)
        elif self._differs(entry):
            self._begin(entry, due)

    async def flush(self, uid: str) -> None:
        """Return when what was put is written, or the pod is gone."""
        while (entry := self._entries.get(uid)) is not None and entry.task is not None:
            self._hurry(entry, 0.0)
            await asyncio.wait([entry.task])

    def forget(self, uid: str) -> None:
        """The pod is gone: nothing is written any more."""
        entry = self._entries.pop(uid, None)
        if entry is not None and entry.task is not None:
            entry.task.cancel()

    def reported(self, pod: Pod) -> PodStatus:
        """The status the API server has, as far as we know."""
        entry = self._entries.get(pod.metadata.uid)
        return pod.status if entry is None else entry.base.status

    def _begin(self, entry: _Entry, due: float) -> None:
        if self._group is not None:  # else the kubelet ends: its successor tells
            entry.due = due
            entry.task = self._group.create_task(self._write(entry))

    def _differs(self, entry: _Entry) -> bool:
        return merged(entry.base, entry.wanted, self._wall()) != entry.base.status

    @staticmethod
    def _hurry(entry: _Entry, due: float) -> None:
        if due < entry.due:
            entry.due = due
            entry.hurry.set()

    async def _write(self, entry: _Entry) -> None:
        backoff = Backoff(_RETRY_FIRST_SECONDS, _RETRY_LIMIT_SECONDS)
        try:
            await self._gather(entry)
            while entry.is_dirty:
                entry.is_dirty = False
                if not self._differs(entry):
                    continue
                began = time.monotonic()
                if not await self._try(entry):
                    entry.is_dirty = True
                    await asyncio.sleep(backoff.next())
                    continue
                self._observe(time.monotonic() - began)
        finally:
            entry.task = None

    @staticmethod
    async def _gather(entry: _Entry) -> None:
        """Wait until it is due."""
        entry.hurry.clear()
        while asyncio.get_running_loop().time() < entry.due:
            try:
                async with asyncio.timeout_at(entry.due):
                    await entry.hurry.wait()
            except TimeoutError:
                return
            entry.hurry.clear()

    async def _try(self, entry: _Entry) -> bool:
        """Write once; False: it is to be tried again."""
        obj = copy_of(entry.base)
        obj.status.CopyFrom(merged(entry.base, entry.wanted, self._wall()))
        metadata = obj.metadata
        pods = self._pods.in_namespace(metadata.namespace)
        entry.overtook.clear()
        try:
            stored = await pods.update_status(obj)
        except StatusError as error:
            return await self._failed(entry, error)
        version = stored.metadata.resourceVersion
        if version not in entry.overtook:
            entry.base, entry.awaited = stored, "" if version == metadata.resourceVersion else version
        return True

    async def _failed(self, entry: _Entry, error: StatusError) -> bool:
        """After a conflict go on from what is there now; a pod that is gone, or another one, needs no status."""
        metadata = entry.base.metadata
        if error.reason == Reason.CONFLICT:
            try:
                found = await self._pods.in_namespace(metadata.namespace).get(metadata.name)
            except StatusError as again:
                error = again
            else:
                if found.metadata.uid != metadata.uid:
                    return True
                entry.base, entry.awaited = found, ""
                return False
        if error.reason == Reason.NOT_FOUND:
            return True
        if not is_passing(error):
            _LOG.warning("a pod's status is refused", pod=f"{metadata.namespace}/{metadata.name}", why=error)
        return False
