"""Rows measured over gRPC: batches, single calls, lists."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from functools import cache

from google.protobuf import json_format

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.apiserver.etcd.http2.channel import Channel, Target, Timing
from kubewire.rpc.core.v1 import pod_service_pb2 as pods
from kubewire.rpc.v1.options_pb2 import OBJECT_VIEW_NONE
from tests.benchmarks.cluster import Cluster
from tests.benchmarks.objects import NOBODY, SENT
from tests.benchmarks.report import Row

SERVICE = "/kubewire.rpc.core.v1.PodService/"
_BATCH = 100


class Caller:
    """Calls of the PodService as bytes over one connection, by the client that the API server calls etcd with.

    grpc.aio would spend more on receiving a message than the server on sending it, and be what is measured.
    """

    def __init__(self, cluster: Cluster) -> None:
        host, _, port = cluster.insecure_grpc.rpartition(":")
        self._channel = Channel(Target(host=host, port=int(port)), Timing(10, 60, 60))
        self._metadata = (("authorization", f"Bearer {cluster.token}"),)

    async def unary(self, method: str, request: bytes) -> bytes:
        """One call; its answer's bytes."""
        return await self._channel.unary(SERVICE + method, bytes, bytes, self._metadata)(request, timeout=60)

    async def stream(self, method: str, request: bytes) -> AsyncIterator[bytes]:
        """One server stream."""
        call = self._channel.stream(SERVICE + method, bytes, bytes, self._metadata)
        try:
            await call.write(request)
            while (answer := await call.read()) is not None:
                yield answer
        finally:
            call.cancel()

    async def close(self) -> None:
        """End every call."""
        await self._channel.close()


@cache
def _template() -> bytes:
    """The pod that the REST benchmarks write, as a message, without its name."""
    content = {
        "metadata": {"namespace": "default", "labels": {"app": "web", "tier": "front"}},
        "spec": {
            "schedulerName": NOBODY,
            "containers": [
                {
                    "name": "web",
                    "image": "registry.example/web:1.2",
                    "ports": [{"containerPort": 8080, "name": "http"}],
                    "env": [{"name": "MODE", "value": "production"}],
                    "resources": {
                        "requests": {"cpu": {"string": "100m"}, "memory": {"string": "128Mi"}},
                        "limits": {"cpu": {"string": "500m"}, "memory": {"string": "256Mi"}},
                    },
                }
            ],
        },
    }
    return json_format.ParseDict(content, Pod()).SerializeToString()


def pod(name: str) -> Pod:
    """A pod that says when it was made."""
    made = Pod.FromString(_template())
    made.metadata.name = name
    made.metadata.annotations[SENT] = str(time.time_ns())
    return made


def batch(names: Sequence[str]) -> bytes:
    """A CreatePods request that wants statuses only."""
    request = pods.CreatePodsRequest(namespace="default", pods=[pod(name) for name in names], view=OBJECT_VIEW_NONE)
    return request.SerializeToString()


async def create_batches(caller: Caller, prefix: str, count: int, *, in_flight: int) -> float:
    """Create `count` pods in batches; objects per second. Raises RuntimeError if one fails."""
    requests = iter(
        [batch([f"{prefix}-{number}" for number in range(start, start + _BATCH)]) for start in range(0, count, _BATCH)]
    )

    async def work() -> None:
        for request in requests:
            answer = pods.CreatePodsResponse.FromString(await caller.unary("CreatePods", request))
            failed = [result.status.message for result in answer.results if result.HasField("status")]
            if failed or len(answer.results) != _BATCH:
                raise RuntimeError(f"{len(answer.results)} results, failures: {failed[:3]}")

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(work())
    return count / (time.perf_counter() - begun)


async def creating(cluster: Cluster) -> AsyncIterator[Row]:
    """Pods in batches of 100, two batches in flight; and one by one, 16 in flight."""
    caller = Caller(cluster)
    try:
        await create_batches(caller, "grpc-warm", 1000, in_flight=2)
        rate = await create_batches(caller, "grpc-batch", 10_000, in_flight=2)
        yield Row("create pods, gRPC, batches of 100", rate, "/s", reference=817, target=4.0)
        rate = await _one_by_one(caller, 4000)
        yield Row("create pods, gRPC, 16 in flight", rate, "/s", reference=817)
    finally:
        await caller.close()


async def _one_by_one(caller: Caller, count: int) -> float:
    requests = (
        pods.CreatePodRequest(namespace="default", pod=pod(f"grpc-one-{number}")).SerializeToString()
        for number in range(count)
    )

    async def work() -> None:
        for request in requests:
            await caller.unary("CreatePod", request)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(16):
            group.create_task(work())
    return count / (time.perf_counter() - begun)
