"""What runs, as last seen: kept fresh by events, by a look after every act of ours, and by listing everything.

It is level-triggered: an event only says where to look. What events miss, the next list shows (`relist_seconds`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, Protocol

from kubewire.client.backoff import Backoff
from kubewire.component.log import Logger
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.runtime.contracts import Container, Listed, PodIdentity, Runtime, RuntimePod

_LOG: Final = Logger("kubelet.runtime")
_SETTLING_SECONDS: Final = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)
"""The event of a container's end is told before the runtime's own books have it: look again after these."""
_UNOWNED_AT_MOST: Final = 1000
_WITHOUT_EVENTS_SECONDS: Final = 1.0
_RETRY_FIRST_SECONDS: Final = 0.2
_RETRY_LIMIT_SECONDS: Final = 5.0

Complete = Callable[[Container], Container]
"""Adds to a container what lies in files, such as its termination message."""


class RelistMetrics(Protocol):
    """Told of every list."""

    def relisted(self, seconds: float, interval_seconds: float) -> None:
        """All was listed; `interval_seconds` since the list before."""
        ...


class Observation:
    """The pods of the runtime. Make it inside a running loop, and run it in a TaskGroup.

    Attributes:
        pods: by uid; values never change, they are replaced.
        failure: why the runtime could not be listed last; empty when it could.
        listed_at: when it last could, by `time.monotonic`; 0 before.
    """

    def __init__(
        self,
        runtime: Runtime,
        on_change: Callable[[PodIdentity], None],
        *,
        complete: Complete,
        relist_seconds: float,
        metrics: RelistMetrics,
    ) -> None:
        self.pods: dict[str, RuntimePod] = {}
        self.failure = "the runtime was not asked yet"
        self.listed_at = 0.0
        self._runtime = runtime
        self._on_change = on_change
        self._complete = complete
        self._relist_seconds = relist_seconds
        self._metrics = metrics
        self._owners: dict[str, PodIdentity] = {}
        # Told of before anybody knew whose they are: containers can end before their start was seen.
        self._unowned: dict[str, None] = {}
        # A look that began earlier must not replace what a later one has seen.
        self._looks = 0
        self._seen: dict[str, int] = {}
        self._group: asyncio.TaskGroup | None = None
        self._list_now = asyncio.Event()

    def pod(self, identity: PodIdentity) -> RuntimePod:
        """What there is of a pod; empty if nothing."""
        return self.pods.get(identity.uid) or RuntimePod(identity)

    async def refresh(self, identity: PodIdentity) -> RuntimePod:
        """Look at one pod now.

        Raises:
            RuntimeCallError: the runtime cannot tell.
        """
        self._looks += 1
        look = self._looks
        found = await self._runtime.pod(identity)
        if look > self._seen.get(identity.uid, 0):
            self._seen[identity.uid] = look
            self._take(found)
        return self.pod(identity)

    async def relist(self) -> None:
        """Look at everything.

        Raises:
            RuntimeCallError: the runtime cannot tell; what was seen before stays.
        """
        began = time.monotonic()
        try:
            listed = {one.identity.uid: one for one in await self._runtime.list()}
            for uid in self.pods.keys() - listed.keys():
                await self.refresh(self.pods[uid].identity)
            for one in listed.values():
                if self._is_different(one):
                    await self.refresh(one.identity)
        except RuntimeCallError as error:
            self.failure = str(error)
            raise
        now = time.monotonic()
        self._metrics.relisted(now - began, began - self.listed_at if self.listed_at else 0.0)
        self.listed_at, self.failure = now, ""

    async def run(self, started: Callable[[], None]) -> None:
        """Keep it fresh until cancelled; `started` is called when all was seen once."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await self._first_list()
            started()
            group.create_task(self._follow())
            while True:
                await self._wait()
                try:
                    await self.relist()
                except RuntimeCallError as error:
                    _LOG.warning("the runtime cannot be listed", why=error)

    async def _first_list(self) -> None:
        backoff = Backoff(_RETRY_FIRST_SECONDS, _RETRY_LIMIT_SECONDS)
        while True:
            try:
                await self.relist()
            except RuntimeCallError as error:
                _LOG.warning("waiting for the runtime", why=error)
                await asyncio.sleep(backoff.next())
            else:
                return

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._relist_seconds):
                await self._list_now.wait()
        except TimeoutError:
            pass
        self._list_now.clear()

    async def _follow(self) -> None:
        """Hear of changes; a stream that broke is opened anew, and what was missed is listed."""
        backoff = Backoff(_RETRY_FIRST_SECONDS, _RETRY_LIMIT_SECONDS)
        while True:
            began = time.monotonic()
            try:
                await self._runtime.follow(self._changed)
            except RuntimeCallError as error:
                if error.code == "UNIMPLEMENTED":
                    _LOG.info("the runtime has no events", relist_seconds=_WITHOUT_EVENTS_SECONDS)
                    self._relist_seconds = min(self._relist_seconds, _WITHOUT_EVENTS_SECONDS)
                    return
                _LOG.info("events of the runtime ended", why=error)
            if time.monotonic() - began > _RETRY_LIMIT_SECONDS:
                backoff.reset()
            await asyncio.sleep(backoff.next())
            self._list_now.set()

    def _changed(self, changed_id: str, uid: str) -> None:
        owner = self._owners.get(changed_id)
        if owner is None and uid in self.pods:
            owner = self.pods[uid].identity
        if owner is None:
            self._unowned[changed_id] = None
            if len(self._unowned) > _UNOWNED_AT_MOST:
                del self._unowned[next(iter(self._unowned))]
            self._list_now.set()
        else:
            self._look_after(owner, changed_id)

    def _look_after(self, owner: PodIdentity, changed_id: str) -> None:
        if self._group is not None:
            self._group.create_task(self._look_until_ended(owner, changed_id))

    async def _look_until_ended(self, owner: PodIdentity, changed_id: str) -> None:
        try:
            for seconds in (0.0, *_SETTLING_SECONDS):
                await asyncio.sleep(seconds)
                pod = await self.refresh(owner)
                running = {one.id for one in pod.running} | {one.id for one in pod.sandboxes if one.is_ready}
                if changed_id not in running:
                    return
        except RuntimeCallError as error:
            _LOG.info("a pod could not be looked at", pod=f"{owner.namespace}/{owner.name}", why=error)
            self._list_now.set()

    def _is_different(self, listed: Listed) -> bool:
        known = self.pods.get(listed.identity.uid)
        return known is None or known.states != listed.states

    def _take(self, found: RuntimePod) -> None:
        """Put a pod in its place, and tell if it differs."""
        uid = found.identity.uid
        before = self.pods.get(uid)
        for gone in _ids(before) - _ids(found):
            self._owners.pop(gone, None)
        if found.is_empty:
            self.pods.pop(uid, None)
            self._seen.pop(uid, None)
        else:
            found = self._completed(found, before)
            self.pods[uid] = found
            self._owners.update(dict.fromkeys(_ids(found), found.identity))
            for known in _ids(found) & self._unowned.keys():
                del self._unowned[known]
                self._look_after(found.identity, known)
        if before != (None if found.is_empty else found):
            self._on_change(found.identity)

    def _completed(self, found: RuntimePod, before: RuntimePod | None) -> RuntimePod:
        """The pod with what lies in files. Who has ended stays as it was seen: files go before containers do."""
        ended = {} if before is None else {one.id: one for one in before.containers if one.is_ended}
        containers = tuple(ended.get(one.id) or self._complete(one) for one in found.containers)
        return RuntimePod(found.identity, found.sandboxes, containers)


def _ids(pod: RuntimePod | None) -> set[str]:
    if pod is None:
        return set()
    return {one.id for one in pod.sandboxes} | {one.id for one in pod.containers}
