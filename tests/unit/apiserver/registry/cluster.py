"""A registry over a store in memory, and short ways to ask it in JSON."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

from kubewire.apiserver.auth.authentication import as_member
from kubewire.apiserver.cache.watch_cache import WatchCache
from kubewire.apiserver.contracts import Body, Call, Encoding, Identity, Patch, PatchType, Written
from kubewire.apiserver.item import Item
from kubewire.apiserver.metrics import ApiServerMetrics
from kubewire.apiserver.options import DeleteOptions, GetOptions, WriteOptions
from kubewire.apiserver.registry.builder import build_objects
from kubewire.apiserver.registry.core import Core
from kubewire.apiserver.registry.kinds import Kinds, cached_kinds
from kubewire.apiserver.registry.objects import Registry
from kubewire.apiserver.storage.memory import MemoryStore
from kubewire.apiserver.storage.store import Store
from kubewire.component.metrics.registry import Registry as MetricRegistry
from kubewire.machinery.codec.encode import encode_raw
from kubewire.machinery.errors import StatusError
from kubewire.machinery.resources import Resource, builtin

ADMIN = as_member("admin", groups=["system:masters"])
TABLE = builtin()
Json: TypeAlias = Mapping[str, object]
"""What a test writes down as an object."""

PLAIN = WriteOptions()
AT_ONCE = DeleteOptions()
START_SECONDS = 1_800_000_000


def resource(name: str) -> Resource:
    """A resource by its name: `pods`, `deployments.apps`, `events.events.k8s.io`; in the version that is preferred."""
    plural, _, group = name.partition(".")
    return next(one for one in TABLE.served() if (one.plural, one.group) == (plural, group) and one.preferred)


def to_json(item: Item, message: str = "", kind: str = "") -> dict[str, Any]:
    """An item as clients see it; `message` where it is no object of its resource."""
    gvk = item.resource.gvk
    found: dict[str, Any] = json.loads(encode_raw(item.raw, message or item.resource.message, gvk))
    return found


@dataclass
class Cluster:
    """A registry, its store, and what callers send."""

    core: Core
    objects: Registry
    store: Store

    def call(
        self, name: str, path: str = "", identity: Identity = ADMIN, user_agent: str = "kubectl/v1 (test)"
    ) -> Call:
        """A call about `pods`, `pods/status` ...; the path is `namespace/name`, `namespace/` or `name`."""
        plural, _, subresource = name.partition("/")
        kind = resource(plural)
        namespace, _, obj = path.rpartition("/")
        return Call(identity, kind, namespace, obj, subresource, user_agent, received_seconds=self.core.clock())

    async def create(self, name: str, path: str, obj: Json, options: WriteOptions = PLAIN) -> dict[str, Any]:
        """Create an object; the path ends in a slash for namespaced kinds."""
        written = await self.objects.create(self.call(name, path), body(obj), options)
        return to_json(written.item)

    async def get(self, name: str, path: str) -> dict[str, Any]:
        """Read an object, linearizably."""
        return to_json(await self.objects.get(self.call(name, path), GetOptions()))

    async def update(self, name: str, path: str, obj: Json, options: WriteOptions = PLAIN) -> dict[str, Any]:
        """Replace an object, or a part of it."""
        return to_json((await self.write(name, path, obj, options)).item)

    async def write(self, name: str, path: str, obj: Json, options: WriteOptions = PLAIN) -> Written:
        """As `update`, with what else is answered."""
        return await self.objects.update(self.call(name, path), body(obj), options)

    async def patch(
        self, name: str, path: str, patch: object, kind: PatchType = PatchType.MERGE, options: WriteOptions = PLAIN
    ) -> dict[str, Any]:
        """Patch an object, or a part of it."""
        sent = Patch(kind, json.dumps(patch).encode())
        return to_json((await self.objects.patch(self.call(name, path), sent, options)).item)

    async def delete(self, name: str, path: str, options: DeleteOptions = AT_ONCE) -> bool:
        """Delete an object; whether it is gone."""
        return (await self.objects.delete(self.call(name, path), options)).is_gone

    async def exists(self, name: str, path: str) -> bool:
        """Whether the store has the object."""
        call = self.call(name, path)
        kind = self.core.kinds.of(call.resource)
        return await self.store.get(kind.key(call.namespace, call.name)) is not None


def body(obj: Json) -> Body:
    """An object as kubectl sends it."""
    return Body(json.dumps(obj).encode(), Encoding.JSON)


@asynccontextmanager
async def running(store: Store | None = None) -> AsyncIterator[Cluster]:
    """A registry whose cache follows the store."""
    store = store or MemoryStore()
    loop = asyncio.get_running_loop()
    cache = WatchCache(store, cached_kinds(TABLE), ApiServerMetrics(MetricRegistry()))
    core = Core(store, cache, Kinds(TABLE), clock=lambda: START_SECONDS + loop.time(), random=Random(1))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(cache.run())
        await cache.wait_synced()
        cluster = Cluster(core, build_objects(core), store)
        for name in ("default", "kube-system"):
            with suppress(StatusError):  # of several registries over one store, one is first
                await cluster.create("namespaces", "", {"metadata": {"name": name}})
        try:
            yield cluster
        finally:
            task.cancel()
