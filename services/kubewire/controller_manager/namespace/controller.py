"""The namespace controller: empties namespaces that are deleted, tells what is left, and lets them go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kubewire.api.core.v1.namespace_pb2 import Namespace
from kubewire.api.meta.v1.object_meta_pb2 import PartialObjectMetadata
from kubewire.client.controller import Controller, RequeueAfter
from kubewire.client.informer.cache import copy_of
from kubewire.client.objects import ObjectKey
from kubewire.client.resources.options import Deleting, Propagation
from kubewire.client.resources.resource_client import ResourceClient
from kubewire.controller_manager.calls import is_missing
from kubewire.controller_manager.context import Context
from kubewire.controller_manager.namespace.plan import FINALIZER, Remains, conditions, contents, is_to_empty
from kubewire.machinery.errors import Reason, StatusError
from kubewire.machinery.gvk import GroupVersionResource
from kubewire.machinery.resources import builtin

NAME: Final = "namespace-controller"
_AGAIN_SECONDS: Final = 1.0
_BACKGROUND: Final = Deleting(propagation=Propagation.BACKGROUND)


class NamespaceController:
    """Looks at one namespace that is being deleted."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._namespaces = context.informers.informer(Namespace)
        self._client = context.client.resource(Namespace)
        self._steps = contents(builtin().served())
        self._controller = Controller(
            NAME, self.reconcile, workers=context.config.concurrent_namespace_syncs, metrics=context.metrics.queues
        )
        self._controller.watch(self._namespaces)

    @property
    def controllers(self) -> Sequence[Controller]:
        """Its one loop."""
        return (self._controller,)

    async def run(self) -> None:
        """Work until cancelled."""
        await self._controller.run()

    async def reconcile(self, key: ObjectKey) -> RequeueAfter | None:
        """Delete what is in a namespace, and then let it go; or come back to see what is left.

        Raises:
            StatusError: the namespace could not be written.
        """
        namespace = self._namespaces.cache.get(key)
        if namespace is None or not is_to_empty(namespace):
            return None
        remains = await self._empty(key.name)
        try:
            namespace = await self._write(namespace, remains)
            if remains.is_empty:
                await self._let_go(namespace)
        except StatusError as error:
            if not is_missing(error):
                raise
            return None
        return None if remains.is_empty else RequeueAfter(_AGAIN_SECONDS)

    async def _empty(self, namespace: str) -> Remains:
        """Delete step by step; a step begins when nothing is left of the one before."""
        remains = Remains()
        for step in self._steps:
            for gvr in step:
                try:
                    await self._empty_kind(gvr, namespace, remains)
                except StatusError as error:
                    if error.reason not in {Reason.NOT_FOUND, Reason.METHOD_NOT_ALLOWED}:
                        remains.failures.append(f"{gvr.group_resource}: {error}")
            if not remains.is_empty:
                break
        return remains

    async def _empty_kind(self, gvr: GroupVersionResource, namespace: str, remains: Remains) -> None:
        client = self._context.client.dynamic.metadata(gvr, namespace=namespace)
        found = [one async for one in client.list()]
        doomed = [one.metadata.name for one in found if not one.metadata.HasField("deletionTimestamp")]
        if doomed:
            for result in await client.delete_many(doomed, _BACKGROUND):
                if result.error is not None and not is_missing(result.error):
                    remains.failures.append(f"{gvr.group_resource}: {result.error}")
        if found:
            await _count(client, gvr, remains)

    async def _write(self, namespace: Namespace, remains: Remains) -> Namespace:
        found = conditions(namespace, remains, self._context.wall_clock())
        if list(namespace.status.conditions) == found:
            return namespace
        changed = copy_of(namespace)
        del changed.status.conditions[:]
        changed.status.conditions.extend(found)
        return await self._client.update_status(changed)

    async def _let_go(self, namespace: Namespace) -> None:
        changed = copy_of(namespace)
        changed.spec.finalizers.remove(FINALIZER)
        await self._client.finalize(changed)


async def _count(client: ResourceClient[PartialObjectMetadata], gvr: GroupVersionResource, remains: Remains) -> None:
    """Note what is left of a kind."""
    async for one in client.list():
        remains.objects[str(gvr.group_resource)] += 1
        remains.finalizers.update(one.metadata.finalizers)
