"""How fast a ReplicaSet becomes pods, with the controller-manager beside the API server as `kubewire up` runs it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.client.client import Client
from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.options import GrpcOptions
from kubewire.machinery.errors import StatusError
from tests.benchmarks.cluster import Cluster
from tests.benchmarks.objects import NOBODY
from tests.benchmarks.report import Row

PODS: Final = 500
_ROUNDS: Final = 3
_REFERENCE: Final = 800.0
"""Between the 590 and 1,010 pods/s that were measured."""


async def creating(cluster: Cluster) -> AsyncIterator[Row]:
    """From the creation of a ReplicaSet of 500 until a watch has shown all of its pods: the best of three."""
    transport = GrpcTransport(
        GrpcOptions((cluster.grpc,), ca_file=cluster.home / "pki" / "ca.crt", token=cluster.token)
    )
    client = Client(transport)
    try:
        await _until_led(client)
        seconds = [await _create_once(client, f"web{number}") for number in range(_ROUNDS)]
    finally:
        await transport.close()
    name = f"ReplicaSet 0 to {PODS} pods created"
    yield Row(name, PODS / min(seconds), "pods/s", reference=_REFERENCE, target=2, note="the reference is 590 to 1,010")


async def _until_led(client: Client) -> None:
    """Return when a leader has had the time to fill its caches."""
    leases = client.resource(Lease, namespace="kube-system")
    while True:
        try:
            if (await leases.get("kube-controller-manager")).spec.holderIdentity:
                break
        except StatusError:
            pass
        await asyncio.sleep(0.1)
    await asyncio.sleep(2)


async def _create_once(client: Client, name: str) -> float:
    made = ReplicaSet()
    made.metadata.name, made.metadata.namespace = name, "default"
    made.spec.replicas = PODS
    made.spec.selector.matchLabels["app"] = name
    made.spec.template.metadata.labels["app"] = name
    made.spec.template.spec.schedulerName = NOBODY
    made.spec.template.spec.containers.add(name="web", image="web:1")
    seen = 0
    async with client.pods("default").watch_batches() as batches:
        begun = time.perf_counter()
        await client.resource(ReplicaSet).create(made)
        async for batch in batches:
            seen += sum(event.type == "ADDED" for event in batch)
            if seen >= PODS:
                break
        seconds = time.perf_counter() - begun
    # What follows, the status and events, is not to weigh on the next round.
    await asyncio.sleep(1)
    return seconds
