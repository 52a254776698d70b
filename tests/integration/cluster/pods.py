"""Pods by raw CRI calls, the way a kubelet makes them."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio

from kubewire.cri.v1 import api_pb2 as cri
from kubewire.cri.v1 import api_pb2_grpc
from tests.containerd_process import DEMO_IMAGE, ContainerdProcess

SECONDS = 30.0
# Each container sees its own processes, as a kubelet asks for unless a pod shares them.
_NAMESPACES = cri.NamespaceOption(pid=cri.CONTAINER)
_SANDBOX = cri.LinuxSandboxSecurityContext(namespace_options=_NAMESPACES)
_CONTAINER = cri.LinuxContainerSecurityContext(namespace_options=_NAMESPACES)


@dataclass
class Pod:
    """A sandbox and its one container."""

    sandbox: str
    container: str
    address: str
    process: int

    def run(self, *command: str) -> str:
        """The output of a command of the host's, run in the pod's network."""
        enter = ["nsenter", f"--net=/proc/{self.process}/ns/net"]
        done = subprocess.run([*enter, *command], capture_output=True, text=True, timeout=SECONDS, check=False)
        return done.stdout + done.stderr


class Runtime:
    """A node's CRI service."""

    def __init__(self, node: ContainerdProcess, channel: grpc.aio.Channel) -> None:
        self._node = node
        self.runtime = api_pb2_grpc.RuntimeServiceStub(channel)
        self.images = api_pb2_grpc.ImageServiceStub(channel)

    async def condition(self, type_: str) -> bool:
        """One of the runtime's conditions: RuntimeReady, NetworkReady."""
        answer = await self.runtime.Status(cri.StatusRequest(), timeout=SECONDS)
        return {one.type: one.status for one in answer.status.conditions}[type_]

    async def wait_for_network(self) -> None:
        """Return when pods can be given addresses: the runtime sees a configuration a moment after it is written."""
        while not await self.condition("NetworkReady"):  # noqa: ASYNC110  # another process's condition
            await asyncio.sleep(0.01)

    async def run_pod(self, name: str, message: str = "Hello") -> Pod:
        """A pod of the demo image."""
        sandbox_config = self._sandbox_config(name)
        started = await self.runtime.RunPodSandbox(cri.RunPodSandboxRequest(config=sandbox_config), timeout=SECONDS)
        sandbox = started.pod_sandbox_id
        config = cri.ContainerConfig(
            metadata=cri.ContainerMetadata(name="web"),
            image=cri.ImageSpec(image=DEMO_IMAGE),
            envs=[
                cri.KeyValue(key="POD_NAME", value=name.encode()),
                cri.KeyValue(key="MESSAGE", value=message.encode()),
            ],
            log_path="web.log",
            linux=cri.LinuxContainerConfig(security_context=_CONTAINER),
        )
        request = cri.CreateContainerRequest(pod_sandbox_id=sandbox, config=config, sandbox_config=sandbox_config)
        created = await self.runtime.CreateContainer(request, timeout=SECONDS)
        container = created.container_id
        await self.runtime.StartContainer(cri.StartContainerRequest(container_id=container), timeout=SECONDS)
        status = await self.runtime.PodSandboxStatus(
            cri.PodSandboxStatusRequest(pod_sandbox_id=sandbox, verbose=True), timeout=SECONDS
        )
        return Pod(sandbox, container, status.status.network.ip, self._process(container))

    async def remove_pod(self, pod: Pod) -> None:
        """Stop and remove a sandbox with its container."""
        await self.runtime.StopPodSandbox(cri.StopPodSandboxRequest(pod_sandbox_id=pod.sandbox), timeout=SECONDS)
        await self.runtime.RemovePodSandbox(cri.RemovePodSandboxRequest(pod_sandbox_id=pod.sandbox), timeout=SECONDS)

    async def exec(self, container: str, *command: str) -> str:
        """The output of a command in a container."""
        request = cri.ExecSyncRequest(container_id=container, cmd=command, timeout=10)
        answer = await self.runtime.ExecSync(request, timeout=SECONDS)
        return answer.stdout.decode()

    async def states(self) -> dict[str, int]:
        """The state of every container."""
        answer = await self.runtime.ListContainers(cri.ListContainersRequest(), timeout=SECONDS)
        return {container.id: container.state for container in answer.containers}

    def _process(self, container: str) -> int:
        bundle = self._node.node.containerd / "state/io.containerd.runtime.v2.task/k8s.io" / container
        return int((bundle / "init.pid").read_text())

    def _sandbox_config(self, name: str) -> cri.PodSandboxConfig:
        logs = Path(self._node.node.kubelet, "logs", name)
        logs.mkdir(parents=True, exist_ok=True)
        return cri.PodSandboxConfig(
            metadata=cri.PodSandboxMetadata(name=name, namespace="default", uid=name),
            hostname=name,
            log_directory=str(logs),
            linux=cri.LinuxPodSandboxConfig(
                cgroup_parent=f"{self._node.cgroup_parent}/pod{name}", security_context=_SANDBOX
            ),
        )


@asynccontextmanager
async def runtime_of(node: ContainerdProcess) -> AsyncIterator[Runtime]:
    """The CRI service of a node's containerd."""
    async with grpc.aio.insecure_channel(node.endpoint) as channel:
        yield Runtime(node, channel)
