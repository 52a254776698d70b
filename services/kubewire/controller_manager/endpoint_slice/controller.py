"""The EndpointSlice controller: looks at one Service, its pods and its slices, and writes what differs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice
from kubewire.client.controller import Controller
from kubewire.client.objects import ObjectKey, key_of
from kubewire.client.resources.options import Deleting
from kubewire.controller_manager.calls import is_missing
from kubewire.controller_manager.context import Context
from kubewire.controller_manager.endpoint_slice.endpoints import changes_endpoints, has_endpoints, selecting
from kubewire.controller_manager.endpoint_slice.plan import MANAGED_BY, MANAGER, SERVICE_NAME, Observed, Plan, plan
from kubewire.controller_manager.endpoint_slice.trigger_times import TriggerTimes, in_words
from kubewire.controller_manager.overlay import Overlay
from kubewire.machinery.errors import StatusError
from kubewire.machinery.selectors.labels import from_labels

NAME: Final = "endpointslice-controller"
ZONE: Final = "topology.kubernetes.io/zone"
_BY_SERVICE: Final = "service of the slice"


class EndpointSliceController:
    """Keeps the slices of every Service with a selector at what its pods are."""

    def __init__(self, context: Context) -> None:
        self._context = context
        informers = context.informers
        self._services = informers.informer(Service)
        self._pods = informers.informer(Pod)
        self._nodes = informers.informer(Node)
        self._slices = informers.informer(EndpointSlice)
        self._slices.add_index(_BY_SERVICE, _service_of)
        self._client = context.client.resource(EndpointSlice)
        self._overlay: Overlay[EndpointSlice] = Overlay()
        self._written: dict[ObjectKey, set[ObjectKey]] = {}
        self._triggers = TriggerTimes()
        self._controller = Controller(
            NAME,
            self.reconcile,
            workers=context.config.concurrent_service_endpoint_syncs,
            metrics=context.metrics.queues,
        )
        self._controller.watch(self._services)
        self._controller.watch(self._pods, self._services_of, is_relevant=changes_endpoints)
        self._controller.watch(self._slices, _key_of_service)
        self._controller.watch(self._nodes, self._all, is_relevant=_changes_zone)

    @property
    def controllers(self) -> Sequence[Controller]:
        """Its one loop."""
        return (self._controller,)

    async def run(self) -> None:
        """Work until cancelled."""
        await self._controller.run()

    async def reconcile(self, key: ObjectKey) -> None:
        """Bring one Service's slices to what its pods are.

        Raises:
            StatusError: a slice could not be written; the others may have been.
        """
        service = self._services.cache.get(key)
        if service is None:
            self._written.pop(key, None)
            self._triggers.forget(key)
            return
        if has_endpoints(service):
            observed = self._observe(key, service)
            changed_at, seen = self._triggers.look(service, observed.pods)
            await self._perform(key, plan(replace(observed, triggered=in_words(changed_at))))
            # What could not be written is still to be told when it can be.
            self._triggers.written(key, seen)

    def _observe(self, key: ObjectKey, service: Service) -> Observed:
        pods = self._pods.cache.select(from_labels(service.spec.selector), key.namespace)
        zones = {node.metadata.name: node.metadata.labels.get(ZONE, "") for node in self._nodes.cache.list()}
        cached = self._slices.cache.by_index(_BY_SERVICE, str(key))
        now = self._context.wall_clock()
        slices = self._overlay.over(cached, self._written.get(key, ()), now)
        self._written[key] = {one for one in self._written.get(key, ()) if self._overlay.holds(one)}
        return Observed(service, list(pods), zones, slices)

    async def _perform(self, service: ObjectKey, made: Plan) -> None:
        """Create first and delete last: an endpoint that moves is told twice rather than not at all."""
        client = self._client.in_namespace(service.namespace)
        count = self._context.metrics.slice_changes.labels
        for one in made.create:
            self._note(service, await client.create(one), None)
            count("create").inc()
        for one in made.update:
            before = self._slices.cache.get(key_of(one))
            self._note(service, await client.update(one), before)
            count("update").inc()
        for one in made.delete:
            try:
                await client.delete(one.metadata.name, Deleting(uid=one.metadata.uid))
            except StatusError as error:
                if not is_missing(error):
                    raise
            self._written.setdefault(service, set()).add(key_of(one))
            self._overlay.deleted(one, self._context.wall_clock())
            count("delete").inc()

    def _note(self, service: ObjectKey, written: EndpointSlice, before: EndpointSlice | None) -> None:
        self._written.setdefault(service, set()).add(key_of(written))
        self._overlay.wrote(written, before, self._context.wall_clock())

    def _services_of(self, pod: Pod) -> Iterable[ObjectKey]:
        return selecting(self._services.cache.list(pod.metadata.namespace), pod)

    def _all(self, _node: Node) -> Iterable[ObjectKey]:
        return list(self._services.cache.keys())


def _service_of(one: EndpointSlice) -> Iterable[str]:
    """An index: slices we manage, by `namespace/name` of their Service."""
    labels = one.metadata.labels
    if labels.get(MANAGED_BY) == MANAGER and SERVICE_NAME in labels:
        yield str(ObjectKey(one.metadata.namespace, labels[SERVICE_NAME]))


def _key_of_service(one: EndpointSlice) -> Iterable[ObjectKey]:
    return [ObjectKey.parse(text) for text in _service_of(one)]


def _changes_zone(before: Node, now: Node) -> bool:
    return before.metadata.labels.get(ZONE) != now.metadata.labels.get(ZONE)
