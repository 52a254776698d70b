"""What has to be there is made once, and left alone from then on."""

import asyncio

import pytest

from kubewire.apiserver.bootstrap.creator import create_missing
from kubewire.apiserver.bootstrap.objects import Endpoint, roles, wanted
from kubewire.client.testing import virtual_time
from kubewire.machinery import errors, resources
from kubewire.machinery.errors import StatusError
from tests.memory_objects import MemoryObjects

ENDPOINT = Endpoint("192.0.2.1", 6443)


def names(objects: MemoryObjects) -> list[tuple[str, str, str]]:
    """What is there."""
    return [(resource.plural, namespace, name) for resource, namespace, name in objects.items]


async def test_what_is_missing_is_created() -> None:
    """Namespaces, the Service pods reach the server by, and where it is."""
    objects = MemoryObjects()
    await create_missing(objects, resources.builtin(), wanted("10.96.0.0/16", ENDPOINT))
    assert names(objects) == [
        ("namespaces", "", "default"),
        ("namespaces", "", "kube-system"),
        ("namespaces", "", "kube-public"),
        ("namespaces", "", "kube-node-lease"),
        ("services", "default", "kubernetes"),
        ("endpointslices", "default", "kubernetes"),
    ]


async def test_what_is_there_is_left_alone() -> None:
    """A second start reads from the cache and writes nothing."""
    objects = MemoryObjects()
    await create_missing(objects, resources.builtin(), wanted("10.96.0.0/16", ENDPOINT))
    objects.calls.clear()
    await create_missing(objects, resources.builtin(), wanted("10.96.0.0/16", ENDPOINT))
    assert {verb for verb, _, _ in objects.calls} == {"get"}


async def test_a_loopback_address_is_not_published() -> None:
    """It would lead each node to itself."""
    objects = MemoryObjects()
    await create_missing(objects, resources.builtin(), wanted("10.96.0.0/16", Endpoint("127.0.0.1", 6443)))
    assert "endpointslices" not in {plural for plural, _, _ in names(objects)}


async def test_an_address_of_old_is_replaced() -> None:
    """A server that was reached at another address, or port, when it was first started is reached where it is now."""
    objects = MemoryObjects()
    for endpoint in (ENDPOINT, Endpoint("192.0.2.2", 6443), Endpoint("192.0.2.2", 7443)):
        await create_missing(objects, resources.builtin(), wanted("10.96.0.0/16", endpoint))
    verbs = [verb for verb, call, _ in objects.calls if call.resource.plural == "endpointslices"]
    assert [verb for verb in verbs if verb != "get"] == ["create", "update", "update"]


async def test_default_roles_can_be_created() -> None:
    """Every role and binding is of a kind that is served, and they are the default ones."""
    objects = MemoryObjects()
    await create_missing(objects, resources.builtin(), roles())
    found = names(objects)
    assert len(found) > 100
    assert ("clusterroles", "", "cluster-admin") in found
    assert {plural for plural, _, _ in found} == {"clusterroles", "roles", "clusterrolebindings", "rolebindings"}


def test_a_store_that_is_away_is_waited_for() -> None:
    """A fault of the server is tried again for as long as it takes; a refusal is told."""

    async def main() -> None:
        objects = MemoryObjects(failure=errors.service_unavailable("away"))
        async with asyncio.TaskGroup() as group:
            creating = group.create_task(create_missing(objects, resources.builtin(), wanted("10.96.0.0/16", ENDPOINT)))
            await asyncio.sleep(100)
            assert not creating.done()
            objects.failure = None
        objects.failure = errors.bad_request("no")
        with pytest.raises(StatusError, match="no"):
            await create_missing(objects, resources.builtin(), wanted("10.96.0.0/16", ENDPOINT))

    virtual_time.run(main())
