"""The ReplicaSet controller: looks at one ReplicaSet and its pods, and does what the plan says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet, ReplicaSetStatus
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.controller import Controller, RequeueAfter
from kubewire.client.informer.cache import copy_of
from kubewire.client.informer.index import by_controller_uid
from kubewire.client.informer.informer import Handler
from kubewire.client.objects import ObjectKey, key_of
from kubewire.controller_manager.context import Context
from kubewire.controller_manager.pods.facts import is_deleted
from kubewire.controller_manager.pods.ownership import BY_CONTROLLER, ORPHANS, controller_of, orphans
from kubewire.controller_manager.replica_set.memory import VERIFY_SECONDS, Memory
from kubewire.controller_manager.replica_set.plan import Observed, Plan, is_going, plan
from kubewire.controller_manager.replica_set.pod_control import PodControl
from kubewire.controller_manager.replica_set.pods import KIND, make_pods
from kubewire.controller_manager.replica_set.status import Failure, is_news, next_available_seconds, status_of
from kubewire.machinery.errors import StatusError
from kubewire.machinery.selectors import labels as label_selectors

NAME: Final = "replicaset-controller"


class ReplicaSetController:
    """Keeps every ReplicaSet at the number of pods it asks for."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sets = context.informers.informer(ReplicaSet)
        self._pods = context.informers.informer(Pod)
        self._sets.add_index(BY_CONTROLLER, by_controller_uid)
        self._pods.add_index(BY_CONTROLLER, by_controller_uid)
        self._pods.add_index(ORPHANS, orphans)
        self._pod_client = context.client.resource(Pod)
        self._set_client = context.client.resource(ReplicaSet)
        self._memories: dict[ObjectKey, tuple[str, Memory]] = {}
        self._controller = Controller(
            NAME,
            self.reconcile,
            workers=context.config.concurrent_replicaset_syncs,
            metrics=context.metrics.queues,
        )
        # First what was seen is noted, then somebody is asked to look.
        self._pods.add_handler(Handler(self._saw, self._saw_change, self._saw_end))
        self._controller.watch(self._sets)
        self._controller.watch(self._pods, self._keys)

    @property
    def controllers(self) -> Sequence[Controller]:
        """Its one loop."""
        return (self._controller,)

    async def run(self) -> None:
        """Work until cancelled."""
        await self._controller.run()

    async def reconcile(self, key: ObjectKey) -> RequeueAfter | None:
        """Bring one ReplicaSet closer to what it asks for.

        Raises:
            StatusError: something could not be done, or not all of it.
        """
        replica_set = self._sets.cache.get(key)
        if replica_set is None:
            self._memories.pop(key, None)
            return None
        memory = self._memory(replica_set)
        now = self._context.wall_clock()
        control = PodControl(self._pod_client, self._context.recorder, replica_set, memory, now)
        await control.settle()
        await control.verify()
        made = plan(self._observe(replica_set, memory, now))
        failure = await self._perform(replica_set, control, made)
        status = self._status(replica_set, memory, made, failure)
        await self._write(replica_set, memory, status)
        if failure is not None:
            raise failure
        return _again(replica_set, memory, made.claimed, now)

    def _observe(self, replica_set: ReplicaSet, memory: Memory, now: float) -> Observed:
        own = memory.pods_beside(self._pods.cache.by_index(BY_CONTROLLER, replica_set.metadata.uid))
        strays = self._pods.cache.by_index(ORPHANS, replica_set.metadata.namespace)
        related = self._related(replica_set)
        return Observed(replica_set, [*own, *strays], now, related, frozenset(memory.deleting))

    def _related(self, replica_set: ReplicaSet) -> list[Pod]:
        """Pods of all ReplicaSets of the same controller; none without one."""
        controller = controller_of(replica_set)
        if controller is None:
            return []
        siblings = self._sets.cache.by_index(BY_CONTROLLER, controller.uid)
        by_index = self._pods.cache.by_index
        return [pod for one in siblings for pod in by_index(BY_CONTROLLER, one.metadata.uid)]

    async def _perform(self, replica_set: ReplicaSet, control: PodControl, made: Plan) -> StatusError | None:
        """Do what was planned; returns why it could not be done, which the status tells."""
        if made.adopt and not await self._is_itself(replica_set):
            return None
        try:
            await control.adopt(made.adopt)
            await control.release(made.release)
            if made.delete:
                await control.delete(made.delete)
            elif made.create:
                taken = (pod.metadata.name for pod in made.claimed)
                await control.create(make_pods(replica_set, made.create, taken, self._context.random))
        except StatusError as error:
            return error
        return None

    async def _is_itself(self, replica_set: ReplicaSet) -> bool:
        """Whether the ReplicaSet is there and stays: before it adopts, not the cache is asked but the server.

        A successor of the same name adopting what its predecessor's deletion is about to orphan, or the other way
        round, would have one pod claimed twice.
        """
        own = replica_set.metadata
        now = await self._set_client.in_namespace(own.namespace).get(own.name)
        return now.metadata.uid == own.uid and not is_going(now)

    def _status(
        self, replica_set: ReplicaSet, memory: Memory, made: Plan, failure: StatusError | None
    ) -> ReplicaSetStatus:
        known = {pod.metadata.uid for pod in made.claimed}
        created = [pod for pod, _ in memory.unseen.values() if pod.metadata.uid not in known]
        reason = "FailedDelete" if made.delete else "FailedCreate"
        told = Failure(reason, str(failure)) if failure is not None else None
        return status_of(replica_set, [*made.claimed, *created], told, self._context.wall_clock())

    async def _write(self, replica_set: ReplicaSet, memory: Memory, status: ReplicaSetStatus) -> None:
        """Write the status if it is news; not while the cache still has the version our last write replaced."""
        version = replica_set.metadata.resourceVersion
        if version == memory.superseded or not is_news(replica_set, status):
            return
        changed = copy_of(replica_set)
        changed.status.CopyFrom(status)
        written = await self._set_client.update_status(changed)
        # A write that changes nothing makes no new version to wait for.
        memory.superseded = version if written.metadata.resourceVersion != version else ""

    def _memory(self, replica_set: ReplicaSet) -> Memory:
        """Of this very ReplicaSet, not of another one under its name."""
        key, uid = key_of(replica_set), replica_set.metadata.uid
        found = self._memories.get(key)
        if found is None or found[0] != uid:
            found = self._memories[key] = (uid, Memory(is_cached=self._is_cached))
        return found[1]

    def _is_cached(self, pod: Pod) -> bool:
        cached = self._pods.cache.get(key_of(pod))
        return cached is not None and cached.metadata.uid == pod.metadata.uid

    def _memory_of(self, pod: Pod) -> Memory | None:
        owner = controller_of(pod)
        if owner is None or owner.kind != KIND:
            return None
        found = self._memories.get(ObjectKey(pod.metadata.namespace, owner.name))
        return found[1] if found is not None and found[0] == owner.uid else None

    def _saw(self, pod: Pod) -> None:
        memory = self._memory_of(pod)
        if memory is not None:
            memory.saw(pod.metadata.uid)

    def _saw_change(self, _before: Pod, pod: Pod) -> None:
        memory = self._memory_of(pod) if is_deleted(pod) else None
        if memory is not None:
            memory.saw_going(pod.metadata.uid)

    def _saw_end(self, pod: Pod) -> None:
        memory = self._memory_of(pod)
        if memory is not None:
            memory.saw(pod.metadata.uid)
            memory.saw_going(pod.metadata.uid)

    def _keys(self, pod: Pod) -> Iterable[ObjectKey]:
        """The ReplicaSet that controls a pod, or those that might adopt it."""
        owner = controller_of(pod)
        namespace = pod.metadata.namespace
        if owner is not None:
            return (ObjectKey(namespace, owner.name),) if owner.kind == KIND else ()
        labels = pod.metadata.labels
        return [key_of(one) for one in self._sets.cache.list(namespace) if _selects(one, labels)]


def _selects(replica_set: ReplicaSet, labels: label_selectors.Labels) -> bool:
    return label_selectors.from_message(replica_set.spec.selector).matches(labels)


def _again(replica_set: ReplicaSet, memory: Memory, pods: Iterable[Pod], now: float) -> RequeueAfter | None:
    """When to look again although nothing changes: a pod becomes available, or one is overdue in the cache."""
    waits = [VERIFY_SECONDS] if memory.unseen else []
    available = next_available_seconds(replica_set, pods, now)
    if available is not None:
        waits.append(available)
    return RequeueAfter(min(waits)) if waits else None
