"""Pods of tests on a real node, and what really runs of them."""

import asyncio
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.client import Client
from kubewire.client.resources.options import Deleting, Selection
from kubewire.kubelet.runtime.contracts import PodIdentity, RuntimePod
from kubewire.kubelet.runtime.cri import CriRuntime
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.codec.yaml_reader import decode_yaml
from tests.integration.kubelet.conftest import Machine

WAIT_SECONDS: Final = 60.0


class Uncounted:
    """Calls that nobody counts."""

    def operation(self, name: str, seconds: float, *, failed: bool) -> None:
        """Nothing."""


def pod_of(machine: Machine, name: str, spec: str) -> Pod:
    """A pod bound to the node, of the demo image unless its spec says otherwise."""
    body = decode_yaml(textwrap.dedent(spec).encode())[0]
    body.setdefault("automountServiceAccountToken", False)
    pod = decode({"apiVersion": "v1", "kind": "Pod", "spec": body}, Pod)
    pod.metadata.name, pod.metadata.namespace = name, "default"
    pod.spec.nodeName = machine.node.node.name
    return pod


async def when(client: Client, name: str, holds: Callable[[Pod], bool]) -> Pod:
    """The pod once something holds of it."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        pod = await client.pods("default").get(name)
        if holds(pod):
            return pod
        assert time.monotonic() < deadline, f"it never came to that: {pod.status}"
        await asyncio.sleep(0.05)


async def gone(client: Client, name: str) -> None:
    """Delete a pod, and wait until it is gone."""
    pods = client.pods("default")
    await pods.delete(name, Deleting())
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        found = [pod async for pod in pods.list(Selection(field_selector=f"metadata.name={name}"))]
        if not found:
            return
        assert time.monotonic() < deadline, f"it never went: {found[0].status}"
        await asyncio.sleep(0.05)


def is_ready(pod: Pod) -> bool:
    """Whether it is."""
    return any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions)


async def seen(machine: Machine, pod: Pod) -> RuntimePod:
    """What the runtime has of a pod."""
    runtime = CriRuntime(str(machine.node.socket), Uncounted())
    try:
        return await runtime.pod(PodIdentity(pod.metadata.uid, "default", pod.metadata.name))
    finally:
        await runtime.close()


def left_on_disk(root: Path, pod: Pod) -> list[Path]:
    """What there is of a pod below the kubelet's folder."""
    return [path for path in root.rglob("*") if pod.metadata.uid in path.name]
