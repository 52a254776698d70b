"""A node in virtual time: the kubelet's pods on a simulated runtime and a simulated API server, and a diary of it all.

A diary has a line for each act on the runtime and each status that differs, with the seconds since the start:

      0.0 RunPodSandbox web
      0.0 Running READY app=running*
      5.0 Running app=waiting:CrashLoopBackOff x2

`*` marks a container that is ready, `x2` one that was restarted twice.
"""

import asyncio
import textwrap
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from kubewire.api.core.v1.event_pb2 import Event
from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import ContainerStatus, Pod, PodStatus
from kubewire.client.events.recorder import EventRecorder
from kubewire.client.informer.informer import Handler, Informer
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.component.metrics.registry import Registry
from kubewire.cri.v1.api_pb2 import ContainerConfig, PodSandboxConfig
from kubewire.kubelet.config import KubeletConfig
from kubewire.kubelet.contracts import ExecResult
from kubewire.kubelet.images.puller import ImagePuller
from kubewire.kubelet.metrics import KubeletMetrics
from kubewire.kubelet.pods.acting import Tools
from kubewire.kubelet.pods.configuration import NodeFacts
from kubewire.kubelet.pods.dns import Resolving
from kubewire.kubelet.pods.status import Place
from kubewire.kubelet.pods.status_writer import StatusWriter
from kubewire.kubelet.pods.workers import NodeView, PodWorkers
from kubewire.kubelet.probes.checks import Target
from kubewire.kubelet.probes.metrics import ProbeMetrics
from kubewire.kubelet.probes.prober import PodProber, Surroundings
from kubewire.kubelet.probes.reply import SUCCESS, Reply, failure
from kubewire.kubelet.probes.spec import ProbeSpec
from kubewire.kubelet.runtime.contracts import PodIdentity
from kubewire.kubelet.runtime.observation import Observation
from kubewire.kubelet.runtime.simulated import Ending, SimulatedRuntime
from kubewire.kubelet.runtime.simulated_parts import SimulatedEnvironment, SimulatedVolumes, UnwrittenFolders
from kubewire.kubelet.volumes.objects import ReferencedObjects
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.codec.yaml_reader import decode_yaml

EPOCH: Final = 1_700_000_000.0
ALLOCATABLE: Final = {"cpu": 4000, "memory": 8 << 30, "ephemeral-storage": 100 << 30, "pods": 110}


def pod_of(spec: str, *, name: str = "web", uid: str = "", node: str = "n1") -> Pod:
    """A pod with this spec, in YAML."""
    body = decode_yaml(textwrap.dedent(spec).encode())[0]
    pod = decode({"apiVersion": "v1", "kind": "Pod", "spec": body}, Pod)
    pod.metadata.name, pod.metadata.namespace = name, "default"
    pod.spec.nodeName = node
    return pod


