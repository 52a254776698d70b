"""The registry over a real etcd, alone and beside another server."""

import asyncio

import pytest

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.runtime.runtime_pb2 import Unknown
from kubewire.apiserver.contracts import Written
from kubewire.apiserver.options import DeleteOptions
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import PLAIN, Cluster, Json, body

A: Json = {"metadata": {"name": "a"}, "data": {"k": "v"}}
POD: Json = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}


async def test_an_object_lives_through_all_verbs(first: Cluster) -> None:
    """Created, read, changed, bound, and deleted when its time is over."""
    await first.create("pods", "default/", POD)
    await first.patch("pods", "default/p", {"metadata": {"labels": {"a": "b"}}})
    binding = body({"target": {"kind": "Node", "name": "n"}})
    await first.objects.create(first.call("pods/binding", "default/p"), binding, PLAIN)
    found = await first.get("pods", "default/p")
    assert found["spec"]["nodeName"] == "n"
    assert found["metadata"]["labels"] == {"a": "b"}
    assert not await first.delete("pods", "default/p")
    assert await first.delete("pods", "default/p", DeleteOptions(grace_period_seconds=0))
    with pytest.raises(StatusError, match="not found"):
        await first.get("pods", "default/p")


async def test_what_is_stored_is_kubernetes_own_form(first: Cluster) -> None:
    """Under its key, in its envelope, without a version of its own."""
    await first.create("configmaps", "default/", A)
    entry = await first.store.get(b"/registry/configmaps/default/a")
    assert entry is not None
    assert entry.value.startswith(b"k8s\0")
    unknown = Unknown.FromString(entry.value[4:])
    assert (unknown.typeMeta.apiVersion, unknown.typeMeta.kind) == ("v1", "ConfigMap")
    stored = ConfigMap.FromString(unknown.raw)
    assert stored.data["k"] == "v"
    assert not stored.metadata.HasField("resourceVersion")
    assert stored.metadata.managedFields[0].manager == "kubectl"


async def test_kinds_stored_as_json_are(first: Cluster) -> None:
    """APIServices are, in etcd; everybody else sees them as any other kind."""
    spec = {"group": "x.io", "version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 15}
    name = "apiservices.apiregistration.k8s.io"
    await first.create(name, "", {"metadata": {"name": "v1.x.io"}, "spec": spec})
    entry = await first.store.get(b"/registry/apiregistration.k8s.io/apiservices/v1.x.io")
    assert entry is not None
    assert entry.value.startswith(b'{"kind":"APIService","apiVersion":"apiregistration.k8s.io/v1"')
    assert (await first.get(name, "v1.x.io"))["spec"] == spec


async def test_what_one_server_wrote_the_other_can_use_at_once(first: Cluster, second: Cluster) -> None:
    """Namespaces, objects to be changed, and objects to be deleted need not have reached its cache."""
    await first.create("namespaces", "", {"metadata": {"name": "n"}})
    await second.create("configmaps", "n/", A)
    await first.patch("configmaps", "n/a", {"data": {"l": "w"}})
    assert (await second.get("configmaps", "n/a"))["data"] == {"k": "v", "l": "w"}
    await second.delete("configmaps", "n/a")
    with pytest.raises(StatusError, match="not found"):
        await first.patch("configmaps", "n/a", {"data": {"l": "w"}})


async def test_a_name_is_given_once(first: Cluster, second: Cluster) -> None:
    """Of many servers that create the same object, one succeeds."""
    servers = (first, second) * 5
    results = await asyncio.gather(
        *(server.create("configmaps", "default/", A) for server in servers), return_exceptions=True
    )
    assert sum(not isinstance(result, StatusError) for result in results) == 1


async def test_concurrent_changes_all_arrive(first: Cluster, second: Cluster) -> None:
    """Patches without a version are repeated until they are applied, whoever else writes."""
    await first.create("configmaps", "default/", A)
    async with asyncio.TaskGroup() as group:
        for number in range(30):
            server = (first, second)[number % 2]
            group.create_task(server.patch("configmaps", "default/a", {"data": {f"k{number}": "v"}}))
    assert len((await first.get("configmaps", "default/a"))["data"]) == 31


async def test_addresses_and_ports_are_given_once(first: Cluster, second: Cluster) -> None:
    """Two servers that create Services at the same time give each one of its own."""
    spec = {"type": "NodePort", "selector": {"a": "b"}, "ports": [{"port": 80}]}
    made = await asyncio.gather(
        *(
            (first, second)[number % 2].create(
                "services", "default/", {"metadata": {"name": f"s{number}"}, "spec": spec}
            )
            for number in range(20)
        )
    )
    assert len({one["spec"]["clusterIP"] for one in made}) == 20
    assert len({one["spec"]["ports"][0]["nodePort"] for one in made}) == 20


async def test_a_batch_is_written_side_by_side(first: Cluster) -> None:
    """A thousand objects in one call, each with a version of its own."""
    bodies = [body({"metadata": {"name": f"c{number}"}}) for number in range(1000)]
    results = await first.objects.create_many(first.call("configmaps", "default/"), bodies, PLAIN)
    revisions = {result.item.revision for result in results if isinstance(result, Written)}
    assert len(revisions) == 1000


async def test_an_object_that_etcd_does_not_take_is_too_large(first: Cluster) -> None:
    """413, and the server goes on."""
    rule = {"verbs": ["get"], "apiGroups": [""], "resources": ["x" * 2_000_000]}
    with pytest.raises(StatusError) as raised:
        await first.create("roles.rbac.authorization.k8s.io", "default/", {"metadata": {"name": "a"}, "rules": [rule]})
    assert (raised.value.code, raised.value.reason) == (413, "RequestEntityTooLarge")
    await first.create("configmaps", "default/", A)
