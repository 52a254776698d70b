"""Garbage collection against a real etcd, API server and controller-manager."""

import pytest

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.client.client import Client
from kubewire.client.resources.options import Deleting, Propagation
from tests.controller_manager_process import ControllerManagerProcess
from tests.integration.controller_manager.workloads import (
    NAMESPACE,
    eventually,
    has_pods,
    has_status,
    pods_of,
    replica_set,
)


@pytest.mark.parametrize(
    ("propagation", "left"), [(Propagation.BACKGROUND, 0), (Propagation.FOREGROUND, 0), (Propagation.ORPHAN, 3)]
)
async def test_deleting_a_replica_set(
    manager: ControllerManagerProcess, client: Client, propagation: Propagation, left: int
) -> None:
    """Its pods go after it, before it, or stay without it, as its deletion asks for."""
    sets = client.resource(ReplicaSet, namespace=NAMESPACE)
    await sets.create(replica_set("web", 3))
    await has_status(client, "web", 3)
    await sets.delete("web", Deleting(propagation=propagation))

    async def is_gone() -> bool:
        return [one async for one in sets.list()] == []

    await eventually(is_gone)
    await has_pods(client, left)
    assert not any(one.metadata.ownerReferences for one in await pods_of(client))
