"""The scheduler put together: the only place that knows all of its parts.

It is a value with `run`, hosted by its own process (`main.py`) or by another's that also runs other components; the
transport is its owner's. What leads lives for one term (`cycle/term.py`): caches and queue are made when the lead is
won and end before anybody else can have it, and all that they send is fenced by the term.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.client.client import Client
from kubewire.client.events.recorder import EventRecorder
from kubewire.client.leader_election.config import ElectionConfig
from kubewire.client.leader_election.elector import LeaderElector, LeadershipLost, Surroundings
from kubewire.client.leader_election.leadership import Leadership, NotLeading
from kubewire.client.leader_election.metrics import ElectionMetrics
from kubewire.client.transport.transport import Transport
from kubewire.component.errors import ConfigError
from kubewire.component.grpc.server import ComponentServer
from kubewire.component.health import REFRESH_SECONDS, Health
from kubewire.component.lifecycle import Part, Stage, Started, Supervisor
from kubewire.component.log import Logger
from kubewire.component.metrics.build import add_build_info
from kubewire.component.metrics.process import add_process_metrics
from kubewire.component.metrics.registry import Registry
from kubewire.component.probes import ProbeServer
from kubewire.component.watchdog import Watchdog
from kubewire.scheduler.config import SchedulerConfig
from kubewire.scheduler.cycle.term import Term
from kubewire.scheduler.errors import AddressNotListenedOn
from kubewire.scheduler.metrics import SchedulerMetrics
from kubewire.scheduler.rpc.service import SchedulerService

_LOG: Final = Logger("scheduler")
_GRACE_SECONDS: Final = 1.0


class Addresses(NamedTuple):
    """Where it listens, `host:port`."""

    grpc: str = ""
    metrics: str = ""


class Scheduler:
    """One scheduler. Make it inside a running loop, and run it once.

    Attributes:
        addresses: where it listens, once it is up.
        health: its checks.
        identity: who it is among candidates.
        elector: runs for the lead, and knows who has it.
        term: what the present term knows; None while it does not lead.
    """

    def __init__(self, config: SchedulerConfig, transport: Transport) -> None:
        """Build every part; nothing runs and nothing is asked yet.

        Raises:
            ConfigError: times of the election do not fit together.
        """
        self._config = config
        self._transport = transport
        self._registry = Registry()
        add_process_metrics(self._registry)
        add_build_info(self._registry)
        self._metrics = SchedulerMetrics(self._registry, config.scheduler_name)
        self._metrics.observe(lambda: None if self.term is None else self.term.board.queue, self._sizes)
        self.addresses = Addresses()
        self.health: Final = Health()
        self.identity: Final = f"{socket.gethostname()}_{os.getpid()}_{secrets.token_hex(4)}"
        self.term: Term | None = None
        client = Client(transport)
        self._recorder = EventRecorder(client, config.scheduler_name, socket.gethostname())
        leases = client.resource(Lease, namespace=config.leader_elect_resource_namespace)
        around = Surroundings(clock=asyncio.get_running_loop().time, metrics=ElectionMetrics(self._registry))
        self.elector: Final = LeaderElector(
            leases, config.leader_elect_resource_name, self.identity, _election(config), around
        )
        self.health.add_readiness("informer-sync", self._sync_problem)

    async def run(self, stop: asyncio.Event, on_up: Callable[[], None] = lambda: None) -> None:
        """Schedule, or wait for the lead, until `stop` is set; `on_up` is called when all parts run.

        Raises:
            ExceptionGroup: a part failed; StartErrors within it say that it could not start.
        """

        def up() -> None:
            self.health.refresh()
            _LOG.info("ready", identity=self.identity, **self.addresses._asdict())
            on_up()

        await Supervisor(self._stages()).run(stop, on_up=up, on_stop=self.health.stop)
        _LOG.info("stopped")

    async def run_election(self, started: Started) -> None:
        """Run for the lead, and schedule while leading, again and again."""
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
        server = ComponentServer(SchedulerService(self), self.health)
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

    @property
    def leader(self) -> str:
        """Who leads, as last seen."""
        return self.elector.holder

    @property
    def lease(self) -> str:
        """`namespace/name` of the Lease."""
        return f"{self._config.leader_elect_resource_namespace}/{self._config.leader_elect_resource_name}"

    async def _lead(self, leadership: Leadership) -> None:
        """One term: everything is made anew, and ends with it."""
        self.term = Term(self._config, self._metrics, self._recorder)
        try:
            await self.term.run(leadership, self._transport)
        finally:
            self.term = None

    def _stages(self) -> tuple[Stage, ...]:
        """The faces first, so that health can be asked while we wait for the lead."""
        return (
            Stage("faces", (Part("rpc", self.run_rpc), Part("probes", self.run_probes))),
            Stage("work", (Part("election", self.run_election), Part("events", self.run_events))),
            Stage("upkeep", (Part("health", self.run_health), Part("watchdog", self.run_watchdog))),
        )

    def _sync_problem(self) -> str:
        """A standby is ready as it is; a leader when its caches are filled."""
        missing = [] if self.term is None else self.term.missing
        return f"waiting for {', '.join(missing)}" if missing else ""

    def _sizes(self) -> Mapping[str, int]:
        if self.term is None:
            return {"nodes": 0, "pods": 0, "assumed_pods": 0}
        snapshot = self.term.board.snapshot
        assumed = sum(placement.is_assumed for placement in snapshot.placements.values())
        return {"nodes": snapshot.node_count, "pods": len(snapshot.placements), "assumed_pods": assumed}


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """One of the failures, which all have the same cause."""
    failure = failures.exceptions[0]
    return _first(failure) if isinstance(failure, BaseExceptionGroup) else failure


def _election(config: SchedulerConfig) -> ElectionConfig:
    try:
        return ElectionConfig(
            config.leader_elect_lease_seconds,
            config.leader_elect_renew_deadline_seconds,
            config.leader_elect_retry_seconds,
        )
    except ValueError as error:
        raise ConfigError(f"leader_elect: {error}") from None
