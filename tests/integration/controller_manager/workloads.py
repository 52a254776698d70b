"""Objects the tests make, and waiting for what they should become."""

import asyncio
from collections.abc import Awaitable, Callable

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.client import Client

PATIENCE_SECONDS = 60.0
NAMESPACE = "default"


def replica_set(name: str, replicas: int, **labels: str) -> ReplicaSet:
    """A ReplicaSet of pods with these labels, or `app=<name>`."""
    made = ReplicaSet()
    made.metadata.name, made.metadata.namespace = name, NAMESPACE
    made.spec.replicas = replicas
    chosen = labels or {"app": name}
    made.spec.selector.matchLabels.update(chosen)
    made.spec.template.metadata.labels.update(chosen)
    made.spec.template.spec.containers.add(name="web", image="web:1")
    return made


def pod(name: str, **labels: str) -> Pod:
    """A pod that nobody controls."""
    made = Pod()
    made.metadata.name, made.metadata.namespace = name, NAMESPACE
    made.metadata.labels.update(labels)
    made.spec.containers.add(name="web", image="web:1")
    return made


async def scale(client: Client, name: str, replicas: int) -> None:
    """Change what a ReplicaSet asks for."""
    await client.resource(ReplicaSet, namespace=NAMESPACE).patch(name, {"spec": {"replicas": replicas}})


async def pods_of(client: Client, namespace: str = NAMESPACE) -> list[Pod]:
    """All pods of a namespace."""
    return [found async for found in client.pods(namespace).list()]


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Return when it holds; how long that takes is not what is tested."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await holds():  # noqa: ASYNC110 - what is waited for is on a server
            await asyncio.sleep(0.02)


async def has_pods(client: Client, count: int) -> None:
    """Return when there are so many pods."""

    async def holds() -> bool:
        return len(await pods_of(client)) == count

    await eventually(holds)


async def has_status(client: Client, name: str, replicas: int) -> None:
    """Return when a ReplicaSet's status tells so many, of the spec as it is."""

    async def holds() -> bool:
        found = await client.resource(ReplicaSet, namespace=NAMESPACE).get(name)
        now = found.status
        return (now.replicas, now.observedGeneration) == (replicas, found.metadata.generation)

    await eventually(holds)
