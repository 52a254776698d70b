"""The garbage collector: follows the metadata of every kind, and does what the plan says of one object at a time.

Keys of its queue are uids: what an object is called does not tell who it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from kubewire.api.meta.v1.object_meta_pb2 import PartialObjectMetadata
from kubewire.client.controller import Controller
from kubewire.client.informer.informer import Handler
from kubewire.client.objects import ObjectKey
from kubewire.client.resources.options import Deleting
from kubewire.client.resources.resource_client import ResourceClient
from kubewire.controller_manager.calls import is_missing
from kubewire.controller_manager.context import Context
from kubewire.controller_manager.garbage.graph import Found, Graph
from kubewire.controller_manager.garbage.owners import Owners
from kubewire.controller_manager.garbage.plan import Action, Delete, Disown, plan
from kubewire.machinery.errors import StatusError
from kubewire.machinery.gvk import GroupVersionResource
from kubewire.machinery.json_value import JsonObject
from kubewire.machinery.resources import Resource, builtin

NAME: Final = "garbage-collector-controller"
_VERBS: Final = {"list", "watch", "delete"}


class GarbageCollector:
    """Looks at one object."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._graph = Graph()
        self._owners = Owners(context.client, self._graph)
        self._controller = Controller(
            NAME, self.reconcile, workers=context.config.concurrent_gc_syncs, metrics=context.metrics.queues
        )
        for resource in collected(builtin().served()):
            informer = context.informers.metadata(resource.gvr)
            informer.add_handler(self._handler(resource.gvr))
            # What is to be looked at is told by the graph; but nothing is looked at before all of it is known.
            self._controller.watch(informer, _nobody)

    @property
    def controllers(self) -> Sequence[Controller]:
        """Its one loop."""
        return (self._controller,)

    async def run(self) -> None:
        """Work until cancelled."""
        await self._controller.run()

    async def reconcile(self, key: ObjectKey) -> None:
        """Do with one object as its owners and its deletion ask for.

        Raises:
            StatusError: something could not be written or asked.
            UnknownOwner: nobody knows whether an owner is there.
        """
        found = self._graph.get(key.name)
        if found is None:
            return
        owners = {} if found.is_going else {one.uid: await self._owners.state(found, one) for one in found.owners}
        for action in plan(found, owners, self._graph.dependents(key.name)):
            try:
                await self._perform(action)
            except StatusError as error:
                if not is_missing(error):
                    raise

    async def _perform(self, action: Action) -> None:
        metadata = action.found.metadata
        client = self._client(action.found)
        if isinstance(action, Delete):
            guard = Deleting(
                propagation=action.propagation, uid=metadata.uid, resource_version=metadata.resourceVersion
            )
            await client.delete(metadata.name, guard)
        elif isinstance(action, Disown):
            await client.patch(metadata.name, _without_owners(action.found, action.owners))
        else:
            await client.patch(metadata.name, _without_finalizer(action.found, action.finalizer))

    def _client(self, found: Found) -> ResourceClient[PartialObjectMetadata]:
        return self._context.client.dynamic.metadata(found.resource, namespace=found.metadata.namespace)

    def _handler(self, resource: GroupVersionResource) -> Handler[PartialObjectMetadata]:
        def put(obj: PartialObjectMetadata) -> None:
            self._ask(self._graph.put(Found(resource, obj.metadata)))

        def removed(obj: PartialObjectMetadata) -> None:
            self._ask(self._graph.remove(obj.metadata.uid))

        return Handler(put, _second(put), removed)

    def _ask(self, uids: Iterable[str]) -> None:
        for uid in uids:
            self._controller.queue.add(ObjectKey("", uid))


def collected(resources: Iterable[Resource]) -> list[Resource]:
    """The kinds that can own and be owned, each in one version; events are too many and neither."""
    found = {
        one.group_resource: one
        for one in sorted(resources, key=lambda one: one.preferred)
        if set(one.verbs) >= _VERBS and one.kind != "Event"
    }
    return list(found.values())


def _second(take: Callable[[PartialObjectMetadata], None]) -> Callable[[object, PartialObjectMetadata], None]:
    return lambda _, obj: take(obj)


def _nobody(_obj: PartialObjectMetadata) -> Iterable[ObjectKey]:
    return ()


def _without_owners(found: Found, uids: Sequence[str]) -> JsonObject:
    """A merge patch for this very version: lists are replaced as a whole."""
    kept: list[JsonObject] = [
        {
            "apiVersion": one.apiVersion,
            "kind": one.kind,
            "name": one.name,
            "uid": one.uid,
            **({"controller": one.controller} if one.HasField("controller") else {}),
            **({"blockOwnerDeletion": one.blockOwnerDeletion} if one.HasField("blockOwnerDeletion") else {}),
        }
        for one in found.owners
        if one.uid not in uids
    ]
    return _patch(found, {"ownerReferences": list(kept) or None})


def _without_finalizer(found: Found, finalizer: str) -> JsonObject:
    kept = [one for one in found.metadata.finalizers if one != finalizer]
    return _patch(found, {"finalizers": list(kept) or None})


def _patch(found: Found, changed: JsonObject) -> JsonObject:
    metadata = found.metadata
    guard: JsonObject = {"uid": metadata.uid, "resourceVersion": metadata.resourceVersion}
    return {"metadata": {**guard, **changed}}
