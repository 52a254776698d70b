"""A whole REST face over a real etcd, in this process: store, cache, registry, server, without TLS on a free port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from kubewire.apiserver.auth.authentication import Authentication
from kubewire.apiserver.auth.authorization import Authorization, allow_masters
from kubewire.apiserver.auth.tokens import TokenAuthenticator, parse_token_file
from kubewire.apiserver.bootstrap.rbac import rbac_objects
from kubewire.apiserver.cache.watch_cache import WatchCache
from kubewire.apiserver.etcd.client import EtcdClient
from kubewire.apiserver.etcd.options import EtcdOptions
from kubewire.apiserver.metrics import ApiServerMetrics
from kubewire.apiserver.rbac.authorizer import RbacAuthorizer
from kubewire.apiserver.rbac.index import RbacIndex
from kubewire.apiserver.registry.core import Core as RegistryCore
from kubewire.apiserver.registry.kinds import Kinds, cached_kinds
from kubewire.apiserver.registry.objects import Registry
from kubewire.apiserver.rest.server import Core, RestServer
from kubewire.apiserver.rest.settings import RestListener, RestSettings
from kubewire.apiserver.reviews.answers import Judges
from kubewire.apiserver.reviews.objects import ReviewingObjects
from kubewire.apiserver.storage.etcd_store import EtcdStore
from kubewire.component.health import Health
from kubewire.component.metrics.registry import Registry as MetricRegistry
from kubewire.machinery.resources import builtin

TOKENS = """
admin-token,admin,1,"system:masters"
other-token,other,2
"""
ADMIN = {"Authorization": "Bearer admin-token"}


class RestStack:
    """A running server, and a session that talks to it as the admin."""

    def __init__(
        self, server: RestServer, store: EtcdStore, health: Health, port: int, session: aiohttp.ClientSession
    ) -> None:
        self.server = server
        self.store = store
        self.health = health
        self.port = port
        self.session = session


@asynccontextmanager
async def rest_stack(etcd: str, settings: RestSettings | None = None) -> AsyncIterator[RestStack]:
    """Start everything over the etcd at this endpoint, and end it."""
    table = builtin()
    metrics = ApiServerMetrics(MetricRegistry())
    health = Health()
    client = EtcdClient(EtcdOptions(endpoints=(f"http://{etcd}",)))
    store = EtcdStore(client)
    cache = WatchCache(store, cached_kinds(table), metrics)
    authorization = Authorization((allow_masters, RbacAuthorizer(RbacIndex(rbac_objects))))
    authentication = Authentication([TokenAuthenticator(parse_token_file(TOKENS))])
    registry = Registry(RegistryCore(store, cache, Kinds(table), authorization))
    objects = ReviewingObjects(registry, Judges(authentication, authorization))
    core = Core(objects, authentication, authorization, health, metrics)
    server = RestServer(core, table.served(), settings or RestSettings("127.0.0.1:6443"))
    try:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(cache.run())]
            await cache.wait_synced()
            (port,) = await server.start([RestListener("127.0.0.1", 0)])
            running.append(group.create_task(server.run()))
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=ADMIN) as session:
                yield RestStack(server, store, health, port, session)
            await server.stop(grace_seconds=1.0)
            for task in running:
                task.cancel()
    finally:
        await client.close()
