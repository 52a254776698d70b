"""The kubelet put together: the only place that knows all of its parts.

It is a value with `run`, hosted by its own process (`main.py`) or by another's that also runs other components; the
transport is its owner's. Order of start: faces; then what should run and what does (caches, the runtime); then the
workers, which need both; then the node's status, so that no pod is bound here before pods can be run.
"""

from __future__ import annotations

import asyncio
import hmac
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.client.client import Client
from kubewire.client.events.occurrence import Subject
from kubewire.client.events.recorder import EventRecorder
from kubewire.client.informer.informer import Handler, Informer, drop_managed_fields
from kubewire.client.objects import T
from kubewire.client.resources.options import EVERYTHING, Selection
from kubewire.client.transport.transport import Transport
from kubewire.component.errors import ConfigError
from kubewire.component.grpc.listener import ServerIdentity
from kubewire.component.grpc.server import ComponentServer
from kubewire.component.health import REFRESH_SECONDS, Health
from kubewire.component.lifecycle import Part, Stage, Started, Supervisor
from kubewire.component.log import Logger
from kubewire.component.metrics.build import add_build_info
from kubewire.component.metrics.process import add_process_metrics
from kubewire.component.metrics.registry import Registry
from kubewire.component.probes import ProbeServer
from kubewire.component.watchdog import Watchdog
from kubewire.kubelet.assembly import PARTS, Ground, NodeParts
from kubewire.kubelet.config import KubeletConfig
from kubewire.kubelet.errors import AddressNotListenedOn
from kubewire.kubelet.images.collection import Marks
from kubewire.kubelet.images.collector import ImageCollector
from kubewire.kubelet.images.collector import Usage as ImageUsage
from kubewire.kubelet.images.puller import ImagePuller
from kubewire.kubelet.metrics import KubeletMetrics
from kubewire.kubelet.node.machine import default_address, read_machine, read_room
from kubewire.kubelet.node.registration import labels_of, taints_of
from kubewire.kubelet.node.reporter import NodeReporter
from kubewire.kubelet.pods.acting import Tools
from kubewire.kubelet.pods.configuration import NodeFacts
from kubewire.kubelet.pods.dns import parse
from kubewire.kubelet.pods.log_rotation import LogRotation
from kubewire.kubelet.pods.lookup import RunningPods
from kubewire.kubelet.pods.messages import with_message
from kubewire.kubelet.pods.status import Place
from kubewire.kubelet.pods.status_writer import StatusWriter
from kubewire.kubelet.pods.workers import NodeView, PodWorkers
from kubewire.kubelet.probes.metrics import ProbeMetrics
from kubewire.kubelet.probes.prober import PodProber
from kubewire.kubelet.probes.prober import Surroundings as ProbeSurroundings
from kubewire.kubelet.rpc.service import KubeletService
from kubewire.kubelet.runtime.contracts import PodIdentity
from kubewire.kubelet.runtime.observation import Observation
from kubewire.kubelet.volumes.objects import ReferencedObjects
from kubewire.machinery.quantity import value_of

_LOG: Final = Logger("kubelet")
_GRACE_SECONDS: Final = 1.0
_COMPONENT: Final = "kubelet"
_STALE_SECONDS: Final = 180.0
_FACTS_SECONDS: Final = 5.0
"""How long what was read of the node's own resolv.conf is good."""


class Addresses(NamedTuple):
    """Where it listens, `host:port`."""

    grpc: str = ""
    metrics: str = ""


