"""The endpoints controller: looks at one Service, its pods and its Endpoints, and writes them if they differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from kubewire.api.core.v1.endpoints_pb2 import Endpoints
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.client.controller import Controller
from kubewire.client.objects import ObjectKey
from kubewire.client.resources.options import Deleting
from kubewire.controller_manager.calls import is_missing
from kubewire.controller_manager.context import Context
from kubewire.controller_manager.endpoint_slice.endpoints import changes_endpoints, has_endpoints, selecting
from kubewire.controller_manager.endpoint_slice.trigger_times import TriggerTimes, in_words
from kubewire.controller_manager.endpoints.plan import Act, Observed, Plan, plan
from kubewire.controller_manager.overlay import Overlay
from kubewire.machinery.errors import StatusError
from kubewire.machinery.selectors.labels import from_labels

NAME: Final = "endpoints-controller"


class EndpointsController:
    """Keeps the Endpoints of every Service with a selector at what its pods are."""

    def __init__(self, context: Context) -> None:
        self._context = context
        informers = context.informers
        self._services = informers.informer(Service)
        self._pods = informers.informer(Pod)
        self._endpoints = informers.informer(Endpoints)
        self._client = context.client.resource(Endpoints)
        self._overlay: Overlay[Endpoints] = Overlay()
        self._triggers = TriggerTimes()
        self._controller = Controller(
            NAME, self.reconcile, workers=context.config.concurrent_endpoint_syncs, metrics=context.metrics.queues
        )
        self._controller.watch(self._services)
        self._controller.watch(self._pods, self._services_of, is_relevant=changes_endpoints)
        # Those of Services that are gone are found when the caches are filled.
        self._controller.watch(self._endpoints)

    @property
    def controllers(self) -> Sequence[Controller]:
        """Its one loop."""
        return (self._controller,)

    async def run(self) -> None:
        """Work until cancelled."""
        await self._controller.run()

    async def reconcile(self, key: ObjectKey) -> None:
        """Bring one Service's Endpoints to what its pods are.

        Raises:
            StatusError: they could not be written.
        """
        service, current = self._services.cache.get(key), self._current(key)
        if service is None:
            self._triggers.forget(key)
            await self._perform(key, plan(Observed(None, (), current)))
            return
        pods = self._pods_of(service)
        changed_at, seen = self._triggers.look(service, pods)
        await self._perform(key, plan(Observed(service, pods, current, in_words(changed_at))))
        # What could not be written is still to be told when it can be.
        self._triggers.written(key, seen)

    def _current(self, key: ObjectKey) -> Endpoints | None:
        """As we wrote it, as long as the cache does not show that yet."""
        cached = self._endpoints.cache.get(key)
        known = self._overlay.over(() if cached is None else (cached,), (key,), self._context.wall_clock())
        return known[0] if known else None

    def _pods_of(self, service: Service) -> list[Pod]:
        if not has_endpoints(service):
            return []
        return list(self._pods.cache.select(from_labels(service.spec.selector), service.metadata.namespace))

    async def _perform(self, key: ObjectKey, made: Plan) -> None:
        if made.endpoints is None:
            return
        client, before = self._client.in_namespace(key.namespace), self._endpoints.cache.get(key)
        now = self._context.wall_clock
        if made.act is Act.CREATE:
            self._overlay.wrote(await client.create(made.endpoints), before, now())
        elif made.act is Act.UPDATE:
            self._overlay.wrote(await client.update(made.endpoints), before, now())
        elif made.act is Act.DELETE:
            try:
                await client.delete(key.name, Deleting(uid=made.endpoints.metadata.uid))
            except StatusError as error:
                if not is_missing(error):
                    raise
            self._overlay.deleted(made.endpoints, now())

    def _services_of(self, pod: Pod) -> Iterable[ObjectKey]:
        return selecting(self._services.cache.list(pod.metadata.namespace), pod)
