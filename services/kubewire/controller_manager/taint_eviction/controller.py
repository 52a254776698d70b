"""The taint eviction controller: deletes pods from nodes whose NoExecute taints they do not tolerate, or no longer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.controller import Controller, RequeueAfter
from kubewire.client.informer.cache import copy_of
from kubewire.client.objects import ObjectKey, key_of
from kubewire.client.resources.options import Deleting
from kubewire.controller_manager.calls import is_missing
from kubewire.controller_manager.context import Context
from kubewire.controller_manager.pods.facts import condition, has_ended, is_deleted
from kubewire.controller_manager.pods.placement import BY_NODE, node_of
from kubewire.controller_manager.taint_eviction.plan import NO_EXECUTE, evict_at
from kubewire.machinery.errors import StatusError

NAME: Final = "taint-eviction-controller"
_DISRUPTION: Final = "DisruptionTarget"


class TaintEvictionController:
    """Looks at one pod and its node's taints."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._nodes = context.informers.informer(Node)
        self._pods = context.informers.informer(Pod)
        self._pods.add_index(BY_NODE, node_of)
        self._client = context.client.resource(Pod)
        self._controller = Controller(NAME, self.reconcile, workers=8, metrics=context.metrics.queues)
        self._controller.watch(self._pods, is_relevant=_changes_place)
        self._controller.watch(self._nodes, self._pods_on, is_relevant=_changes_taints)

    @property
    def controllers(self) -> Sequence[Controller]:
        """Its one loop."""
        return (self._controller,)

    async def run(self) -> None:
        """Work until cancelled."""
        await self._controller.run()

    async def reconcile(self, key: ObjectKey) -> RequeueAfter | None:
        """Delete a pod whose time has come, or come back when it has.

        Raises:
            StatusError: it could not be deleted.
        """
        pod = self._pods.cache.get(key)
        if pod is None or is_deleted(pod) or has_ended(pod) or not pod.spec.nodeName:
            return None
        node = self._nodes.cache.get(ObjectKey("", pod.spec.nodeName))
        now = self._context.wall_clock()
        at = evict_at(pod.spec.tolerations, node.spec.taints, now) if node is not None else None
        if at is None:
            return None
        if at > now:
            return RequeueAfter(at - now)
        await self._evict(pod, now)
        return None

    async def _evict(self, pod: Pod, now: float) -> None:
        metadata = pod.metadata
        why = f"Marking for deletion Pod {metadata.namespace}/{metadata.name}"
        self._context.recorder.normal(pod, "TaintManagerEviction", why)
        client = self._client.in_namespace(metadata.namespace)
        try:
            if condition(pod, _DISRUPTION) is None:
                await client.update_status(_marked(pod, now))
            await client.delete(metadata.name, Deleting(uid=metadata.uid))
            self._context.metrics.taint_evictions.labels().inc()
        except StatusError as error:
            if not is_missing(error):
                raise

    def _pods_on(self, node: Node) -> Iterable[ObjectKey]:
        return [key_of(pod) for pod in self._pods.cache.by_index(BY_NODE, node.metadata.name)]


def _marked(pod: Pod, now: float) -> Pod:
    """The pod, saying why it goes."""
    marked = copy_of(pod)
    made = marked.status.conditions.add(type=_DISRUPTION, status="True", reason="DeletionByTaintManager")
    made.message = "The pod does not tolerate a NoExecute taint of its node, or no longer"
    made.lastTransitionTime.seconds = int(now)
    return marked


def _changes_place(before: Pod, now: Pod) -> bool:
    return before.spec.nodeName != now.spec.nodeName or list(before.spec.tolerations) != list(now.spec.tolerations)


def _changes_taints(before: Node, now: Node) -> bool:
    return _strict(before) != _strict(now)


def _strict(node: Node) -> list[tuple[str, str, int]]:
    return [(one.key, one.value, one.timeAdded.seconds) for one in node.spec.taints if one.effect == NO_EXECUTE]
