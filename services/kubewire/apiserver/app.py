"""The API server put together: the only place that knows all of its parts.

It is a value with `run`, hosted by its own process (`main.py`) or by another's that also runs other components. Once
it is up, `dispatcher` serves clients in the same process.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from kubewire.apiserver import table
from kubewire.apiserver.admission.table import Admission
from kubewire.apiserver.auth.account_authentication import AccountAuthenticator
from kubewire.apiserver.auth.authorization import Authorization, allow_masters
from kubewire.apiserver.bootstrap.creator import create_missing
from kubewire.apiserver.bootstrap.objects import Endpoint, background, wanted
from kubewire.apiserver.cache.compactor import Compactor
from kubewire.apiserver.cache.watch_cache import WatchCache
from kubewire.apiserver.credentials import (
    advertised_address,
    authentication,
    cluster_tokens,
    kubelet_credentials,
    server_credentials,
    tls_context,
)
from kubewire.apiserver.errors import AddressNotListenedOn
from kubewire.apiserver.etcd.client import EtcdClient
from kubewire.apiserver.etcd.options import EtcdOptions
from kubewire.apiserver.metrics import ApiServerMetrics
from kubewire.apiserver.nodes.authorizer import NODE_ROLE, NodeAuthorizer
from kubewire.apiserver.nodes.pods import NodePods
from kubewire.apiserver.rbac.authorizer import RbacAuthorizer
from kubewire.apiserver.rbac.escalation import GROUP as RBAC_GROUP
from kubewire.apiserver.rbac.escalation import Escalation
from kubewire.apiserver.rbac.index import KINDS as RBAC_KINDS
from kubewire.apiserver.rbac.index import RbacIndex
from kubewire.apiserver.record.ring import WriteRing
from kubewire.apiserver.registry.accounts import PLUGIN as ACCOUNT_PLUGIN
from kubewire.apiserver.registry.accounts import PodAccounts
from kubewire.apiserver.registry.builder import build_objects
from kubewire.apiserver.registry.core import Core
from kubewire.apiserver.registry.kinds import Kinds, cached_kinds
from kubewire.apiserver.registry.limits import InFlight
from kubewire.apiserver.reviews.answers import Judges
from kubewire.apiserver.reviews.objects import ReviewingObjects
from kubewire.apiserver.rpc.dispatcher import Dispatcher
from kubewire.apiserver.rpc.server import RpcServer
from kubewire.apiserver.rpc.streaming import StreamHandlers
from kubewire.apiserver.rpc.writes import Writes
from kubewire.apiserver.storage.etcd_store import EtcdStore
from kubewire.apiserver.storage.measured import MeasuredStore
from kubewire.apiserver.store_probe import StoreProbe, watch_size
from kubewire.apiserver.streams.kubelets import Kubelets
from kubewire.apiserver.streams.pod_streams import PodStreams
from kubewire.component.grpc.listener import Listener, ServerIdentity
from kubewire.component.grpc.options import ServerOptions
from kubewire.component.health import REFRESH_SECONDS, Health
from kubewire.component.lifecycle import Started, Supervisor, settle_memory
from kubewire.component.log import Logger
from kubewire.component.metrics.build import add_build_info
from kubewire.component.metrics.process import add_process_metrics
from kubewire.component.metrics.registry import Registry as MetricRegistry
from kubewire.component.tls.late_authorities import late_authorities
from kubewire.component.watchdog import Watchdog
from kubewire.machinery import resources

with late_authorities():
    # The first import of aiohttp: as a server it needs no authorities, and reading them would double the time.
    from kubewire.apiserver.rest.server import Core as RestCore
    from kubewire.apiserver.rest.server import RestServer
    from kubewire.apiserver.rest.settings import RestListener, RestSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator

    from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta
    from kubewire.apiserver.bootstrap.rbac import RbacObject
    from kubewire.apiserver.config import ApiServerConfig
    from kubewire.apiserver.credentials import ServerCredentials
    from kubewire.apiserver.item import Item

_LOG: Final = Logger("apiserver")
_LOOPBACK: Final = "127.0.0.1"
_SETTLE_SECONDS: Final = 1.0


class Addresses(NamedTuple):
    """Where a server listens, `host:port`; empty where a listener is off."""

    rest: str = ""
    grpc: str = ""
    grpc_client_certificate: str = ""
    insecure_grpc: str = ""


class ApiServer:
    """One API server. Make it inside a running loop, and run it once.

    Attributes:
        dispatcher: serves gRPC's methods to clients in this process; use it once the server is up.
        addresses: where it listens, once it is up.
        health: its checks.
    """

    def __init__(self, config: ApiServerConfig) -> None:
        """Build every part; nothing runs and nothing is asked yet.

        Raises:
            StartError: certificates, tokens or addresses cannot be used.
        """
        self._config = config
        self._credentials = server_credentials(config)
        self._tokens = cluster_tokens(config)
        roles = RbacIndex(_default_roles)
        rbac = RbacAuthorizer(roles)
        pods = NodePods(self._find)
        nodes = NodeAuthorizer(pods, self._find, lambda: rbac.role_rules(NODE_ROLE) or ())
        self._authorization = Authorization((allow_masters, nodes, rbac))
        self._resources = resources.builtin()
        self._registry = MetricRegistry()
        add_process_metrics(self._registry)
        add_build_info(self._registry)
        self._metrics = ApiServerMetrics(self._registry)
        self.health: Final = Health()
        self._client = EtcdClient(_etcd_options(config))
        self._store = MeasuredStore(EtcdStore(self._client), self._metrics.store, self._resources.all)
        self._probe = StoreProbe(self._store)
        self._cache = WatchCache(self._store, cached_kinds(self._resources), self._metrics)
        self._core = Core(
            self._store,
            self._cache,
            Kinds(self._resources),
            self._authorization,
            WriteRing(),
            reads=InFlight(config.max_requests_inflight),
            writes=InFlight(config.max_mutating_requests_inflight),
            accounts=None if ACCOUNT_PLUGIN in config.disable_admission_plugins else PodAccounts(),
            escalation=Escalation(self._authorization, rbac),
            issuer=self._tokens,
            admission=Admission(config.disable_admission_plugins),
        )
        for kind, plural in RBAC_KINDS.items():
            self._cache.follow(self._core.kinds.named(RBAC_GROUP, "v1", plural).kept, roles.follower(kind))
        self._cache.follow(self._core.kinds.named("", "v1", "pods").kept, pods)
        accounts = AccountAuthenticator(self._tokens.reader, self._tokens.audiences, self._metadata_of)
        self._authentication = authentication(config, accounts)
        self._objects = ReviewingObjects(
            build_objects(self._core, config.service_cluster_ip_range),
            Judges(self._authentication, self._authorization, rbac),
        )
        self._kubelets = Kubelets(kubelet_credentials(config))
        self._streams = PodStreams(self._core, self._core.kinds.named("", "v1", "nodes").resource, self._kubelets)
        writes = Writes(self._core.ring, self._authorization)
        self.dispatcher: Final = Dispatcher(self._objects, writes, self._resources, self._metrics)
        self.addresses = Addresses()
        self._add_checks()

    async def run(self, stop: asyncio.Event, on_up: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop` is set; `on_up` is called when the server is ready.

        Raises:
            ExceptionGroup: a part failed; StartErrors within it say that the server could not start.
        """

        def up() -> None:
            # After the first calls, which wait for it.
            asyncio.get_running_loop().call_later(_SETTLE_SECONDS, settle_memory)
            self.health.refresh()
            _LOG.info("ready", **self.addresses._asdict())
            on_up()

        try:
            await Supervisor(table.stages(self)).run(stop, on_up=up, on_stop=self.health.stop)
        finally:
            await self._kubelets.close()
        _LOG.info("stopped")

    async def run_store(self, started: Started) -> None:
        """Wait for etcd, then watch over it."""
        try:
            await self._probe.wait(self._config.etcd_wait_seconds, ", ".join(self._config.etcd_servers))
            started()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._probe.run())
                group.create_task(watch_size(self._client, self._metrics.store))
        finally:
            await self._client.close()

    async def run_cache(self, started: Started) -> None:
        """Fill the cache and keep it up."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._cache.run())
            await self._cache.wait_synced()
            started()

    async def run_bootstrap(self, started: Started) -> None:
        """Create what has to be there."""
        endpoint = Endpoint(advertised_address(self._config), self._config.secure_port)
        await create_missing(self._objects, self._resources, wanted(self._config.service_cluster_ip_range, endpoint))
        started()

    async def run_rpc(self, started: Started) -> None:
        """Serve gRPC."""
        pods = self._core.kinds.named("", "v1", "pods").resource
        streams = StreamHandlers(self._streams, pods, self._authentication, self._metrics.requests)
        server = RpcServer(self.dispatcher, self._authentication, self.health, ServerOptions(), streams)
        listeners = _listeners(self._config, self._credentials)
        with _listening():
            ports = await server.start(list(listeners.values()))
        bound = {
            name: f"{listener.address.rpartition(':')[0]}:{port}"
            for (name, listener), port in zip(listeners.items(), ports, strict=True)
            if name in Addresses._fields
        }
        self.addresses = self.addresses._replace(**bound)
        started()
        await self._serve_until_cancelled(lambda: server.stop(self._config.shutdown_grace_seconds))

    async def run_rest(self, started: Started) -> None:
        """Serve REST."""
        config = self._config
        settings = RestSettings(server_address=f"{advertised_address(config)}:{config.secure_port}")
        core = RestCore(
            self._objects,
            self._authentication,
            self._authorization,
            self.health,
            self._metrics,
            self._tokens,
            self._streams,
        )
        server = RestServer(core, self._resources.served(), settings)
        tls = tls_context(self._credentials)
        hosts = (config.bind_address, *config.more_bind_addresses)
        with _listening():
            port, *_ = await server.start([RestListener(host, config.secure_port, tls) for host in hosts])
        self.addresses = self.addresses._replace(rest=f"{config.bind_address}:{port}")
        async with asyncio.TaskGroup() as group:
            group.create_task(server.run())
            started()
            await self._serve_until_cancelled(lambda: server.stop(config.shutdown_grace_seconds))

    async def run_compactor(self, started: Started) -> None:
        """Let etcd forget old history."""
        started()
        await Compactor(self._store, self._config.compaction_interval_seconds).run()

    async def run_roles(self, started: Started) -> None:
        """Create default roles and what else can wait; the server is up without them."""
        started()
        await create_missing(self._objects, self._resources, background(self._config.service_cluster_ip_range))

    async def run_health(self, started: Started) -> None:
        """Notice when readiness turns."""
        started()
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            self.health.refresh()

    async def run_watchdog(self, started: Started) -> None:
        """Watch the event loop."""
        started()
        await Watchdog(self._registry).run()

    async def _serve_until_cancelled(self, stop: Callable[[], Coroutine[None, None, None]]) -> None:
        """Wait to be cancelled; then, still serving for the delay, let clients notice, and stop gracefully."""
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(self._config.shutdown_delay_seconds)
            # A second cancellation must not cut the draining short.
            await asyncio.shield(stop())

    def _find(self, plural: str, namespace: str, name: str) -> Item | None:
        """An object of the core group, as the cache has it."""
        return self._cache.of(self._core.kinds.named("", "v1", plural).kept).peek(namespace, name)

    def _metadata_of(self, plural: str, namespace: str, name: str) -> ObjectMeta | None:
        found = self._find(plural, namespace, name)
        return None if found is None else found.metadata

    def _add_checks(self) -> None:
        self.health.add_readiness("etcd", self._probe.problem)
        self.health.add_readiness("informer-sync", lambda: "" if self._cache.is_synced else "the cache is not filled")


@contextmanager
def _listening() -> Iterator[None]:
    """An address that cannot be listened on is a mistake in how the server was started."""
    try:
        yield
    except OSError as error:
        raise AddressNotListenedOn(str(error)) from None


def _default_roles() -> Iterable[RbacObject]:
    from kubewire.apiserver.bootstrap.rbac import rbac_objects  # noqa: PLC0415 - not before the server is up

    return rbac_objects()


def _etcd_options(config: ApiServerConfig) -> EtcdOptions:
    return EtcdOptions(
        endpoints=config.etcd_servers,
        ca_file=config.etcd_cafile,
        certificate_file=config.etcd_certfile,
        key_file=config.etcd_keyfile,
    )


def _listeners(config: ApiServerConfig, credentials: ServerCredentials) -> dict[str, Listener]:
    """gRPC's listeners by the names they have in `Addresses`; those on further addresses are not in it."""
    identity = ServerIdentity(credentials.certificate, credentials.key)
    found = {"grpc": Listener(f"{config.bind_address}:{config.grpc_port}", identity)}
    for address in config.more_bind_addresses:
        found[f"grpc on {address}"] = Listener(f"{address}:{config.grpc_port}", identity)
    if config.grpc_client_certificate_port >= 0:
        known = identity._replace(client_ca=credentials.client_ca)
        address = f"{config.bind_address}:{config.grpc_client_certificate_port}"
        found["grpc_client_certificate"] = Listener(address, known)
    if config.insecure_grpc:
        found["insecure_grpc"] = Listener(f"{_LOOPBACK}:{config.insecure_grpc_port}")
    return found
