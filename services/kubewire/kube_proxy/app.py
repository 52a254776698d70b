"""kube-proxy put together: the only place that knows all of its parts.

It is a value with `run`, hosted by its own process (`main.py`) or by another's that also runs other components; the
transport is its owner's. What it programs belongs to the network namespace it runs in, and outlives it: a proxy that
ends leaves its rules to work on, and the next one takes them over.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice
from kubewire.client.client import Client
from kubewire.client.informer.informer import Informer, drop_managed_fields
from kubewire.client.informer.shared import SharedInformers
from kubewire.client.objects import ObjectKey
from kubewire.client.resources.options import Selection
from kubewire.client.transport.transport import Transport
from kubewire.component.grpc.server import ComponentServer
from kubewire.component.health import REFRESH_SECONDS, Health
from kubewire.component.lifecycle import Part, Stage, Started, Supervisor
from kubewire.component.log import Logger
from kubewire.component.metrics.build import add_build_info
from kubewire.component.metrics.process import add_process_metrics
from kubewire.component.metrics.registry import Registry
from kubewire.component.probes import Answer, PageServer, ProbeServer
from kubewire.component.watchdog import Watchdog
from kubewire.kube_proxy.config import KubeProxyConfig
from kubewire.kube_proxy.cycle.board import Board
from kubewire.kube_proxy.cycle.loop import Loop, Times
from kubewire.kube_proxy.desired.model import Otherwise, Scope
from kubewire.kube_proxy.desired.services import OUR_SLICES, OURS, Settings
from kubewire.kube_proxy.errors import AddressNotListenedOn
from kubewire.kube_proxy.health.node_health import NodeHealth
from kubewire.kube_proxy.health.ports import HealthzServer, ServicePorts
from kubewire.kube_proxy.metrics import KubeProxyMetrics
from kubewire.kube_proxy.rpc.service import KubeProxyService
from kubewire.kube_proxy.table import Edge, open_edge

_LOG: Final = Logger("kube_proxy")
_GRACE_SECONDS: Final = 1.0


class Addresses(NamedTuple):
    """Where it listens, `host:port`."""

    grpc: str = ""
    metrics: str = ""
    healthz: str = ""


class KubeProxy:
    """One kube-proxy. Make it inside a running loop, and run it once.

    Attributes:
        addresses: where it listens, once it is up.
        health: its checks.
        mode: where rules are programmed.
        node_name: the node it runs on.
        loop: what programs; None before it starts.
    """

    def __init__(
        self,
        config: KubeProxyConfig,
        transport: Transport,
        *,
        edge: Callable[[KubeProxyConfig], Edge] = open_edge,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Build every part; nothing runs, nothing is asked and nothing is opened yet. `edge` opens what it acts on."""
        self._config = config
        self._open_edge = edge
        self._clock = asyncio.get_running_loop().time
        self._wall_clock = wall_clock
        self._registry = Registry()
        add_process_metrics(self._registry)
        add_build_info(self._registry)
        self._metrics = KubeProxyMetrics(self._registry, wall_clock)
        self._metrics.observe_missing(self._missing_locally)
        self.addresses = Addresses()
        self.health: Final = Health()
        self.mode: Final = config.mode
        self.node_name: Final = config.node
        self.loop: Loop | None = None
        self._informers = SharedInformers(Client(transport), transform=drop_managed_fields)
        services = self._informers.informer(Service, Selection(label_selector=OURS))
        slices = self._informers.informer(EndpointSlice, Selection(label_selector=OUR_SLICES))
        self._nodes: Informer[Node] = self._informers.informer(
            Node, Selection(field_selector=f"metadata.name={self.node_name}")
        )
        self._synced = (services, slices)
        self._board = Board(services, slices, self._metrics, clock=self._clock, wall_clock=wall_clock)
        self._node_health = NodeHealth(
            lambda: self.loop, self._node, config.unhealthy_seconds, clock=self._clock, wall_clock=wall_clock
        )
        self._service_ports = ServicePorts(self._node_health, config.healthz_bind_address)
        self._checks_changed = asyncio.Event()
        self.health.add_readiness("informer-sync", self._sync_problem)
        self.health.add_readiness("programmed", self._node_health.problem)

    async def run(self, stop: asyncio.Event, on_up: Callable[[], None] = lambda: None) -> None:
        """Program rules until `stop` is set; `on_up` is called when all parts run. Rules stay when it ends.

        Raises:
            ExceptionGroup: a part failed; StartErrors within it say that it could not start.
        """

        def up() -> None:
            self.health.refresh()
            _LOG.info("ready", node=self.node_name, mode=self.mode, **self.addresses._asdict())
            on_up()

        await Supervisor(self._stages()).run(stop, on_up=up, on_stop=self.health.stop)
        _LOG.info("stopped")

    async def run_rules(self, started: Started) -> None:
        """Watch, decide and program."""
        config = self._config
        edge = self._open_edge(config)
        times = Times(
            min_sync_seconds=config.min_sync_seconds,
            check_seconds=config.check_seconds,
            clock=self._clock,
            wall_clock=self._wall_clock,
        )
        settings = Settings(self.node_name, masquerade_all=config.masquerade_all)
        loop = Loop(self._board, edge, settings, self._metrics, times)
        started()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._informers.run())
                for informer in self._synced:
                    await informer.wait_synced()
                self.loop = loop
                await loop.run(self._synced_once_more)
        finally:
            edge.close()

    async def run_service_ports(self, started: Started) -> None:
        """Answer load balancers that ask for one Service."""
        started()
        try:
            while True:
                await self._checks_changed.wait()
                self._checks_changed.clear()
                if self.loop is not None:
                    await self._service_ports.serve(self.loop.desired.health_checks.values())
        finally:
            self._service_ports.close()

    async def run_rpc(self, started: Started) -> None:
        """Serve gRPC."""
        server = ComponentServer(KubeProxyService(self), self.health)
        address = f"{self._config.bind_address}:{self._config.grpc_port}"
        try:
            port = await server.start(address)
        except OSError as error:
            raise AddressNotListenedOn(str(error)) from None
        self.addresses = self.addresses._replace(grpc=f"{self._config.bind_address}:{port}")
        started()
        try:
            await asyncio.Event().wait()
        finally:
            # A second cancellation must not cut the draining short.
            await asyncio.shield(server.stop(_GRACE_SECONDS))

    async def run_probes(self, started: Started) -> None:
        """Serve metrics and health over HTTP."""
        probes = ProbeServer(self.health, self._registry)
        mode = Answer(200, self.mode.encode())
        server = PageServer(lambda method, path: mode if path == "/proxyMode" else probes.answer(method, path))
        host = self._config.metrics_bind_address or self._config.bind_address
        address = await _listen(server, host, self._config.metrics_port)
        self.addresses = self.addresses._replace(metrics=address)
        started()
        await server.run()

    async def run_healthz(self, started: Started) -> None:
        """Answer load balancers that ask for the node."""
        server = HealthzServer(self._node_health, self._metrics)
        address = await _listen(server, self._config.healthz_bind_address, self._config.healthz_port)
        self.addresses = self.addresses._replace(healthz=address)
        started()
        await server.run()

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

    def _stages(self) -> tuple[Stage, ...]:
        """The faces first, so that health can be asked while caches fill."""
        faces = (Part("rpc", self.run_rpc), Part("probes", self.run_probes), Part("healthz", self.run_healthz))
        work = (Part("rules", self.run_rules), Part("service_ports", self.run_service_ports))
        return (
            Stage("faces", faces),
            Stage("work", work),
            Stage("upkeep", (Part("health", self.run_health), Part("watchdog", self.run_watchdog))),
        )

    def _synced_once_more(self) -> None:
        """After every round that succeeded."""
        self._checks_changed.set()
        self.health.refresh()

    def _sync_problem(self) -> str:
        missing = [str(informer.kind) for informer in self._synced if not informer.has_synced]
        return f"waiting for {', '.join(missing)}" if missing else ""

    def _node(self) -> Node | None:
        return self._nodes.cache.get(ObjectKey("", self.node_name))

    def _missing_locally(self) -> Iterable[tuple[tuple[str, ...], float]]:
        """Frontends that drop what comes, by the traffic policy that makes them."""
        count = Counter[str]()
        for rule in self.loop.desired.rules.values() if self.loop is not None else ():
            if rule.otherwise is Otherwise.DROP and rule.frontend.scope is Scope.ANY:
                count["internal" if rule.is_cluster_ip else "external"] += 1
        return [((policy,), float(count[policy])) for policy in ("internal", "external")]


async def _listen(server: PageServer, host: str, port: int) -> str:
    try:
        return f"{host}:{await server.start(host, port)}"
    except OSError as error:
        raise AddressNotListenedOn(str(error)) from None
