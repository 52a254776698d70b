"""Deleting objects: at once, after a grace period, or when nothing holds them any more."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from kubewire.apiserver.auth.authentication import as_member
from kubewire.apiserver.contracts import Deleted
from kubewire.apiserver.options import DeleteOptions, ListOptions, Preconditions
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import AT_ONCE, Cluster, Json

A: Json = {"metadata": {"name": "a"}}
CONTAINERS = [{"name": "c", "image": "i"}]
POD: Json = {"metadata": {"name": "p"}, "spec": {"containers": CONTAINERS}}


async def bound_pod(cluster: Cluster) -> dict[str, Any]:
    """A pod on a node."""
    return await cluster.create("pods", "default/", {**POD, "spec": {"containers": CONTAINERS, "nodeName": "n"}})


async def test_an_object_goes_at_once(cluster: Cluster) -> None:
    """What is answered is the last state, at the deletion's version."""
    made = await cluster.create("configmaps", "default/", A)
    deleted = await cluster.objects.delete(cluster.call("configmaps", "default/a"), AT_ONCE)
    assert deleted.is_gone
    assert deleted.item.revision > int(made["metadata"]["resourceVersion"])
    assert deleted.item.metadata.uid == made["metadata"]["uid"]
    with pytest.raises(StatusError) as raised:
        await cluster.delete("configmaps", "default/a")
    assert (raised.value.code, str(raised.value)) == (404, 'configmaps "a" not found')
    [newest, _] = cluster.core.ring.of("configmaps", "default", "a")
    assert (newest.verb, newest.revision) == ("delete", deleted.item.revision)


async def test_pods_on_nodes_get_time_to_end(cluster: Cluster) -> None:
    """They are marked; asking again changes nothing, and the kubelet's zero ends them."""
    await bound_pod(cluster)
    assert not await cluster.delete("pods", "default/p")
    marked = await cluster.get("pods", "default/p")
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 30
    assert marked["metadata"]["deletionTimestamp"] == "2027-01-15T08:00:30Z"
    assert marked["metadata"]["generation"] == 2
    assert not await cluster.delete("pods", "default/p")
    assert await cluster.get("pods", "default/p") == marked
    assert not await cluster.delete("pods", "default/p", DeleteOptions(grace_period_seconds=5))
    shortened = await cluster.get("pods", "default/p")
    assert shortened["metadata"]["deletionTimestamp"] == "2027-01-15T08:00:05Z"
    assert await cluster.delete("pods", "default/p", DeleteOptions(grace_period_seconds=0))


async def test_pods_on_no_node_go_at_once(cluster: Cluster) -> None:
    """Nobody has anything to end."""
    await cluster.create("pods", "default/", POD)
    assert await cluster.delete("pods", "default/p")


async def test_dependents_are_waited_for_when_asked(cluster: Cluster) -> None:
    """Foreground deletion leaves the object to the garbage collector."""
    await cluster.create("configmaps", "default/", A)
    assert not await cluster.delete("configmaps", "default/a", DeleteOptions(propagation_policy="Foreground"))
    found = await cluster.get("configmaps", "default/a")
    assert found["metadata"]["finalizers"] == ["foregroundDeletion"]


async def test_the_wrong_object_is_not_deleted(cluster: Cluster) -> None:
    """409 for another uid or version."""
    await cluster.create("configmaps", "default/", A)
    for conditions in (Preconditions(uid="x"), Preconditions(resource_version="1")):
        with pytest.raises(StatusError) as raised:
            await cluster.delete("configmaps", "default/a", DeleteOptions(preconditions=conditions))
        assert (raised.value.code, raised.value.reason) == (409, "Conflict")


@pytest.mark.parametrize("name", ["default", "kube-system"])
async def test_the_systems_namespaces_stay(cluster: Cluster, name: str) -> None:
    """403."""
    with pytest.raises(StatusError) as raised:
        await cluster.delete("namespaces", name)
    assert (raised.value.code, str(raised.value)) == (
        403,
        f'namespaces "{name}" is forbidden: this namespace may not be deleted',
    )


async def test_a_dry_run_deletes_nothing(cluster: Cluster) -> None:
    """It tells whether the object would be gone."""
    await cluster.create("configmaps", "default/", A)
    assert await cluster.delete("configmaps", "default/a", DeleteOptions(dry_run=True))
    assert await cluster.exists("configmaps", "default/a")


async def test_contradicting_options_are_refused(cluster: Cluster) -> None:
    """422 before anything is looked up."""
    with pytest.raises(StatusError) as raised:
        await cluster.delete("configmaps", "default/a", DeleteOptions(propagation_policy="x"))
    assert raised.value.code == 422


async def test_many_names_have_a_result_each(cluster: Cluster) -> None:
    """Those that are not there do not keep others from going."""
    for name in ("a", "b"):
        await cluster.create("configmaps", "default/", {"metadata": {"name": name}})
    results = await cluster.objects.delete_many(cluster.call("configmaps", "default/"), ["a", "x", "b"], AT_ONCE)
    assert [one.is_gone if isinstance(one, Deleted) else one.reason for one in results] == [True, "NotFound", True]


async def test_a_selection_is_deleted_and_nothing_else(cluster: Cluster) -> None:
    """Labels choose; what was chosen is answered."""
    for name, label in (("a", "x"), ("b", "y"), ("c", "x")):
        obj: Json = {"metadata": {"name": name, "labels": {"l": label}}}
        await cluster.create("configmaps", "default/", obj)
    selection = ListOptions(label_selector="l=x")
    items = await cluster.objects.delete_collection(cluster.call("configmaps", "default/"), AT_ONCE, selection)
    assert [item.name for item in items] == ["a", "c"]
    assert await cluster.exists("configmaps", "default/b")
    assert not await cluster.exists("configmaps", "default/a")


async def test_deleting_a_selection_has_a_verb_of_its_own(cluster: Cluster) -> None:
    """403 names `deletecollection`."""
    call = replace(cluster.call("configmaps", "default/"), identity=as_member("x"))
    with pytest.raises(StatusError, match="cannot deletecollection resource"):
        await cluster.objects.delete_collection(call, AT_ONCE, ListOptions())


async def test_an_object_is_deleted_once(cluster: Cluster) -> None:
    """Of several that delete at the same time, one succeeds."""
    await cluster.create("configmaps", "default/", A)
    results = await asyncio.gather(
        *(cluster.delete("configmaps", "default/a") for _ in range(5)), return_exceptions=True
    )
    assert sorted(str(one) for one in results) == ["True", *['configmaps "a" not found'] * 4]
