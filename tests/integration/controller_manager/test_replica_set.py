"""ReplicaSets against a real etcd, API server and controller-manager."""

import asyncio

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.client.client import Client
from tests.controller_manager_process import ControllerManagerProcess
from tests.integration.controller_manager.workloads import (
    NAMESPACE,
    eventually,
    has_pods,
    has_status,
    pod,
    pods_of,
    replica_set,
    scale,
)


async def test_it_makes_as_many_pods_as_are_asked_for(manager: ControllerManagerProcess, client: Client) -> None:
    """A ReplicaSet of 3 gets 3 pods of its template, under its control, and its status says so; then 0, then 5."""
    sets = client.resource(ReplicaSet, namespace=NAMESPACE)
    made = await sets.create(replica_set("web", 3))
    await has_pods(client, 3)
    await has_status(client, "web", 3)
    for one in await pods_of(client):
        [owner] = one.metadata.ownerReferences
        assert (owner.kind, owner.uid, owner.controller) == ("ReplicaSet", made.metadata.uid, True)
        assert one.metadata.name.startswith("web-")
        assert dict(one.metadata.labels) == {"app": "web"}
    await scale(client, "web", 0)
    await has_pods(client, 0)
    await has_status(client, "web", 0)
    await scale(client, "web", 5)
    await has_pods(client, 5)
    await has_status(client, "web", 5)


async def test_a_deleted_pod_is_replaced(manager: ControllerManagerProcess, client: Client) -> None:
    """When a pod is deleted another one takes its place, under another name."""
    await client.resource(ReplicaSet).create(replica_set("web", 2))
    await has_pods(client, 2)
    before = {one.metadata.name for one in await pods_of(client)}
    gone = min(before)
    await client.pods(NAMESPACE).delete(gone)

    async def is_replaced() -> bool:
        names = {one.metadata.name for one in await pods_of(client)}
        return gone not in names and len(names) == 2 and len(names - before) == 1

    await eventually(is_replaced)


async def test_it_adopts_and_releases(manager: ControllerManagerProcess, client: Client) -> None:
    """A pod without an owner that fits is taken in; one whose labels change is let go, and replaced."""
    await client.pods().create(pod("stray", app="web"))
    made = await client.resource(ReplicaSet).create(replica_set("web", 2))
    await has_status(client, "web", 2)
    found = {one.metadata.name: one for one in await pods_of(client)}
    assert len(found) == 2
    assert [owner.uid for owner in found["stray"].metadata.ownerReferences] == [made.metadata.uid]
    await client.pods(NAMESPACE).patch("stray", {"metadata": {"labels": {"app": "other"}}})
    await has_pods(client, 3)
    await has_status(client, "web", 2)
    assert not (await client.pods(NAMESPACE).get("stray")).metadata.ownerReferences


async def test_killed_in_the_middle(manager: ControllerManagerProcess, client: Client) -> None:
    """A manager that is killed while it creates is followed by one that completes the work; nothing is made twice."""
    sets = client.resource(ReplicaSet)
    await sets.create(replica_set("web", 400))

    async def has_begun() -> bool:
        return bool(await pods_of(client))

    await eventually(has_begun)
    manager.kill()
    # What the dead one sent may still be carried out, and counts.
    assert len(await pods_of(client)) <= 400
    seen = 0

    async def watch_for_surplus() -> None:
        nonlocal seen
        while True:
            seen = max(seen, len(await pods_of(client)))
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        watcher = group.create_task(watch_for_surplus())
        manager.start()
        await has_status(client, "web", 400)
        watcher.cancel()
    assert len(await pods_of(client)) == 400
    assert seen <= 400, "pods were made twice"
