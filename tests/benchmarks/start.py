"""Cold start and idle memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tests.benchmarks.cluster import Cluster, running_cluster
from tests.benchmarks.node_cluster import NodeCluster, resident_megabytes, running_node_cluster
from tests.benchmarks.report import Row

_STARTS = 3
_SETTLING_SECONDS = 3.0


async def cold(cluster: Cluster) -> AsyncIterator[Row]:
    """`kubewire up` of a new cluster until it returns, its API ready: the best of three, files in the page cache."""
    seconds = [cluster.start_seconds, *[await asyncio.to_thread(_start_once) for _ in range(_STARTS - 1)]]
    yield Row("cold start, `kubewire up` to API ready", min(seconds), "s", reference=2.7, target=1 / 3)


def _start_once() -> float:
    with running_cluster() as cluster:
        return cluster.start_seconds


async def memory(cluster: Cluster) -> AsyncIterator[Row]:
    """Resident memory of the control plane's process and etcd, a few seconds after the start, before any load."""
    await asyncio.sleep(_SETTLING_SECONDS)
    ours, etcd = resident_megabytes(cluster.control_plane), resident_megabytes(cluster.etcd)
    note = f"API server, controllers and scheduler {ours:.0f}, etcd {etcd:.0f}"
    yield Row("idle memory, one process and etcd", ours + etcd, "MB", reference=498, target=1 / 3, note=note)


async def with_node() -> AsyncIterator[Row]:
    """`kubewire up` with a containerd node until the node is ready, and `down`: the best of three."""
    ups, downs = [], []
    for _ in range(_STARTS):
        up, down = await asyncio.to_thread(_node_start_once)
        ups.append(up)
        downs.append(down)
    yield Row("cold start, `kubewire up` to a node ready", min(ups), "s", note="containerd, its images included")
    yield Row("`kubewire down` of it", min(downs), "s")


def _node_start_once() -> tuple[float, float]:
    with running_node_cluster() as cluster:
        pass
    return cluster.up_seconds, cluster.down_seconds


async def node_memory(cluster: NodeCluster) -> AsyncIterator[Row]:
    """The whole control plane as `kubewire up` runs it, a few seconds after the start."""
    async for row in _control_plane(cluster, "one process and etcd, with a node", ("control-plane",), 1 / 3):
        yield row


async def apart_memory(cluster: NodeCluster) -> AsyncIterator[Row]:
    """The whole control plane, every component a process of its own."""
    async for row in _control_plane(
        cluster, "processes apart and etcd", ("apiserver", "controller-manager", "scheduler"), 2 / 3
    ):
        yield row


async def _control_plane(cluster: NodeCluster, how: str, names: tuple[str, ...], target: float) -> AsyncIterator[Row]:
    await asyncio.sleep(_SETTLING_SECONDS)
    sizes = {name: cluster.megabytes(name) for name in (*names, "etcd")}
    note = ", ".join(f"{name} {size:.0f}" for name, size in sizes.items())
    yield Row(f"idle memory, {how}", sum(sizes.values()), "MB", reference=498, target=target, note=note)
