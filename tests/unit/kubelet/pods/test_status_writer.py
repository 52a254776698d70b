"""Writing statuses of pods against the simulated cluster, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kubewire.api.core.v1.pod_pb2 import Pod, PodStatus
from kubewire.client.informer.cache import copy_of
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.kubelet.pods.status_writer import StatusWriter


def bound_pod() -> Pod:
    """A pod of this node."""
    made = Pod()
    made.metadata.name, made.metadata.namespace = "web", "default"
    made.spec.nodeName = "n"
    made.spec.containers.add(name="web")
    return made


def ready(status: str) -> PodStatus:
    """A running pod's status with its Ready condition."""
    made = PodStatus(phase="Running")
    made.conditions.add(type="Ready", status=status)
    return made


def readiness(cluster: SimulatedCluster) -> str:
    """What the API server says of the pod."""
    found = cluster.get(Pod, "web", "default")
    assert found is not None
    return next(one.status for one in found.status.conditions if one.type == "Ready")


@asynccontextmanager
async def writing(cluster: SimulatedCluster) -> AsyncIterator[StatusWriter]:
    """A writer at work."""
    writer = StatusWriter(cluster.client().pods(), wall_clock=lambda: 1000.0)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(writer.run())
        await asyncio.sleep(0)
        yield writer
        task.cancel()


async def test_what_somebody_else_wrote_is_put_right() -> None:
    """A pod that was marked as not ready while its node was cut off is told as ready when it is seen again."""
    cluster = SimulatedCluster(wall_clock=lambda: 1000.0)
    pod = cluster.add(bound_pod())
    async with writing(cluster) as writer:
        writer.put(pod, ready("True"), within_seconds=0)
        await writer.flush(pod.metadata.uid)
        stored = cluster.get(Pod, "web", "default")
        assert stored is not None
        writer.seen(stored)
        marked = copy_of(stored)
        marked.status.conditions[0].status = "False"
        writer.seen(cluster.put(marked))
        await writer.flush(pod.metadata.uid)
        assert readiness(cluster) == "True"


async def test_what_is_as_wanted_is_not_written_again() -> None:
    """News of our own write, or of other parts of the pod, costs no call."""
    cluster = SimulatedCluster(wall_clock=lambda: 1000.0)
    pod = cluster.add(bound_pod())
    async with writing(cluster) as writer:
        writer.put(pod, ready("True"), within_seconds=0)
        await writer.flush(pod.metadata.uid)
        calls = len(cluster.calls)
        stored = cluster.get(Pod, "web", "default")
        assert stored is not None
        writer.seen(stored)
        labelled = copy_of(stored)
        labelled.metadata.labels["tier"] = "front"
        writer.seen(cluster.put(labelled))
        await writer.flush(pod.metadata.uid)
        assert len(cluster.calls) == calls


async def test_an_ending_writer_begins_nothing() -> None:
    """What is seen while the kubelet ends is left to its successor."""
    cluster = SimulatedCluster(wall_clock=lambda: 1000.0)
    pod = cluster.add(bound_pod())
    async with writing(cluster) as writer:
        writer.put(pod, ready("True"), within_seconds=0)
        await writer.flush(pod.metadata.uid)
    calls = len(cluster.calls)
    writer.seen(pod)
    await asyncio.sleep(1)
    assert len(cluster.calls) == calls
