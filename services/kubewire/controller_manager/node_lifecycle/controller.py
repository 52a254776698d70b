"""The node lifecycle controller: listens for nodes' heartbeats, and says which are lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.api.core.v1.node_pb2 import Node, NodeCondition
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.controller import Controller, RequeueAfter
from kubewire.client.informer.cache import copy_of
from kubewire.client.informer.informer import Handler
from kubewire.client.objects import ObjectKey
from kubewire.controller_manager.calls import is_missing
from kubewire.controller_manager.context import Context
from kubewire.controller_manager.node_lifecycle.plan import READY, Observed, conditions, is_lost, taints
from kubewire.controller_manager.pods.facts import condition, is_ready
from kubewire.controller_manager.pods.placement import BY_NODE, node_of
from kubewire.machinery.errors import StatusError

NAME: Final = "node-lifecycle-controller"
LEASES: Final = "kube-node-lease"


class NodeLifecycleController:
    """When a node was heard of is told by our own clock, at the sight of its heartbeat: clocks of nodes may be off."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._clock = asyncio.get_running_loop().time
        self._grace = context.config.node_monitor_grace_seconds
        self._nodes = context.informers.informer(Node)
        self._leases = context.informers.informer(Lease, namespace=LEASES)
        self._pods = context.informers.informer(Pod)
        self._pods.add_index(BY_NODE, node_of)
        self._node_client = context.client.resource(Node)
        self._pod_client = context.client.resource(Pod)
        self._heard: dict[str, float] = {}
        self._controller = Controller(NAME, self.reconcile, metrics=context.metrics.queues)
        self._nodes.add_handler(Handler(self._appeared, self._changed, self._gone))
        self._leases.add_handler(Handler(self._beat, lambda _, lease: self._beat(lease)))
        self._controller.watch(self._nodes)
        self._controller.watch(self._leases, _nobody)
        self._controller.watch(self._pods, _node_key, is_relevant=_needs_marking)

    @property
    def controllers(self) -> Sequence[Controller]:
        """Its one loop."""
        return (self._controller,)

    async def run(self) -> None:
        """Work until cancelled."""
        await self._controller.run()

    async def reconcile(self, key: ObjectKey) -> RequeueAfter | None:
        """Bring a node's conditions and taints to what is known of it; comes back when its grace would end.

        Raises:
            StatusError: the node or one of its pods could not be written.
        """
        node = self._nodes.cache.get(key)
        if node is None:
            return None
        silent = self._silent(key.name)
        observed = Observed(node, silent, self._grace, self._context.wall_clock(), self._is_everyone_silent())
        found = conditions(observed)
        node = await self._write_conditions(node, found)
        await self._write_taints(node, observed, found)
        if is_lost(found):
            await self._mark_pods(key.name)
        # A lost node is looked at again when it changes; but whether all are lost may turn without that.
        return RequeueAfter(max(self._grace - silent, 1.0) if silent < self._grace else self._grace)

    async def _write_conditions(self, node: Node, found: Sequence[NodeCondition]) -> Node:
        if list(node.status.conditions) == list(found):
            return node
        changed = copy_of(node)
        del changed.status.conditions[:]
        changed.status.conditions.extend(found)
        written = await self._node_client.update_status(changed)
        self._context.recorder.normal(node, "NodeNotReady", f"Node {node.metadata.name} status is now: NodeNotReady")
        return written

    async def _write_taints(self, node: Node, observed: Observed, found: Sequence[NodeCondition]) -> None:
        wanted = taints(observed, found)
        if list(node.spec.taints) == wanted:
            return
        changed = copy_of(node)
        del changed.spec.taints[:]
        changed.spec.taints.extend(wanted)
        await self._node_client.update(changed)

    async def _mark_pods(self, node: str) -> None:
        """Pods of a lost node are not ready: Services stop sending there."""
        for pod in self._pods.cache.by_index(BY_NODE, node):
            if is_ready(pod):
                try:
                    await self._pod_client.in_namespace(pod.metadata.namespace).update_status(self._unready(pod))
                except StatusError as error:
                    if not is_missing(error):
                        raise

    def _unready(self, pod: Pod) -> Pod:
        changed = copy_of(pod)
        ready = condition(changed, READY)
        assert ready is not None, "only ready pods are marked"
        ready.status = "False"
        ready.lastTransitionTime.Clear()
        ready.lastTransitionTime.seconds = int(self._context.wall_clock())
        return changed

    def _silent(self, name: str) -> float:
        return self._clock() - self._heard.setdefault(name, self._clock())

    def _is_everyone_silent(self) -> bool:
        return all(self._silent(key.name) >= self._grace for key in list(self._nodes.cache.keys()))

    def _appeared(self, node: Node) -> None:
        self._heard[node.metadata.name] = self._clock()

    def _changed(self, before: Node, now: Node) -> None:
        if _heartbeat(before) != _heartbeat(now):
            self._heard[now.metadata.name] = self._clock()

    def _gone(self, node: Node) -> None:
        self._heard.pop(node.metadata.name, None)

    def _beat(self, lease: Lease) -> None:
        self._heard[lease.metadata.name] = self._clock()


def _heartbeat(node: Node) -> int:
    return next((one.lastHeartbeatTime.seconds for one in node.status.conditions if one.type == READY), 0)


def _nobody(_lease: Lease) -> Iterable[ObjectKey]:
    """Heartbeats are noted and need no look; but the first look waits until the Leases are known."""
    return ()


def _node_key(pod: Pod) -> Iterable[ObjectKey]:
    """A ready pod on a node may be one on a lost node."""
    return (ObjectKey("", pod.spec.nodeName),) if pod.spec.nodeName and is_ready(pod) else ()


def _needs_marking(before: Pod, now: Pod) -> bool:
    return is_ready(now) and (not is_ready(before) or before.spec.nodeName != now.spec.nodeName)
