"""The controller-manager put together: the only place that knows all of its parts.

It is a value with `run`, hosted by its own process (`main.py`) or by another's that also runs other components; the
transport is its owner's. What leads lives for one term: caches, queues and controllers are made when the lead is won
and end before anybody else can have it, and all that they send is fenced by the term.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.client.client import Client
from kubewire.client.events.recorder import EventRecorder
from kubewire.client.informer.informer import drop_managed_fields
from kubewire.client.informer.shared import SharedInformers
from kubewire.client.leader_election.config import ElectionConfig
from kubewire.client.leader_election.elector import LeaderElector, LeadershipLost, Surroundings
from kubewire.client.leader_election.leadership import Leadership, NotLeading
from kubewire.client.transport.transport import Transport
from kubewire.component.errors import ConfigError
from kubewire.component.grpc.server import ComponentServer
from kubewire.component.health import REFRESH_SECONDS, Health
from kubewire.component.lifecycle import Started, Supervisor
from kubewire.component.log import Logger
from kubewire.component.metrics.build import add_build_info
from kubewire.component.metrics.process import add_process_metrics
from kubewire.component.metrics.registry import Registry
from kubewire.component.probes import ProbeServer
from kubewire.component.watchdog import Watchdog
from kubewire.controller_manager import table
from kubewire.controller_manager.config import ControllerManagerConfig
from kubewire.controller_manager.context import Context, Loops
from kubewire.controller_manager.errors import AddressNotListenedOn
from kubewire.controller_manager.metrics import ControllerManagerMetrics
from kubewire.controller_manager.rpc.service import ControllerManagerService

_LOG: Final = Logger("controller_manager")
_COMPONENT: Final = "controller-manager"
_GRACE_SECONDS: Final = 1.0


class Addresses(NamedTuple):
    """Where it listens, `host:port`."""

    grpc: str = ""
    metrics: str = ""


class ControllerManager:
    """One controller-manager. Make it inside a running loop, and run it once.

    Attributes:
        addresses: where it listens, once it is up.
        health: its checks.
        identity: who it is among candidates.
        elector: runs for the lead, and knows who has it.
        working: the controllers at work by name; empty while it does not lead.
    """

    def __init__(self, config: ControllerManagerConfig, transport: Transport) -> None:
        """Build every part; nothing runs and nothing is asked yet.

        Raises:
            ConfigError: times of the election do not fit together, or a file cannot be read.
        """
        self._config = config
        self._transport = transport
        self._registry = Registry()
        add_process_metrics(self._registry)
        add_build_info(self._registry)
        self._metrics = ControllerManagerMetrics(self._registry)
        self._root_ca = _root_ca(config)
        self._informers: SharedInformers | None = None
        self.addresses = Addresses()
        self.health: Final = Health()
        self.identity: Final = f"{socket.gethostname()}_{os.getpid()}_{secrets.token_hex(4)}"
        self.working: dict[str, Loops] = {}
        client = Client(transport)
        self._recorder = EventRecorder(client, _COMPONENT, socket.gethostname())
        leases = client.resource(Lease, namespace=config.leader_elect_resource_namespace)
        around = Surroundings(clock=asyncio.get_running_loop().time, metrics=self._metrics.election)
        self.elector: Final = LeaderElector(
            leases, config.leader_elect_resource_name, self.identity, _election(config), around
        )
        self.health.add_readiness("informer-sync", self._sync_problem)

    async def run(self, stop: asyncio.Event, on_up: Callable[[], None] = lambda: None) -> None:
        """Work, or wait for the lead, until `stop` is set; `on_up` is called when all parts run.

        Raises:
            ExceptionGroup: a part failed; StartErrors within it say that it could not start.
        """

        def up() -> None:
            self.health.refresh()
            _LOG.info("ready", identity=self.identity, **self.addresses._asdict())
            on_up()

        await Supervisor(table.stages(self)).run(stop, on_up=up, on_stop=self.health.stop)
        _LOG.info("stopped")

    async def run_election(self, started: Started) -> None:
        """Run for the lead, and work while leading, again and again."""
        started()
        while True:
            try:
                await self.elector.run(self._lead)
            except* (LeadershipLost, NotLeading) as lost:
                _LOG.warning("the lead is lost, running for it again", reason=_first(lost))

    async def run_events(self, started: Started) -> None:
        """Write Events."""
        started()
        await self._recorder.run()

    async def run_rpc(self, started: Started) -> None:
        """Serve gRPC."""
        server = ComponentServer(ControllerManagerService(self), self.health)
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
        server = ProbeServer(self.health, self._registry)
        try:
            port = await server.start(self._config.bind_address, self._config.metrics_port)
        except OSError as error:
            raise AddressNotListenedOn(str(error)) from None
        self.addresses = self.addresses._replace(metrics=f"{self._config.bind_address}:{port}")
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

    async def _lead(self, leadership: Leadership) -> None:
        """One term: everything is made anew, and ends with it."""
        client = Client(leadership.fence(self._transport))
        informers = SharedInformers(client, transform=drop_managed_fields)
        context = Context(client, informers, self._recorder, self._config, self._metrics, self._root_ca)
        self._informers = informers
        try:
            async with asyncio.TaskGroup() as group:
                for entry in self.wanted():
                    loops = self.working[entry.name] = entry.make(context)
                    self._metrics.runs(entry.name, is_running=True)
                    group.create_task(loops.run(), name=entry.name)
                group.create_task(informers.run(), name="informers")
        finally:
            for name in self.working:
                self._metrics.runs(name, is_running=False)
            self.working.clear()
            self._informers = None

    @property
    def leader(self) -> str:
        """Who leads, as last seen."""
        return self.elector.holder

    @property
    def lease(self) -> str:
        """`namespace/name` of the Lease."""
        return f"{self._config.leader_elect_resource_namespace}/{self._config.leader_elect_resource_name}"

    def wanted(self) -> Sequence[table.Entry]:
        """The controllers the configuration asks for, in the order of the table."""
        return [entry for entry in table.CONTROLLERS if self._config.runs(entry.name)]

    def _sync_problem(self) -> str:
        """A standby is ready as it is; a leader when its caches are filled."""
        informers = self._informers.informers if self._informers is not None else ()
        missing = [str(informer.kind) for informer in informers if not informer.has_synced]
        return f"waiting for {', '.join(missing)}" if missing else ""


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """One of the failures, which all have the same cause."""
    failure = failures.exceptions[0]
    return _first(failure) if isinstance(failure, BaseExceptionGroup) else failure


def _root_ca(config: ControllerManagerConfig) -> str:
    path = config.root_ca_file or config.ca_file
    try:
        return path.read_text(encoding="ascii") if path is not None else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"root_ca_file: {path} cannot be read: {error}") from None


def _election(config: ControllerManagerConfig) -> ElectionConfig:
    try:
        return ElectionConfig(
            config.leader_elect_lease_seconds,
            config.leader_elect_renew_deadline_seconds,
            config.leader_elect_retry_seconds,
        )
    except ValueError as error:
        raise ConfigError(f"leader_elect: {error}") from None
