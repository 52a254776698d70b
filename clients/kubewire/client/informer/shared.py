"""One informer a kind and selection for a whole process: what several parts watch costs one watch and one cache."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import cast

from kubewire.api.meta.v1.object_meta_pb2 import PartialObjectMetadata
from kubewire.client.client import Client
from kubewire.client.informer.informer import Informer
from kubewire.client.objects import ApiObject, T
from kubewire.client.resources.options import EVERYTHING, Selection
from kubewire.client.resources.resource_client import ResourceClient
from kubewire.machinery.gvk import GroupVersionResource


class SharedInformers:
    """Informers by kind, namespace and selection. Ask for them before or while it runs; run it in a TaskGroup.

    `transform` is applied to every object before it is cached (`drop_managed_fields`).
    """

    def __init__(self, client: Client, *, transform: Callable[[ApiObject], None] | None = None) -> None:
        self._client = client
        self._transform = transform
        self._informers: dict[tuple[object, ...], Informer[ApiObject]] = {}
        self._group: asyncio.TaskGroup | None = None

    def informer(self, kind: type[T], selection: Selection = EVERYTHING, *, namespace: str = "") -> Informer[T]:
        """The informer of a message class; the same one to everybody who asks for the same objects."""
        return self._shared(kind, self._client.resource(kind, namespace=namespace), selection)

    def metadata(
        self, gvr: GroupVersionResource, selection: Selection = EVERYTHING, *, namespace: str = ""
    ) -> Informer[PartialObjectMetadata]:
        """The informer of a kind's metadata alone, custom resources included."""
        client = self._client.dynamic.metadata(gvr, namespace=namespace)
        return self._shared(PartialObjectMetadata, client, selection)

    @property
    def informers(self) -> Iterable[Informer[ApiObject]]:
        """All that were asked for."""
        return self._informers.values()

    async def wait_synced(self) -> None:
        """Return when every informer that was asked for until now has synced."""
        for informer in list(self._informers.values()):
            await informer.wait_synced()

    async def run(self) -> None:
        """Run all informers, those asked for later included, until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                for informer in self._informers.values():
                    group.create_task(informer.run())
                await asyncio.get_running_loop().create_future()
            finally:
                self._group = None

    def _shared(self, form: type[T], client: ResourceClient[T], selection: Selection) -> Informer[T]:
        key = (form, client.kind.gvr, client.namespace, selection)
        found = self._informers.get(key)
        if found is not None:
            return cast("Informer[T]", found)
        informer = Informer(client, selection, transform=self._transform)
        self._informers[key] = cast("Informer[ApiObject]", informer)
        if self._group is not None:
            self._group.create_task(informer.run())
        return informer
