"""Addresses of simulated pods come from their node's range."""

import pytest

from kubewire.cri.v1.api_pb2 import NamespaceMode, PodSandboxConfig
from kubewire.kubelet.runtime.contracts import PodIdentity
from kubewire.kubelet.runtime.labels import pod_labels
from kubewire.kubelet.runtime.simulated import SimulatedRuntime


def pod(name: str, *, on_host: bool = False) -> PodSandboxConfig:
    """A sandbox's configuration."""
    config = PodSandboxConfig()
    config.metadata.name = config.metadata.uid = name
    config.labels.update(pod_labels(PodIdentity(name, "default", name)))
    if on_host:
        config.linux.security_context.namespace_options.network = NamespaceMode.NODE
    return config


async def addresses(runtime: SimulatedRuntime, uid: str) -> tuple[str, ...]:
    """The addresses of a pod's sandboxes."""
    found = await runtime.pod(PodIdentity(uid, "default", uid))
    return tuple(address for sandbox in found.sandboxes for address in sandbox.ips)


@pytest.fixture
def node_range() -> list[str]:
    """The range the node has at present."""
    return [""]


async def test_from_the_nodes_range(node_range: list[str]) -> None:
    """No two pods share an address, none has the network's or the gateway's, and those that ended are used again."""
    node_range[0] = "10.244.7.0/29"
    runtime = SimulatedRuntime(pod_range=lambda: node_range[0])
    made = [await runtime.run_sandbox(pod(f"p{number}"), "") for number in range(5)]
    given = [await addresses(runtime, f"p{number}") for number in range(5)]
    assert given == [(f"10.244.7.{host}",) for host in range(2, 7)]
    await runtime.stop_sandbox(made[2])
    await runtime.run_sandbox(pod("late"), "")
    assert await addresses(runtime, "late") == ("10.244.7.4",)


async def test_before_the_node_has_a_range(node_range: list[str]) -> None:
    """They come from a range of their own, and pods on the node's network have none."""
    runtime = SimulatedRuntime(pod_range=lambda: node_range[0])
    await runtime.run_sandbox(pod("early"), "")
    await runtime.run_sandbox(pod("hosted", on_host=True), "")
    assert await addresses(runtime, "early") == ("10.88.0.2",)
    assert await addresses(runtime, "hosted") == ()