class Diary(list[str]):
    """Lines with the time; fills what the simulated runtime writes its calls to."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock

    def append(self, line: str) -> None:
        super().append(f"{self._clock():.1f} {line}")

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self)

    def about(self, *words: str) -> list[str]:
        """The lines that begin with one of these words."""
        return [line for line in self if line.split(" ", 1)[1].startswith(words)]


class WatchedStatuses(StatusWriter):
    """Writes into the diary too."""

    diary: list[str]
    last: dict[str, str]

    def put(self, pod: Pod, wanted: PodStatus, *, within_seconds: float) -> None:
        line = summary(wanted)
        if self.last.get(pod.metadata.uid) != line:
            self.last[pod.metadata.uid] = line
            self.diary.append(line)
        super().put(pod, wanted, within_seconds=within_seconds)


def summary(status: PodStatus) -> str:
    """A status in a line."""
    ready = any(one.type == "Ready" and one.status == "True" for one in status.conditions)
    words = [status.phase + (f":{status.reason}" if status.reason else ""), *(["READY"] if ready else [])]
    containers = (*status.initContainerStatuses, *status.containerStatuses, *status.ephemeralContainerStatuses)
    return " ".join((*words, *(_container(one) for one in containers)))


def _container(one: ContainerStatus) -> str:
    if one.state.HasField("running"):
        state = "running"
    elif one.state.HasField("terminated"):
        state = f"{one.state.terminated.reason}({one.state.terminated.exitCode})"
    else:
        state = one.state.waiting.reason
    restarts = f" x{one.restartCount}" if one.restartCount else ""
    return f"{one.name}={state}{'*' if one.ready else ''}{restarts}"


class Commands:
    """Fills `ContainerExec`: commands take as long as they say (`sleep 3`), and `false` fails."""

    def __init__(self, diary: Diary) -> None:
        self._diary = diary

    async def exec_sync(self, container_id: str, command: Sequence[str], timeout_seconds: float) -> ExecResult:
        self._diary.append(f"Exec {' '.join(command)}")
        if command[0] == "sleep":
            await asyncio.sleep(float(command[1]))
        return ExecResult(int(command[0] == "false"), b"")


class SimulatedNode:
    """The node n1. `endings` says how containers end, by name or by name and attempt; `sick` which probes fail."""

    def __init__(self, **settings: object) -> None:
        loop = asyncio.get_running_loop()
        self.began = loop.time()
        self.clock: Callable[[], float] = lambda: loop.time() - self.began
        self.wall: Callable[[], float] = lambda: EPOCH + self.clock()
        self.diary = Diary(self.clock)
        self.config = KubeletConfig(**settings)  # type: ignore[arg-type]  # as tests set them
        self.cluster = SimulatedCluster(wall_clock=self.wall)
        self.link = Link()
        self.endings: dict[str, Ending] = {}
        self.sick: set[str] = set()
        self.runtime = SimulatedRuntime(wall_clock=self.wall, script=self._ending)
        self.runtime.asked = self.diary
        self._start_parts()

    def _start_parts(self) -> None:
        """All that is lost when a kubelet is killed."""
        client = self.cluster.client(self.link)
        metrics = KubeletMetrics(Registry(), "n1")
        self.recorder = EventRecorder(client, "kubelet", "n1", wall_clock=self.wall)
        self.statuses = WatchedStatuses(client.pods(), wall_clock=self.wall)
        self.statuses.diary, self.statuses.last = self.diary, {}
        self.observation = Observation(
            self.runtime,
            self._changed,
            complete=lambda container: container,
            relist_seconds=10,
            metrics=metrics,
        )
        self.prober = PodProber(
            self._check,
            Surroundings(self._turned, self.recorder, ProbeMetrics(Registry()), self.wall, lambda: 0.0),
        )
        self.view = NodeView()
        self.view.node, self.view.allocatable = Node(), ALLOCATABLE
        self.view.node.metadata.name = "n1"
        objects = ReferencedObjects(client, lambda _: None)
        self.tools = Tools(
            runtime=self.runtime,
            volumes=SimulatedVolumes(),
            environment=SimulatedEnvironment(),
            commands=Commands(self.diary),
            images=ImagePuller(self.runtime, objects),
            recorder=self.recorder,
            pods=client.pods(),
            statuses=self.statuses,
            folders=UnwrittenFolders(Path("/nowhere")),
            metrics=metrics,
            facts=lambda: NodeFacts("n1", (), "cluster.local", Resolving(), "", 8 << 30),
            host_ips=lambda: ("192.0.2.1",),
            wall_clock=self.wall,
            off_loop=_at_once,
        )
        self.workers = PodWorkers(self.config, self.tools, self.observation, self.prober, self.view)
        self.pods = Informer(client.pods())
        self.pods.add_handler(Handler(self.workers.put, lambda _, pod: self.workers.put(pod), self.workers.drop))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The kubelet runs; leaving the block kills it, and it may be run again."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(part)
                for part in (
                    self.pods.run(),
                    self.recorder.run(),
                    self.statuses.run(),
                    self.prober.run(),
                    self.tools.images.run(),
                )
            ]
            up = asyncio.Event()
            tasks.append(group.create_task(self.observation.run(up.set)))
            await up.wait()
            await self.pods.wait_synced()
            up.clear()
            tasks.append(group.create_task(self.workers.run(lambda: Place("simulated", ("192.0.2.1",)), up.set)))
            await up.wait()
            yield
            for task in tasks:
                task.cancel()

    def restart(self) -> None:
        """Forget all that a kubelet forgets when it is killed; `running` runs the next one."""
        self.diary.append("-- restarted")
        self._start_parts()

    def add(self, pod: Pod) -> Pod:
        """A pod is bound to the node."""
        return self.cluster.add(pod)

    def get(self, name: str = "web") -> Pod:
        """A pod as the API server has it."""
        found = self.cluster.get(Pod, name, "default")
        assert found is not None, f"pod {name} is gone"
        return found

    def delete(self, name: str = "web", grace_seconds: int = 30) -> None:
        """Somebody deletes a pod."""
        pod = self.get(name)
        pod.metadata.deletionTimestamp.seconds = int(self.wall()) + grace_seconds
        pod.metadata.deletionGracePeriodSeconds = grace_seconds
        self.cluster.put(pod)

    def events(self) -> list[str]:
        """Reasons and messages of Events, in order."""
        return [f"{event.reason}: {event.message}" for event in self.cluster.all(Event)]

    def _changed(self, identity: PodIdentity) -> None:
        self.workers.changed(identity)

    def _turned(self, uid: str) -> None:
        self.workers.poke(uid)

    def _ending(self, sandbox: PodSandboxConfig, container: ContainerConfig) -> Ending:
        metadata = container.metadata
        exact = self.endings.get(f"{metadata.name}/{metadata.attempt}")
        return exact or self.endings.get(metadata.name, Ending())

    async def _check(self, spec: ProbeSpec, target: Target) -> Reply:
        return failure("sick") if f"{target.container.name} {spec.kind.lower()}" in self.sick else SUCCESS


async def _at_once(work: Callable[[], None]) -> None:
    work()