class Kubelet:
    """One kubelet. Make it inside a running loop, and run it once.

    Attributes:
        addresses: where it listens, once it is up.
        health: its checks.
        node_name: which node it is.
        parts: what touches the node: the runtime, volumes and so on.
        observation, workers: what runs as it was last seen, and as it should be.
    """

    def __init__(self, config: KubeletConfig, transport: Transport) -> None:
        """Build every part; nothing runs and nothing is asked yet.

        Raises:
            ConfigError: a setting cannot be used.
        """
        self._config = config
        self._client = Client(transport)
        self.node_name: Final = config.node_name or socket.gethostname().lower()
        self._address = config.node_ip or default_address()
        self.addresses = Addresses()
        self.health: Final = Health()
        self._registry = Registry()
        self._probe_registry = Registry()
        add_process_metrics(self._registry)
        add_build_info(self._registry)
        self._metrics = KubeletMetrics(self._registry, self.node_name)
        self._machine = read_machine()
        self._view = NodeView()
        self._known_facts: NodeFacts | None = None
        self._known_at = 0.0
        self._pods = self._informer(Pod, Selection(field_selector=f"spec.nodeName={self.node_name}"))
        self._nodes = self._informer(Node, Selection(field_selector=f"metadata.name={self.node_name}"))
        self._services = self._informer(Service)
        self._objects = ReferencedObjects(self._client, self._outdated)
        self.parts: Final[NodeParts] = self._make_parts()
        self.observation: Final = Observation(
            self.parts.runtime,
            self._changed,
            complete=with_message,
            relist_seconds=config.relist_seconds,
            metrics=self._metrics,
        )
        self._recorder = EventRecorder(self._client, _COMPONENT, self.node_name)
        self._prober = self._make_prober()
        self._tools = self._make_tools()
        self.workers: Final = PodWorkers(config, self._tools, self.observation, self._prober, self._view)
        self._node = self._make_reporter()
        self._collector = self._make_collector()
        self._watch()
        self._add_checks()

    async def run(self, stop: asyncio.Event, on_up: Callable[[], None] = lambda: None) -> None:
        """Run the node's pods until `stop` is set; they run on without us. `on_up` is called when all parts run.

        Raises:
            ExceptionGroup: a part failed; StartErrors within it say that it could not start.
        """

        def up() -> None:
            self.health.refresh()
            _LOG.info("ready", node=self.node_name, **self.addresses._asdict())
            on_up()

        try:
            await Supervisor(self._stages()).run(stop, on_up=up, on_stop=self.health.stop)
        finally:
            await self.parts.runtime.close()
            if self.parts.streaming is not None:
                await self.parts.streaming.close()
        _LOG.info("stopped")

    # ----------------------------------------------------------------------------------------------------- parts

    async def run_rpc(self, started: Started) -> None:
        """Serve gRPC."""
        config = self._config
        more = self.parts.services(RunningPods(self.workers))
        server = ComponentServer(KubeletService(self), self.health, *more, token=_token_check(config.caller_token_file))
        try:
            port = await server.start(f"{config.bind_address}:{config.grpc_port}", _identity(config))
        except OSError as error:
            raise AddressNotListenedOn(str(error)) from None
        self.addresses = self.addresses._replace(grpc=f"{config.bind_address}:{port}")
        self._node.port = port
        started()
        try:
            await asyncio.Event().wait()
        finally:
            # A second cancellation must not cut the draining short.
            await asyncio.shield(server.stop(_GRACE_SECONDS))

    async def run_probes(self, started: Started) -> None:
        """Serve metrics and health over HTTP."""
        server = ProbeServer(self.health, self._registry, {"probes": self._probe_registry})
        try:
            port = await server.start(self._config.bind_address, self._config.metrics_port)
        except OSError as error:
            raise AddressNotListenedOn(str(error)) from None
        self.addresses = self.addresses._replace(metrics=f"{self._config.bind_address}:{port}")
        started()
        await server.run()

    async def run_informers(self, started: Started) -> None:
        """Watch pods, the node, and what variables and volumes are made from."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pods.run())
            group.create_task(self._nodes.run())
            if self.parts.streaming is not None:
                group.create_task(self._services.run())
            group.create_task(self._objects.run())
            started()

    async def run_workers(self, started: Started) -> None:
        """Run pods, once all that should run and all that does was seen."""
        await self._node.is_registered.wait()
        await self._pods.wait_synced()
        await self.workers.run(self._place, started)

    async def run_images(self, started: Started) -> None:
        """Pull images."""
        started()
        await self._tools.images.run()

    async def run_collector(self, started: Started) -> None:
        """Remove images; what runs was seen by now, and is not taken for unused."""
        started()
        await self._collector.run()

    async def run_statuses(self, started: Started) -> None:
        """Write statuses."""
        started()
        await self._tools.statuses.run()

    async def run_prober(self, started: Started) -> None:
        """Probe containers."""
        started()
        await self._prober.run()

    async def run_streaming(self, started: Started) -> None:
        """Sweep what streams of a former kubelet left."""
        if self.parts.streaming is not None:
            await self.parts.streaming.start()
        started()
        await asyncio.get_running_loop().create_future()

    async def run_logs(self, started: Started) -> None:
        """Rotate logs."""
        started()
        config = self._config
        size = value_of(config.container_log_max_size)
        rotation = LogRotation(
            self.parts.runtime, self.observation, size_bytes=size, files=config.container_log_max_files
        )
        await rotation.run()

    async def run_events(self, started: Started) -> None:
        """Write Events."""
        started()
        await self._recorder.run()

    async def run_registration(self, started: Started) -> None:
        """Have the API server know the node."""
        started()
        await self._node.register()
        await asyncio.get_running_loop().create_future()

    async def run_node_status(self, started: Started) -> None:
        """Report the node."""
        started()
        await self._node.run_status()

    async def run_lease(self, started: Started) -> None:
        """Say that the node lives."""
        started()
        await self._node.run_lease()

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
        return (
            Stage("faces", (Part("rpc", self.run_rpc), Part("probes", self.run_probes))),
            Stage(
                "acting",
                (
                    Part("events", self.run_events),
                    Part("images", self.run_images),
                    Part("statuses", self.run_statuses),
                    Part("prober", self.run_prober),
                    Part("streaming", self.run_streaming),
                    Part("logs", self.run_logs),
                ),
            ),
            Stage(
                "seeing",
                (
                    Part("informers", self.run_informers),
                    Part("runtime", self.observation.run),
                    Part("registration", self.run_registration),
                    Part("lease", self.run_lease),
                ),
            ),
            Stage("pods", (Part("workers", self.run_workers),)),
            Stage("node", (Part("status", self.run_node_status),)),
            Stage(
                "upkeep",
                (
                    Part("health", self.run_health),
                    Part("watchdog", self.run_watchdog),
                    Part("collector", self.run_collector),
                ),
            ),
        )

    # ------------------------------------------------------------------------------------------------- building

    def _informer(self, kind: type[T], selection: Selection = EVERYTHING) -> Informer[T]:
        return Informer(
            self._client.resource(kind), selection, transform=drop_managed_fields, batch_window_milliseconds=0
        )

    def _make_parts(self) -> NodeParts:
        config = self._config
        try:
            config.root_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"root_dir: {config.root_dir} cannot be made: {error.strerror}") from None
        ground = Ground(
            config,
            self._client,
            self._metrics,
            self._services,
            self._objects,
            self._allocatable,
            self._outdated,
            lambda: self._view.node.spec.podCIDR,
        )
        return PARTS[config.runtime](ground)

    def _make_prober(self) -> PodProber:
        around = ProbeSurroundings(self._turned, self._recorder, ProbeMetrics(self._probe_registry))
        return PodProber(self.parts.check, around)

    def _make_tools(self) -> Tools:
        parts, pods = self.parts, self._client.pods()
        return Tools(
            runtime=parts.runtime,
            volumes=parts.volumes,
            environment=parts.environment,
            commands=parts.commands,
            images=ImagePuller(parts.runtime, self._objects),
            recorder=self._recorder,
            pods=pods,
            statuses=StatusWriter(pods, observe_seconds=self._metrics.starts.status_seconds.observe),
            folders=parts.folders,
            metrics=self._metrics,
            facts=self._facts,
            host_ips=lambda: (self._address,),
            wall_clock=time.time,
            off_loop=asyncio.to_thread,
        )

    def _make_reporter(self) -> NodeReporter:
        labels_of(self._config, self.node_name, self._machine.architecture)
        taints_of(self._config)
        root = self._config.root_dir
        reporter = NodeReporter(
            self._config, self._client, self.parts.runtime, self._view, self._machine, lambda: read_room(root)
        )
        reporter.name, reporter.address = self.node_name, self._address
        return reporter

    def _make_collector(self) -> ImageCollector:
        config, node = self._config, Subject("v1", "Node", "", self.node_name, self.node_name)
        usage = ImageUsage(
            self._images_in_use,
            self._tools.images.used_at,
            lambda reason, message: self._recorder.warning(node, reason, message),
        )
        marks = Marks(config.image_gc_high_percent, config.image_gc_low_percent, config.image_minimum_age_seconds)
        return ImageCollector(self.parts.runtime, usage, marks, self._registry)

    def _watch(self) -> None:
        self._pods.add_handler(Handler(self.workers.put, lambda _, pod: self.workers.put(pod), self.workers.drop))
        self._nodes.add_handler(Handler(self._node.seen, lambda _, node: self._node.seen(node), self._node.lost))

    def _add_checks(self) -> None:
        self.health.add_readiness("informer-sync", self._sync_problem)
        self.health.add_readiness("runtime", lambda: self.observation.failure)
        self.health.add_liveness("pleg", self._relist_problem)
        self._metrics.observe(self._counts, self._container_counts)

    # ----------------------------------------- what parts tell, which are made before those who want to hear of it

    def _changed(self, identity: PodIdentity) -> None:
        self.workers.changed(identity)

    def _outdated(self, uid: str) -> None:
        self.workers.refresh_volumes(uid)

    def _turned(self, uid: str) -> None:
        self.workers.poke(uid)

    # ------------------------------------------------------------------------------------------- what is asked for

    def _facts(self) -> NodeFacts:
        config, now = self._config, time.monotonic()
        if self._known_facts is not None and now - self._known_at < _FACTS_SECONDS:
            return self._known_facts
        try:
            resolving = parse(config.resolv_conf.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            resolving = parse("")
        self._known_at = now
        self._known_facts = NodeFacts(
            self.node_name,
            config.cluster_dns,
            config.cluster_domain,
            resolving,
            config.cgroup_root,
            self._machine.memory_bytes,
        )
        return self._known_facts

    def _place(self) -> Place:
        return Place(self._node.version.name, (self._address,))

    def _allocatable(self) -> Mapping[str, str]:
        found = self._view.allocatable
        return {name: f"{amount}m" if name == "cpu" else str(amount) for name, amount in found.items()}

    def _images_in_use(self) -> set[str]:
        """Of containers, ended ones included, and of those that are about to be made."""
        seen = [one for pod in self.observation.pods.values() for one in pod.containers]
        due = [ref for worker in self.workers.workers.values() for ref in worker.memory.images.values()]
        return {name for one in seen for name in (one.image, one.image_ref)} | set(due)

    def _sync_problem(self) -> str:
        return "" if self._pods.has_synced else "waiting for pods"

    def _relist_problem(self) -> str:
        seen = self.observation.listed_at
        is_stale = seen and time.monotonic() - seen > _STALE_SECONDS
        return f"the runtime was last seen {time.monotonic() - seen:.0f} s ago" if is_stale else ""

    def _counts(self) -> Mapping[str, float]:
        workers = self.workers.workers.values()
        active = sum(one.status.phase in {"", "Pending", "Running"} and not one.is_gone for one in workers)
        running = sum(pod.ready_sandbox is not None for pod in self.observation.pods.values())
        return {
            "kubelet_desired_pods": float(len(self._pods.cache)),
            "kubelet_active_pods": float(active),
            "running": float(running),
        }

    def _container_counts(self) -> Mapping[str, int]:
        found = dict.fromkeys(("created", "running", "exited", "unknown"), 0)
        for pod in self.observation.pods.values():
            for container in pod.containers:
                found[container.phase.value] += 1
        return found


def _identity(config: KubeletConfig) -> ServerIdentity | None:
    """What our port shows, and whose certificates callers need.

    Raises:
        ConfigError: a file cannot be read.
    """
    if config.serving_cert_file is None or config.serving_key_file is None:
        return None
    try:
        return ServerIdentity(
            config.serving_cert_file.read_bytes(),
            config.serving_key_file.read_bytes(),
            config.client_ca_file.read_bytes() if config.client_ca_file else None,
        )
    except OSError as error:
        raise ConfigError(f"{error.filename}: cannot be read: {error.strerror}") from None


def _token_check(path: Path | None) -> Callable[[str], bool] | None:
    """Callers show the token that is in the file now."""
    if path is None:
        return None

    def is_good(token: str) -> bool:
        try:
            return hmac.compare_digest(token.encode(), path.read_bytes().strip())
        except OSError as error:
            _LOG.warning("the callers' token cannot be read", file=path, why=error)
            return False

    return is_good
