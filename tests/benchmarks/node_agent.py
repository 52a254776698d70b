"""What a node's own components cost: memory and processor time, with nothing to do and with 30 pods that are probed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

from kubewire.client.client import Client
from tests.benchmarks.node_cluster import NodeCluster
from tests.benchmarks.pod_start import example_replica_set, until_gone, until_ready
from tests.benchmarks.report import Row

PODS: Final = 30
_SETTLING_SECONDS: Final = 5.0
_WATCHED_SECONDS: Final = 20.0
_REFERENCE_MEGABYTES: Final = 88.0
"""The kubelet alone."""


async def idle(cluster: NodeCluster) -> AsyncIterator[Row]:
    """A while after the start, without pods."""
    async for row in _rows(cluster, "idle"):
        yield row


async def with_pods(cluster: NodeCluster) -> AsyncIterator[Row]:
    """With pods as in the example: each is probed for readiness every two seconds, for liveness every ten."""
    replica_set = example_replica_set("many", PODS)
    transport = cluster.connect()
    try:
        client = Client(transport)
        seconds = await until_ready(client, replica_set)
        yield Row(f"ReplicaSet of {PODS}, created to all Ready", seconds, "s", note="once, on one node")
        async for row in _rows(cluster, f"{PODS} pods"):
            yield row
        await until_gone(client, replica_set)
    finally:
        await transport.close()


async def _rows(cluster: NodeCluster, when: str) -> AsyncIterator[Row]:
    """One row of memory and one of processor time for each process."""
    await asyncio.sleep(_SETTLING_SECONDS)
    names = [name for name in cluster.pids if name.startswith(f"{cluster.place.name}/")]
    ours = [name for name in names if not name.endswith("/containerd")]
    used, begun = {name: cluster.cpu_seconds(name) for name in ours}, time.perf_counter()
    await asyncio.sleep(_WATCHED_SECONDS)
    minutes = (time.perf_counter() - begun) / 60
    for name in ours:
        role = name.rpartition("/")[2].replace("agent", "kubelet and kube-proxy")
        is_kubelet = role == "kubelet"
        yield Row(
            f"{role}, {when}: memory",
            cluster.megabytes(name),
            "MB",
            reference=_REFERENCE_MEGABYTES if is_kubelet else None,
            target=0.7 if is_kubelet else None,
        )
        yield Row(f"{role}, {when}: CPU", (cluster.cpu_seconds(name) - used[name]) / minutes, "s/min")
