"""How fast 2,000 pods get nodes of 1,000, all of it through the API: bindings, events, watches.

Once as `kubewire up` runs it, with the scheduler beside the API server, from the first create to the last binding; and
once with pods that wait already when the scheduler, then a process of its own, begins with them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.client import Client
from kubewire.client.resources.options import EVERYTHING, Deleting, PatchType, View
from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.options import GrpcOptions
from kubewire.machinery.json_value import JsonObject
from tests.benchmarks.cluster import Cluster, kubewire, running_cluster
from tests.benchmarks.report import Row

NODES: Final = 1000
PODS: Final = 2000
_ZONES: Final = 3
_APART: Final = 500
"""Pods that keep off each other: more than a quarter of the nodes has none of them."""

ROOM: Final[JsonObject] = {"cpu": "8", "memory": "32Gi", "pods": "110"}
_IN_FLIGHT: Final = 16
_QUIET_SECONDS: Final = 3.0
_PATIENCE_SECONDS: Final = 120.0
ZONE: Final = "topology.kubernetes.io/zone"
HOST: Final = "kubernetes.io/hostname"


def _plain(pod: Pod, number: int) -> None:  # one signature
    pod.metadata.labels["app"] = "plain"


def _spread(pod: Pod, number: int) -> None:  # one signature
    pod.metadata.labels["app"] = "spread"
    one = pod.spec.topologySpreadConstraints.add(topologyKey=ZONE, maxSkew=1, whenUnsatisfiable="DoNotSchedule")
    one.labelSelector.matchLabels["app"] = "spread"


def _apart(pod: Pod, number: int) -> None:
    pod.metadata.labels["app"] = app = f"apart-{number // _APART}"
    terms = pod.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution
    terms.add(topologyKey=HOST).labelSelector.matchLabels["app"] = app


Wish = Callable[[Pod, int], None]
_WISHES: Final[tuple[tuple[str, Wish, float], ...]] = (
    ("plain", _plain, 232.0),
    ("topology spread", _spread, 88.0),
    ("anti-affinity", _apart, 72.0),
)


async def creating(cluster: Cluster) -> AsyncIterator[Row]:
    """Pods are created in batches while those before them are scheduled, one process for server and scheduler."""
    async with _client(cluster) as client:
        await _add_nodes(client)
        for name, wish, reference in _WISHES:
            await _beat(client)
            async with _bindings(client) as bindings:
                begun = time.perf_counter()
                await _create(client, wish)
                *_, last = [moment async for moment in bindings]
            yield Row(f"schedule {PODS:,} new pods, {name}", PODS / (last - begun), "/s", reference=reference)
            await _clear(client)


async def waiting() -> AsyncIterator[Row]:
    """Pods wait; then the scheduler is started, and its clock runs from the first binding to the last."""
    with running_cluster("--processes=apart") as cluster:
        async with _client(cluster) as client:
            await _add_nodes(client)
            for name, wish, reference in _WISHES:
                await _beat(client)
                kubewire(cluster.home, "stop", "scheduler")
                await _create(client, wish)
                await asyncio.sleep(_QUIET_SECONDS)
                async with _bindings(client) as bindings:
                    await asyncio.to_thread(kubewire, cluster.home, "start", "scheduler")
                    first, *_, last = [moment async for moment in bindings]
                rate = PODS / (last - first)
                yield Row(f"schedule {PODS:,} waiting pods, {name}", rate, "/s", reference=reference, target=10)
                await _clear(client)


@asynccontextmanager
async def _bindings(client: Client) -> AsyncIterator[AsyncIterator[float]]:
    """The moments at which a watch tells of bindings, until all pods have theirs."""

    async def moments() -> AsyncIterator[float]:
        bound: set[str] = set()
        async for batch in batches:
            bound.update(event.object.metadata.name for event in batch if event.object.spec.nodeName)
            if bound:
                yield time.perf_counter()
            if len(bound) == PODS:
                return

    async with asyncio.timeout(_PATIENCE_SECONDS), client.pods("default").watch_batches() as batches:
        yield moments()


@asynccontextmanager
async def _client(cluster: Cluster) -> AsyncIterator[Client]:
    options = GrpcOptions((cluster.grpc,), ca_file=cluster.home / "pki" / "ca.crt", token=cluster.token)
    transport = GrpcTransport(options)
    try:
        yield Client(transport)
    finally:
        await transport.close()


async def _each_node(act: Callable[[int], Awaitable[None]]) -> None:
    numbers = iter(range(NODES))

    async def work() -> None:
        for number in numbers:
            await act(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(_IN_FLIGHT):
            group.create_task(work())
    await asyncio.sleep(_QUIET_SECONDS)


async def _add_nodes(client: Client) -> None:
    """Nodes with room, without the taint that a create puts on them."""
    nodes = client.nodes()

    async def add(number: int) -> None:
        made = Node()
        made.metadata.name = name = _node_name(number)
        made.metadata.labels[HOST], made.metadata.labels[ZONE] = name, f"zone-{number % _ZONES}"
        # More ranges than the usual configuration has to give.
        made.spec.podCIDR = f"10.{100 + number // 256}.{number % 256}.0/24"
        made.spec.podCIDRs.append(made.spec.podCIDR)
        await nodes.create(made)
        # By patches: the controllers write to it too.
        await nodes.patch(name, {"spec": {"taints": None}})
        await nodes.patch(name, {"status": {"allocatable": ROOM, "capacity": ROOM}}, subresource="status")

    await _each_node(add)


async def _beat(client: Client) -> None:
    """Every node says that it is ready, which the controllers believe for most of a minute."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ready: JsonObject = {"type": "Ready", "status": "True", "lastHeartbeatTime": now}

    async def beat(number: int) -> None:
        patch: JsonObject = {"status": {"conditions": [ready]}}
        await client.nodes().patch(_node_name(number), patch, PatchType.STRATEGIC, subresource="status")

    await _each_node(beat)


def _node_name(number: int) -> str:
    return f"node-{number:04}"


async def _create(client: Client, wish: Wish) -> None:
    results = await client.pods().create_many([_pod(wish, number) for number in range(PODS)], view=View.NONE)
    for result in results:
        if result.error is not None:
            raise result.error


def _pod(wish: Wish, number: int) -> Pod:
    made = Pod()
    made.metadata.name, made.metadata.namespace = f"pod-{number}", "default"
    requests = made.spec.containers.add(name="main", image="pause").resources.requests
    requests["cpu"].string, requests["memory"].string = "100m", "128Mi"
    made.spec.terminationGracePeriodSeconds = 0
    wish(made, number)
    return made


async def _clear(client: Client) -> None:
    """No pod is left, and nobody is busy with them any more."""
    await asyncio.sleep(_QUIET_SECONDS)
    await client.pods("default").delete_selected(EVERYTHING, Deleting(grace_period_seconds=0))
    await asyncio.sleep(_QUIET_SECONDS)
