"""Cold start and idle memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from tests.benchmarks.cluster import Cluster, running_cluster
from tests.benchmarks.report import Row

_STARTS = 3


async def cold(cluster: Cluster) -> AsyncIterator[Row]:
    """`kubewire up` of a new cluster until it returns, its API ready: the best of three, files in the page cache."""
    seconds = [cluster.start_seconds, *[await asyncio.to_thread(_start_once) for _ in range(_STARTS - 1)]]
    yield Row("cold start, `kubewire up` to API ready", min(seconds), "s", reference=2.7, target=1 / 3)


def _start_once() -> float:
    with running_cluster() as cluster:
        return cluster.start_seconds


async def memory(cluster: Cluster) -> AsyncIterator[Row]:
    """Resident memory of the control plane's process and etcd, a few seconds after the start, before any load."""
    await asyncio.sleep(3)
    ours, etcd = _resident_megabytes(cluster.control_plane), _resident_megabytes(cluster.etcd)
    note = f"API server, controllers and scheduler {ours:.0f}, etcd {etcd:.0f}"
    yield Row("idle memory, one process and etcd", ours + etcd, "MB", reference=498, target=1 / 3, note=note)


def _resident_megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"process {pid} says nothing about its memory")
