"""From a ReplicaSet of three to Ready pods, in containers, beside what containerd alone needs for them."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median
from typing import Final

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.client import Client
from kubewire.machinery.codec.decode import FieldValidation, decode
from kubewire.machinery.codec.yaml_reader import decode_yaml
from tests.benchmarks.bare_runtime import BareRuntime
from tests.benchmarks.node_cluster import NodeCluster
from tests.benchmarks.report import Row

EXAMPLE: Final = Path(__file__).parents[2] / "examples" / "replicaset.yaml"
_ROUNDS: Final = 9
_REFERENCE_SECONDS: Final = 0.845
"""Between the 0.78 and 0.91 s that were measured."""


async def ready(cluster: NodeCluster) -> AsyncIterator[Row]:
    """Medians: both take turns, so that what else the machine does weighs on both; a first round warms both."""
    ours, bare = [], []
    transport = cluster.connect()
    with tempfile.TemporaryDirectory(prefix="kw-bench-") as folder:
        runtime = BareRuntime(cluster, Path(folder))
        try:
            for number in range(_ROUNDS + 1):
                example = example_replica_set(f"web{number}")
                bare.append(await runtime.start_seconds(example.spec.template, example.spec.replicas))
                ours.append(await _ready_once(Client(transport), example))
        finally:
            await runtime.close()
            await transport.close()
    del ours[0], bare[0]
    note = f"limit: bare CRI calls; the best {min(ours):.2f} s, bare {min(bare):.2f} s; the reference is 0.78 to 0.91"
    yield Row(
        "ReplicaSet of 3, created to all Ready, p50",
        median(ours),
        "s",
        limit=median(bare),
        reference=_REFERENCE_SECONDS,
        target=0.7,
        note=note,
    )


def example_replica_set(name: str, replicas: int = 3) -> ReplicaSet:
    """examples/replicaset.yaml under another name."""
    (document,) = decode_yaml(EXAMPLE.read_bytes())
    made = decode(document, ReplicaSet, validation=FieldValidation.STRICT, warnings=[])
    made.metadata.namespace, made.metadata.name = "default", name
    made.spec.replicas = replicas
    for labels in (made.spec.selector.matchLabels, made.spec.template.metadata.labels):
        labels["app"] = name
    return made


async def until_ready(client: Client, replica_set: ReplicaSet) -> float:
    """Create it; seconds until a watch has shown all of its pods Ready."""
    waiting = replica_set.spec.replicas
    ready_pods: set[str] = set()
    async with client.pods("default").watch_batches() as batches:
        begun = time.perf_counter()
        await client.resource(ReplicaSet).create(replica_set)
        async with asyncio.timeout(60 + waiting):
            async for batch in batches:
                ready_pods.update(event.object.metadata.uid for event in batch if _is_ready(event.object))
                if len(ready_pods) >= waiting:
                    break
        return time.perf_counter() - begun


async def until_gone(client: Client, replica_set: ReplicaSet) -> None:
    """Delete it, and wait until all of its pods are gone."""
    left = {pod.metadata.uid async for pod in client.pods("default").list()}
    async with client.pods("default").watch_batches() as batches:
        await client.resource(ReplicaSet, namespace="default").delete(replica_set.metadata.name)
        async with asyncio.timeout(60 + len(left)):
            async for batch in batches:
                left -= {event.object.metadata.uid for event in batch if event.type == "DELETED"}
                if not left:
                    return


async def _ready_once(client: Client, replica_set: ReplicaSet) -> float:
    seconds = await until_ready(client, replica_set)
    await until_gone(client, replica_set)
    return seconds


def _is_ready(pod: Pod) -> bool:
    return any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions)
