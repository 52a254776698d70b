"""The pod garbage collector: goes through all pods from time to time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.controller import Controller
from kubewire.client.informer.cache import copy_of
from kubewire.client.resources.options import Deleting
from kubewire.component.log import Logger
from kubewire.controller_manager.calls import is_missing
from kubewire.controller_manager.context import Context
from kubewire.controller_manager.pod_gc.plan import Observed, Removal, missing_nodes, plan
from kubewire.controller_manager.pods.facts import condition
from kubewire.machinery.errors import StatusError

NAME: Final = "pod-garbage-collector-controller"
_LOG: Final = Logger("controller_manager.pod_gc")
SWEEP_SECONDS: Final = 20.0
QUARANTINE_SECONDS: Final = 40.0
"""A node that is missing may just be registering anew; after so long, and if the server agrees, its pods are lost."""

_DISRUPTION: Final = "DisruptionTarget"


class PodGarbageCollector:
    """Nothing here waits for a change, so there is no queue."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._pods = context.informers.informer(Pod)
        self._nodes = context.informers.informer(Node)
        self._pod_client = context.client.resource(Pod)
        self._node_client = context.client.resource(Node)
        self._missing_since: dict[str, float] = {}

    @property
    def controllers(self) -> Sequence[Controller]:
        """None."""
        return ()

    async def run(self) -> None:
        """Sweep until cancelled."""
        await self._pods.wait_synced()
        await self._nodes.wait_synced()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except StatusError as error:
                _LOG.warning("pods not swept, trying again later", why=error)

    async def sweep(self) -> None:
        """Go through all pods once.

        Raises:
            StatusError: one could not be removed; others may follow in the next sweep.
        """
        pods = self._pods.cache.list()
        gone = await self._gone_nodes(pods)
        for removal in plan(Observed(pods, gone, self._context.config.terminated_pod_gc_threshold)):
            try:
                await self._remove(removal)
            except StatusError as error:
                if not is_missing(error):
                    raise

    async def _gone_nodes(self, pods: Sequence[Pod]) -> set[str]:
        """Missing nodes whose quarantine is over, and that the server does not know either."""
        missing = missing_nodes(pods, {key.name for key in list(self._nodes.cache.keys())})
        now = asyncio.get_running_loop().time()
        self._missing_since = {name: self._missing_since.get(name, now) for name in missing}
        due = [name for name, since in self._missing_since.items() if now - since >= QUARANTINE_SECONDS]
        return {name for name in due if not await self._is_there(name)}

    async def _is_there(self, node: str) -> bool:
        try:
            await self._node_client.get(node)
        except StatusError as error:
            if is_missing(error):
                return False
            raise
        return True

    async def _remove(self, removal: Removal) -> None:
        metadata = removal.pod.metadata
        client = self._pod_client.in_namespace(metadata.namespace)
        if removal.is_lost:
            await client.update_status(_failed(removal.pod, self._context.wall_clock()))
        self._context.metrics.pods_removed.labels(metadata.namespace, removal.reason).inc()
        _LOG.info("pod removed", pod=f"{metadata.namespace}/{metadata.name}", why=removal.reason)
        await client.delete(metadata.name, Deleting(grace_period_seconds=0, uid=metadata.uid))


def _failed(pod: Pod, now: float) -> Pod:
    """The pod, saying that it failed and why."""
    failed = copy_of(pod)
    failed.status.phase = "Failed"
    if condition(failed, _DISRUPTION) is None:
        made = failed.status.conditions.add(type=_DISRUPTION, status="True", reason="DeletionByPodGC")
        made.message = "The pod's node is gone"
        made.lastTransitionTime.seconds = int(now)
    return failed
