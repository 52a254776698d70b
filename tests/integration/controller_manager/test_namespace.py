"""Namespaces against a real etcd, API server and controller-manager: filled when made, emptied when deleted."""

import pytest

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.namespace_pb2 import Namespace
from kubewire.api.core.v1.service_account_pb2 import ServiceAccount
from kubewire.client.client import Client
from kubewire.machinery.errors import Reason, StatusError
from tests.controller_manager_process import ControllerManagerProcess
from tests.integration.controller_manager.workloads import eventually, pod, replica_set


def namespace(name: str) -> Namespace:
    """A namespace."""
    made = Namespace()
    made.metadata.name = name
    return made


async def exists(
    client: Client, kind: type[Namespace | ServiceAccount | ConfigMap], name: str, where: str = ""
) -> bool:
    """Whether an object is there."""
    try:
        await client.resource(kind, namespace=where).get(name)
    except StatusError as error:
        if error.reason != Reason.NOT_FOUND:
            raise
        return False
    return True


async def test_a_namespace_lives_and_dies(manager: ControllerManagerProcess, client: Client) -> None:
    """It gets its service account and the CA; deleted, all that is in it goes, and then it does."""
    await client.resource(Namespace).create(namespace("shop"))

    async def is_filled() -> bool:
        return await exists(client, ServiceAccount, "default", "shop") and await exists(
            client, ConfigMap, "kube-root-ca.crt", "shop"
        )

    await eventually(is_filled)
    published = await client.resource(ConfigMap, namespace="shop").get("kube-root-ca.crt")
    assert published.data["ca.crt"] == manager.server.ca.read_text()
    workload, lone = replica_set("web", 3), pod("lone", app="lone")
    workload.metadata.namespace = lone.metadata.namespace = "shop"
    await client.resource(type(workload)).create(workload)
    await client.pods().create(lone)

    async def has_four() -> bool:
        return len([one async for one in client.pods("shop").list()]) == 4

    await eventually(has_four)
    await client.resource(Namespace).delete("shop")

    async def is_gone() -> bool:
        return not await exists(client, Namespace, "shop")

    await eventually(is_gone)
    assert [one async for one in client.pods("shop").list()] == []
    assert [one async for one in client.resource(ConfigMap, namespace="shop").list()] == []
    with pytest.raises(StatusError):
        await client.resource(type(workload), namespace="shop").get("web")
