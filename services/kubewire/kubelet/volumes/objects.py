"""ConfigMaps and Secrets that pods of this node name, each watched by itself while a pod names it.

A node may read just these objects and no others (that is what the node authorizer lets it), so there is a watch for
each, by name. What is marked immutable is watched no longer once it is known. An object is read from the server until
its watch has brought it, so that a pod that is new here starts with what was written last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta
from kubewire.client.client import Client
from kubewire.client.informer.informer import Handler, Informer
from kubewire.client.objects import ObjectKey
from kubewire.client.resources.options import Selection
from kubewire.kubelet.environment.named import CONFIG_MAP, SECRET
from kubewire.kubelet.volumes.references import references_of
from kubewire.machinery.errors import Reason, StatusError, not_found


class _HoldsData(Protocol):
    """A ConfigMap or a Secret."""

    @property
    def metadata(self) -> ObjectMeta: ...

    immutable: bool

    def SerializeToString(self, *, deterministic: bool = ...) -> bytes: ...  # noqa: N802 - protobuf's name


Kind = TypeVar("Kind", bound=_HoldsData)


class ReferencedObjects:
    """All of them (`contracts.Objects`); `changed` is told the uid of each pod whose object is another now."""

    def __init__(self, client: Client, changed: Callable[[str], None]) -> None:
        self._config_maps = _Watched(client, ConfigMap, changed)
        self._secrets = _Watched(client, Secret, changed)

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._config_maps.run())
            group.create_task(self._secrets.run())

    def hold(self, pod: Pod) -> None:
        """Watch what the pod names, as of this version of it."""
        namespace, named = pod.metadata.namespace, references_of(pod)
        for kind, watched in ((CONFIG_MAP, self._config_maps), (SECRET, self._secrets)):
            watched.hold(pod.metadata.uid, {ObjectKey(namespace, item.name) for item in named if item.kind == kind})

    def release(self, pod_uid: str) -> None:
        """Watch it no longer, unless other pods name it."""
        for watched in (self._config_maps, self._secrets):
            watched.hold(pod_uid, set())

    async def config_map(self, namespace: str, name: str) -> ConfigMap:
        """The ConfigMap; read-only.

        Raises:
            StatusError: NotFound and the other errors of the client.
        """
        return await self._config_maps.get(ObjectKey(namespace, name))

    async def secret(self, namespace: str, name: str) -> Secret:
        """Likewise."""
        return await self._secrets.get(ObjectKey(namespace, name))


class _Watch(Generic[Kind]):
    """One object.

    Attributes:
        pods: uids of those that name it.
        given: version that was handed out last; empty: that there is none; None: nobody has asked.
        final: the object, once it can change no more.
    """

    def __init__(self, informer: Informer[Kind]) -> None:
        self.informer: Final = informer
        self.pods: set[str] = set()
        self.task: asyncio.Task[None] | None = None
        self.given: str | None = None
        self.final: Kind | None = None

    @property
    def is_known(self) -> bool:
        """Whether the watch has the object as it is now, or that there is none."""
        return self.informer.has_synced and self.informer.failure is None


class _Watched(Generic[Kind]):
    """The objects of one kind."""

    def __init__(self, client: Client, kind: type[Kind], changed: Callable[[str], None]) -> None:
        self._client: Final = client
        self._resource = client.resource(kind)
        self._changed = changed
        self._watches: dict[ObjectKey, _Watch[Kind]] = {}
        self._keys: dict[str, set[ObjectKey]] = {}
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Own the watches until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                for watch in self._watches.values():
                    self._start(watch)
                await asyncio.get_running_loop().create_future()
            finally:
                self._group = None

    def hold(self, pod_uid: str, keys: set[ObjectKey]) -> None:
        """Have a pod hold just these."""
        before = self._keys.pop(pod_uid, set())
        if keys:
            self._keys[pod_uid] = keys
        for key in keys - before:
            self._watch(key).pods.add(pod_uid)
        for key in before - keys:
            self._let_go(key, pod_uid)

    async def get(self, key: ObjectKey) -> Kind:
        """The object as the watch knows it; from the server while it does not."""
        watch = self._watches.get(key)
        if watch is None:
            return await self._read(key)
        if watch.final is not None:
            return watch.final
        if not watch.is_known:
            found = await self._read_or_none(key)
            # The watch may have come first, and with more: what it has told since is told no more.
            if not watch.is_known:
                return self._hand_out(key, watch, found)
        return self._hand_out(key, watch, watch.informer.cache.get(key))

    def _hand_out(self, key: ObjectKey, watch: _Watch[Kind], found: Kind | None) -> Kind:
        watch.given = "" if found is None else found.metadata.resourceVersion
        if found is None:
            raise not_found(self._resource.kind.gvr.group_resource, key.name)
        return found

    async def _read(self, key: ObjectKey) -> Kind:
        return await self._resource.in_namespace(key.namespace).get(key.name)

    async def _read_or_none(self, key: ObjectKey) -> Kind | None:
        try:
            return await self._read(key)
        except StatusError as error:
            if error.reason == Reason.NOT_FOUND:
                return None
            raise

    def _watch(self, key: ObjectKey) -> _Watch[Kind]:
        watch = self._watches.get(key)
        if watch is None:
            selection = Selection(field_selector=f"metadata.name={key.name}")
            informer = Informer(self._resource.in_namespace(key.namespace), selection)
            watch = self._watches[key] = _Watch(informer)
            informer.add_handler(
                Handler(
                    added=lambda obj: self._arrived(watch, obj),
                    updated=lambda _, obj: self._arrived(watch, obj),
                    deleted=lambda _: self._tell(watch, ""),
                )
            )
            self._start(watch)
        return watch

    def _start(self, watch: _Watch[Kind]) -> None:
        if self._group is not None and watch.final is None:
            watch.task = self._group.create_task(watch.informer.run())

    def _let_go(self, key: ObjectKey, pod_uid: str) -> None:
        watch = self._watches[key]
        watch.pods.discard(pod_uid)
        if not watch.pods:
            del self._watches[key]
            if watch.task is not None:
                watch.task.cancel()

    def _arrived(self, watch: _Watch[Kind], obj: Kind) -> None:
        if obj.immutable:
            watch.final = obj
            if watch.task is not None:
                watch.task.cancel()
        self._tell(watch, obj.metadata.resourceVersion)

    def _tell(self, watch: _Watch[Kind], version: str) -> None:
        """Tell the pods, if they were given another version."""
        if watch.given is None or watch.given == version:
            return
        for pod_uid in watch.pods:
            self._changed(pod_uid)
