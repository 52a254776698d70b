"""What the container runtime itself needs for pods: the calls that the kubelet makes of it, and nothing around them."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.pod_spec_pb2 import PodTemplateSpec
from kubewire.kubelet.pods.cgroups import remove_cgroup
from kubewire.kubelet.pods.configuration import (
    Ingredients,
    NodeFacts,
    container_config,
    identity_of,
    sandbox_config,
)
from kubewire.kubelet.pods.dns import Resolving
from kubewire.kubelet.pods.folders import Folders
from kubewire.kubelet.pods.resources import cgroup_parent
from kubewire.kubelet.pods.security import ImageUser
from kubewire.kubelet.runtime.cri import CriRuntime
from tests.benchmarks.node_cluster import NodeCluster


class BareRuntime:
    """Makes and removes pods by CRI calls alone. Make it inside a running loop, and close it when done."""

    def __init__(self, cluster: NodeCluster, folder: Path) -> None:
        self._runtime = CriRuntime(str(cluster.place.socket), _Uncounted())
        self._folders = Folders(folder)
        self._facts = NodeFacts("node", (), "cluster.local", Resolving(), cluster.place.cgroup, 0)

    async def close(self) -> None:
        """End the connection."""
        await self._runtime.close()

    async def start_seconds(self, template: PodTemplateSpec, count: int) -> float:
        """From the first call until the last of `count` pods of one container was started, side by side."""
        pods = [_pod(template) for _ in range(count)]
        image = await self._runtime.image(template.spec.containers[0].image)
        assert image is not None, "the node has the image"
        begun = time.perf_counter()
        sandboxes = await asyncio.gather(*(self._start(pod, image.id) for pod in pods))
        seconds = time.perf_counter() - begun
        await asyncio.gather(*(self._remove(*one) for one in zip(pods, sandboxes, strict=True)))
        return seconds

    async def _start(self, pod: Pod, image: str) -> str:
        folders, identity = self._folders, identity_of(pod)
        spec = pod.spec.containers[0]
        folders.make_log_folder(identity, spec.name)
        sandbox = sandbox_config(pod, 0, folders.log_folder(identity), self._facts)
        # Without these labels the node's kubelet does not take it for a pod that is gone.
        sandbox.labels.clear()
        sandbox_id = await self._runtime.run_sandbox(sandbox, "")
        variables = [("POD_NAME", pod.metadata.name)]
        log = folders.log_file(identity, spec.name, 0)
        made_of = Ingredients(0, image, ImageUser(), variables, (), log, log)
        config = container_config(pod, spec, made_of, self._facts)
        config.labels.clear()
        container_id = await self._runtime.create_container(sandbox_id, config, sandbox)
        await self._runtime.start_container(container_id)
        return sandbox_id

    async def _remove(self, pod: Pod, sandbox_id: str) -> None:
        await self._runtime.stop_sandbox(sandbox_id)
        await self._runtime.remove_sandbox(sandbox_id)
        self._folders.remove_logs(identity_of(pod))
        with suppress(OSError):
            remove_cgroup(cgroup_parent(self._facts.cgroup_root, pod))


class _Uncounted:
    """Nobody asks for metrics of these calls."""

    def operation(self, name: str, seconds: float, *, failed: bool) -> None:
        """Forget it."""


def _pod(template: PodTemplateSpec) -> Pod:
    pod = Pod()
    pod.spec.CopyFrom(template.spec)
    pod.metadata.uid = str(uuid4())
    pod.metadata.namespace, pod.metadata.name = "bare", f"bare-{pod.metadata.uid[:8]}"
    return pod
