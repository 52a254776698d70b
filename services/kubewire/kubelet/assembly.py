"""The parts that touch the node, in the two ways there are: real containers, or a simulation of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kubewire.client.client import Client
from kubewire.component.grpc.server import Service as GrpcService
from kubewire.kubelet.config import KubeletConfig
from kubewire.kubelet.contracts import ContainerExec, Environment, PodsOnNode, Volumes
from kubewire.kubelet.environment.resource_fields import Amounts
from kubewire.kubelet.metrics import KubeletMetrics
from kubewire.kubelet.pods.folders import Folders
from kubewire.kubelet.probes.checks import Check
from kubewire.kubelet.runtime.contracts import Runtime
from kubewire.kubelet.volumes.objects import ReferencedObjects

if TYPE_CHECKING:
    from kubewire.api.core.v1.service_pb2 import Service
    from kubewire.client.informer.informer import Informer
    from kubewire.kubelet.streams.service import Streaming

_STREAMS_FOLDER: Final = "streams"


@dataclass(frozen=True, slots=True)
class Ground:
    """What parts are built on.

    Attributes:
        allocatable: what the node has for pods.
        outdated: told the uid of a pod whose files are out of date.
        pod_range: tells the node's range of pod addresses, empty while it has none.
    """

    config: KubeletConfig
    client: Client
    metrics: KubeletMetrics
    services: Informer[Service]
    objects: ReferencedObjects
    allocatable: Callable[[], Amounts]
    outdated: Callable[[str], None]
    pod_range: Callable[[], str]


@dataclass(frozen=True, slots=True)
class NodeParts:
    """What touches the node.

    Attributes:
        streaming: what logs, exec and the like stand on; None where nothing runs that could be looked into.
        trusts_tokens: our gRPC port lets nobody in without the callers' token.
    """

    runtime: Runtime
    volumes: Volumes
    environment: Environment
    commands: ContainerExec
    check: Check
    folders: Folders
    streaming: Streaming | None = None
    trusts_tokens: bool = False

    def services(self, pods: PodsOnNode) -> Sequence[GrpcService]:
        """The gRPC services of those who look into containers."""
        if self.streaming is None:
            return ()
        from kubewire.kubelet.streams.service import StreamsService  # noqa: PLC0415 - see `real_parts`

        return (StreamsService(pods, self.streaming, trusts_tokens=self.trusts_tokens),)


def real_parts(ground: Ground) -> NodeParts:
    """Containers over CRI, volumes on disk, commands by containerd. Simulated nodes do not load all of it."""
    from kubewire.kubelet.environment.environment import ContainerEnvironment, InformedServices  # noqa: PLC0415
    from kubewire.kubelet.probes.checks import Checks  # noqa: PLC0415
    from kubewire.kubelet.runtime.cri import CriRuntime  # noqa: PLC0415
    from kubewire.kubelet.streams.service import Streaming  # noqa: PLC0415
    from kubewire.kubelet.volumes.disk import Disk  # noqa: PLC0415
    from kubewire.kubelet.volumes.layout import Layout  # noqa: PLC0415
    from kubewire.kubelet.volumes.mounting import KernelMounter  # noqa: PLC0415
    from kubewire.kubelet.volumes.tokens import ServiceAccountTokens, token_calls  # noqa: PLC0415
    from kubewire.kubelet.volumes.volumes import PodVolumes, Surroundings  # noqa: PLC0415

    config, root = ground.config, ground.config.root_dir
    socket = config.container_runtime_endpoint.removeprefix("unix://")
    streaming = Streaming(Path(socket), root / _STREAMS_FOLDER)
    layout = Layout(root)
    return NodeParts(
        runtime=CriRuntime(socket, ground.metrics),
        volumes=PodVolumes(
            layout,
            Disk(layout, KernelMounter()),
            ground.objects,
            ServiceAccountTokens(token_calls(ground.client)),
            Surroundings(ground.allocatable, ground.outdated),
        ),
        environment=ContainerEnvironment(ground.objects, InformedServices(ground.services), ground.allocatable),
        commands=streaming.commands,
        check=Checks(streaming.commands),
        folders=Folders(root),
        streaming=streaming,
        trusts_tokens=config.caller_token_file is not None,
    )


def simulated_parts(ground: Ground) -> NodeParts:
    """Nothing runs, nothing is written."""
    from kubewire.kubelet.runtime import simulated_parts as parts  # noqa: PLC0415
    from kubewire.kubelet.runtime.simulated import SimulatedRuntime  # noqa: PLC0415

    return NodeParts(
        runtime=SimulatedRuntime(pod_range=ground.pod_range),
        volumes=parts.SimulatedVolumes(),
        environment=parts.SimulatedEnvironment(),
        commands=parts.SimulatedCommands(),
        check=parts.simulated_check,
        folders=parts.UnwrittenFolders(ground.config.root_dir),
    )


PARTS: Final[Mapping[str, Callable[[Ground], NodeParts]]] = {"cri": real_parts, "simulated": simulated_parts}
"""By the setting `runtime`."""
