"""What one term knows: the snapshot, the queue, and what has changed since pods that wait were last looked at.

Informers' handlers write on it, the loop reads from it; both in one thread, and neither waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kubewire.api.core.v1.namespace_pb2 import Namespace
from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.informer.informer import Handler
from kubewire.client.objects import ObjectKey, key_of
from kubewire.scheduler.metrics import SchedulerMetrics
from kubewire.scheduler.pods.pod import PodInfo, pod_info, pod_info_after
from kubewire.scheduler.queue.hints import Change, changes_of_node
from kubewire.scheduler.queue.queue import QueueTimes, SchedulingQueue, Waiting
from kubewire.scheduler.snapshot.node import node_info
from kubewire.scheduler.snapshot.snapshot import Snapshot


class Board:
    """Make it for one term. `clock` only goes forward.

    Attributes:
        snapshot, queue: see there.
        woken: set when there may be something to do.
    """

    def __init__(
        self, scheduler_name: str, times: QueueTimes, metrics: SchedulerMetrics, clock: Callable[[], float]
    ) -> None:
        self.snapshot = Snapshot()
        self.queue = SchedulingQueue(times)
        self.woken = asyncio.Event()
        self._scheduler_name = scheduler_name
        self._metrics = metrics
        self._clock = clock
        self._changes: set[Change] = set()
        # Pods that were bound and are assumed, and by when the watch should have told of them.
        self._assumed: dict[ObjectKey, float] = {}

    @property
    def pods(self) -> Handler[Pod]:
        """For the informer of pods that are not finished."""
        return Handler(self._pod_added, self._pod_updated, self._pod_deleted)

    @property
    def nodes(self) -> Handler[Node]:
        """For the informer of nodes."""
        return Handler(self._node_seen, lambda _, node: self._node_seen(node), self._node_deleted)

    @property
    def namespaces(self) -> Handler[Namespace]:
        """For the informer of namespaces."""
        return Handler(self._namespace_seen, lambda _, now: self._namespace_seen(now), self._namespace_deleted)

    def take_changes(self) -> None:
        """Have pods tried again that what changed may help."""
        if self._changes:
            changes, self._changes = frozenset(self._changes), set()
            self.queue.changed(changes, self._clock())

    def assume(self, pod: PodInfo, node_name: str) -> None:
        """Count a pod on the node it is about to be bound to."""
        self.snapshot.place(pod, node_name, is_assumed=True)
        self._changes.add(Change.POD_ADD)

    def bound(self, waiting: Waiting, until: float) -> None:
        """The API server has bound an assumed pod; its watch should tell so by `until`."""
        placement = self.snapshot.placements.get(waiting.pod.key)
        if placement is not None and placement.is_assumed:
            self._assumed[waiting.pod.key] = until

    def not_bound(self, waiting: Waiting) -> None:
        """Binding an assumed pod failed: it is on no node, and is tried again if it still waits."""
        pod = waiting.pod
        placement = self.snapshot.placements.get(pod.key)
        if placement is None or not placement.is_assumed or placement.pod.uid != pod.uid:
            # The watch knows better: it is bound after all, or gone.
            return
        self.snapshot.remove(pod.key)
        self._note(Change.POD_DELETE)
        self.queue.put_back_later(waiting, self._clock())

    def expire_assumed(self) -> list[PodInfo]:
        """Try pods again that were bound and never heard of; returns them."""
        now = self._clock()
        late = [key for key, until in self._assumed.items() if until <= now]
        found = []
        for key in late:
            del self._assumed[key]
            placement = self.snapshot.placements.get(key)
            if placement is not None and placement.is_assumed:
                self.snapshot.remove(key)
                self._note(Change.POD_DELETE)
                # Bound already, it is refused and comes back until the watch tells; not bound after all, it is now.
                self.queue.put(placement.pod, now)
                found.append(placement.pod)
        return found

    def _pod_added(self, message: Pod) -> None:
        if not self._concerns(message):
            return
        pod = pod_info(message)
        if pod.node_name:
            self._place(pod, Change.POD_ADD)
        else:
            self._wait(pod, "PodAdd")

    def _pod_updated(self, before: Pod, message: Pod) -> None:
        if not self._concerns(message):
            return
        pod = pod_info_after(self._known(key_of(message)), before, message)
        if pod.node_name:
            self._place(pod, Change.POD_UPDATE if before.spec.nodeName else Change.POD_ADD)
        else:
            self._wait(pod, "PodUpdate")

    def _pod_deleted(self, message: Pod) -> None:
        key = key_of(message)
        self.queue.remove(key)
        self._assumed.pop(key, None)
        if self.snapshot.remove(key):
            self._note(Change.POD_DELETE)

    def _concerns(self, message: Pod) -> bool:
        """Pods of other schedulers matter once they have a node."""
        return bool(message.spec.nodeName) or message.spec.schedulerName == self._scheduler_name

    def _known(self, key: ObjectKey) -> PodInfo | None:
        """A pod as `before` made it: the informer tells of each change once, in order."""
        placement = self.snapshot.placements.get(key)
        if placement is not None:
            return placement.pod
        waiting = self.queue.get(key)
        return None if waiting is None else waiting.pod

    def _place(self, pod: PodInfo, change: Change) -> None:
        self.queue.remove(pod.key)
        self._assumed.pop(pod.key, None)
        if self.snapshot.place(pod, pod.node_name):
            self._note(change)

    def _wait(self, pod: PodInfo, event: str) -> None:
        """A pod of ours without a node waits for one, unless it is taken already or on its way out."""
        if pod.is_terminating:
            self.queue.remove(pod.key)
            return
        placement = self.snapshot.placements.get(pod.key)
        if placement is not None and placement.pod.uid == pod.uid:
            # It is being bound; should it have changed meanwhile, it counts as what it is now.
            self.snapshot.place(pod, placement.node_name, is_assumed=placement.is_assumed)
            return
        is_known = self.queue.get(pod.key) is not None
        place = self.queue.put(pod, self._clock())
        if not is_known:
            self._metrics.incoming(event, place)
        self.woken.set()

    def _node_seen(self, message: Node) -> None:
        node = node_info(message)
        before = self.snapshot.set_node(node)
        for change in changes_of_node(before, node):
            self._note(change)

    def _node_deleted(self, message: Node) -> None:
        self.snapshot.remove_node(message.metadata.name)
        self._note(Change.NODE_DELETE)

    def _namespace_seen(self, message: Namespace) -> None:
        self.snapshot.set_namespace(message.metadata.name, dict(message.metadata.labels))
        self._note(Change.NAMESPACE)

    def _namespace_deleted(self, message: Namespace) -> None:
        self.snapshot.set_namespace(message.metadata.name, None)

    def _note(self, change: Change) -> None:
        self._changes.add(change)
        self.woken.set()
