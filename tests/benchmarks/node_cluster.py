"""A whole cluster with one containerd node, as `kubewire up` starts it; it needs root and containerd."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.options import GrpcOptions
from kubewire.cluster.home import Home
from kubewire.cluster.nodes.place import NodePlace, read_fabric, read_places
from tests.benchmarks.cluster import kubewire


@dataclass(slots=True)
class NodeCluster:
    """A running cluster and its one node.

    Attributes:
        pids: of its processes, by component.
        up_seconds: how long `kubewire up` took, until the node was ready.
        down_seconds: how long `kubewire down` took; 0 before.
    """

    home: Path
    place: NodePlace
    pids: dict[str, int]
    grpc: str
    up_seconds: float
    down_seconds: float = field(default=0.0)

    def connect(self) -> GrpcTransport:
        """To the API server, as its administrator."""
        token = (self.home / "token").read_text().strip()
        return GrpcTransport(GrpcOptions((self.grpc,), ca_file=self.home / "pki" / "ca.crt", token=token))

    def megabytes(self, *components: str) -> float:
        """What the processes of some components hold (resident)."""
        return sum(resident_megabytes(self.pids[name]) for name in components)

    def cpu_seconds(self, *components: str) -> float:
        """Processor time that they have used so far."""
        return sum(cpu_seconds(self.pids[name]) for name in components)


@contextmanager
def running_node_cluster(*arguments: str) -> Iterator[NodeCluster]:
    """A new cluster with one node; ended and removed afterwards."""
    name = f"bench{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="kw-bench-") as folder:
        home = Path(folder) / "h"
        cluster: NodeCluster | None = None
        try:
            begun = time.perf_counter()
            up = json.loads(kubewire(home, "up", f"--name={name}", "--runtime=containerd", *arguments, "--output=json"))
            cluster = _describe(home, name, up["grpc"], time.perf_counter() - begun)
            yield cluster
        finally:
            begun = time.perf_counter()
            kubewire(home, "down", f"--name={name}", "--purge")
            if cluster is not None:
                cluster.down_seconds = time.perf_counter() - begun


def _describe(home: Path, name: str, grpc: str, seconds: float) -> NodeCluster:
    components = json.loads((home / "cluster.json").read_text())["components"]
    fabric = read_fabric(Home(name, home))
    assert fabric is not None, "a cluster with nodes has a fabric"
    pids = {name: one["pid"] for name, one in components.items()}
    return NodeCluster(home, read_places(fabric)[0], pids, grpc, seconds)


def resident_megabytes(pid: int) -> float:
    """What a process holds in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"process {pid} says nothing about its memory")


def cpu_seconds(pid: int) -> float:
    """Processor time of a process, all threads, user and system."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")
