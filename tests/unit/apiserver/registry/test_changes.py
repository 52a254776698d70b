"""Replacing and patching objects, and parts of them."""

import asyncio
from dataclasses import replace

import pytest

from kubewire.apiserver.contracts import Patch, PatchType
from kubewire.apiserver.options import DeleteOptions, WriteOptions
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import PLAIN, Cluster, Json

A: Json = {"metadata": {"name": "a"}, "data": {"k": "v"}}
POD: Json = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
LEASE: Json = {"metadata": {"name": "l"}, "spec": {"holderIdentity": "me"}}


async def refused(cluster: Cluster, name: str, path: str, obj: Json) -> StatusError:
    """The error that replacing an object is answered with."""
    with pytest.raises(StatusError) as raised:
        await cluster.update(name, path, obj)
    return raised.value


async def test_an_update_replaces_the_object(cluster: Cluster) -> None:
    """Identity stays, the version moves on, and the author owns what was changed."""
    old = await cluster.create("configmaps", "default/", A)
    new = await cluster.update(
        "configmaps", "default/a", {**A, "data": {"k": "w", "l": "x"}}, WriteOptions(field_manager="other")
    )
    assert new["data"] == {"k": "w", "l": "x"}
    assert new["metadata"]["uid"] == old["metadata"]["uid"]
    assert new["metadata"]["creationTimestamp"] == old["metadata"]["creationTimestamp"]
    assert int(new["metadata"]["resourceVersion"]) > int(old["metadata"]["resourceVersion"])
    assert [(one["manager"], one["fieldsV1"]) for one in new["metadata"]["managedFields"]] == [
        ("kubectl", {"f:data": {}}),
        ("other", {"f:data": {"f:k": {}, "f:l": {}}}),
    ]
    assert await cluster.get("configmaps", "default/a") == new


async def test_an_update_of_another_version_is_a_conflict(cluster: Cluster) -> None:
    """409 with the advice to read again, whether the version is old or from the future."""
    old = await cluster.create("configmaps", "default/", A)
    await cluster.update("configmaps", "default/a", {**A, "data": {"k": "w"}})
    for version in (old["metadata"]["resourceVersion"], "999999"):
        given = {**A, "metadata": {"name": "a", "resourceVersion": version}}
        error = await refused(cluster, "configmaps", "default/a", given)
        assert (error.code, error.reason) == (409, "Conflict")
        assert str(error) == (
            'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
            "please apply your changes to the latest version and try again"
        )


async def test_an_update_of_another_object_is_a_conflict(cluster: Cluster) -> None:
    """409 naming both uids."""
    old = await cluster.create("configmaps", "default/", A)
    error = await refused(cluster, "configmaps", "default/a", {**A, "metadata": {"name": "a", "uid": "u"}})
    assert str(error) == (
        'Operation cannot be fulfilled on configmaps "a": StorageError: invalid object, Code: 4, '
        "Key: /registry/configmaps/default/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: "
        f"UID in precondition: u, UID in object meta: {old['metadata']['uid']}"
    )


async def test_an_update_that_changes_nothing_writes_nothing(cluster: Cluster) -> None:
    """The version stays, whoever sends the same again, in whatever words."""
    old = await cluster.create("configmaps", "default/", A)
    assert await cluster.update("configmaps", "default/a", old, WriteOptions(field_manager="other")) == old
    assert await cluster.update("configmaps", "default/a", A) == old
    assert await cluster.patch("configmaps", "default/a", {"data": {"k": "v"}}) == old


async def test_changes_that_the_server_takes_back_write_nothing(cluster: Cluster) -> None:
    """A status sent with the object itself is put back, so nothing is left to write."""
    old = await cluster.create("pods", "default/", POD)
    assert await cluster.update("pods", "default/p", {**old, "status": {"phase": "Failed"}}) == old


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "the name of the object (a based on URL) was undeterminable: name must be provided"),
        ({"name": "b"}, "the name of the object (b) does not match the name on the URL (a)"),
        (
            {"name": "a", "namespace": "x"},
            "the namespace of the object (x) does not match the namespace on the request (default)",
        ),
    ],
)
async def test_an_update_is_sent_to_the_object_it_is_of(cluster: Cluster, metadata: Json, message: str) -> None:
    """400 for another name or namespace."""
    await cluster.create("configmaps", "default/", A)
    error = await refused(cluster, "configmaps", "default/a", {"metadata": metadata})
    assert (error.code, str(error)) == (400, message)


async def test_what_is_not_there_is_not_updated(cluster: Cluster) -> None:
    """404, unless the kind lets an update create: then the answer says so."""
    error = await refused(cluster, "configmaps", "default/a", A)
    assert (error.code, str(error)) == (404, 'configmaps "a" not found')
    written = await cluster.write("leases.coordination.k8s.io", "default/l", LEASE)
    assert written.created
    assert await cluster.exists("leases.coordination.k8s.io", "default/l")
    error = await refused(cluster, "leases.coordination.k8s.io", "nowhere/l", LEASE)
    assert str(error) == 'namespaces "nowhere" not found'


async def test_some_kinds_want_the_version_they_replace(cluster: Cluster) -> None:
    """422 for a Lease without one."""
    await cluster.create("leases.coordination.k8s.io", "default/", LEASE)
    error = await refused(cluster, "leases.coordination.k8s.io", "default/l", LEASE)
    assert (error.code, str(error)) == (
        422,
        (
            'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: '
            "must be specified for an update"
        ),
    )


async def test_fields_that_are_fixed_stay_fixed(cluster: Cluster) -> None:
    """422 naming the field."""
    old = await cluster.create("pods", "default/", POD)
    changed = {**old, "spec": {**old["spec"], "hostNetwork": True}}
    error = await refused(cluster, "pods", "default/p", changed)
    assert (error.code, error.reason) == (422, "Invalid")
    assert "pod updates may not change fields other than" in str(error)


async def test_the_status_is_a_part_of_its_own(cluster: Cluster) -> None:
    """An update of the status changes nothing else, and is owned through the subresource."""
    old = await cluster.create("pods", "default/", POD)
    sent = {**old, "status": {"phase": "Running"}, "spec": {"containers": []}}
    new = await cluster.update("pods/status", "default/p", sent)
    assert new["spec"] == old["spec"]
    assert new["status"]["phase"] == "Running"
    assert new["metadata"]["generation"] == 1
    [_, entry] = new["metadata"]["managedFields"]
    assert (entry["subresource"], entry["fieldsV1"]) == ("status", {"f:status": {"f:phase": {}}})
    patched = await cluster.patch("pods/status", "default/p", {"status": {"phase": "Failed"}}, PatchType.STRATEGIC)
    assert patched["status"]["phase"] == "Failed"


async def test_generations_count_changes_of_what_is_wanted(cluster: Cluster) -> None:
    """Labels and the status do not count, replicas do."""
    template = {"metadata": {"labels": {"a": "b"}}, "spec": POD["spec"]}
    given: Json = {
        "metadata": {"name": "d"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
    }
    await cluster.create("deployments.apps", "default/", given)

    async def generation(part: str, patch: Json) -> int:
        new = await cluster.patch(f"deployments.apps{part}", "default/d", patch)
        return int(new["metadata"]["generation"])

    assert await generation("", {"metadata": {"labels": {"x": "y"}}}) == 1
    assert await generation("/status", {"status": {"observedGeneration": 1}}) == 1
    assert await generation("", {"spec": {"replicas": 3}}) == 2


@pytest.mark.parametrize(
    ("kind", "patch", "data"),
    [
        (PatchType.MERGE, {"data": {"k": None, "l": "x"}}, {"l": "x"}),
        (PatchType.STRATEGIC, {"data": {"l": "x"}}, {"k": "v", "l": "x"}),
        (PatchType.JSON, [{"op": "add", "path": "/data/l", "value": "x"}], {"k": "v", "l": "x"}),
    ],
)
async def test_every_kind_of_patch_changes_the_object(
    cluster: Cluster,
    kind: PatchType,
    patch: object,
    data: Json,
) -> None:
    """JSON patch, merge patch and strategic merge patch."""
    await cluster.create("configmaps", "default/", A)
    assert (await cluster.patch("configmaps", "default/a", patch, kind))["data"] == data


async def test_strategic_patches_merge_lists_by_key(cluster: Cluster) -> None:
    """A container is changed by its name, and others are left alone."""
    await cluster.create("pods", "default/", POD)
    patch = {"spec": {"containers": [{"name": "c", "image": "j"}]}}
    new = await cluster.patch("pods", "default/p", patch, PatchType.STRATEGIC)
    assert [(one["name"], one["image"]) for one in new["spec"]["containers"]] == [("c", "j")]
    assert new["spec"]["containers"][0]["imagePullPolicy"] == "Always"


@pytest.mark.parametrize(
    ("kind", "data", "code", "reason"),
    [
        (PatchType.JSON, b"{", 400, "BadRequest"),
        (PatchType.MERGE, b"[]", 400, "BadRequest"),
        (PatchType.JSON, b'[{"op": "test", "path": "/data/k", "value": "w"}]', 422, "Invalid"),
        (PatchType.MERGE, b'{"metadata": {"resourceVersion": "1"}}', 409, "Conflict"),
        (PatchType.MERGE, b'{"metadata": {"name": "b"}}', 400, "BadRequest"),
        (PatchType.MERGE, b'{"data": 3}', 400, "BadRequest"),
    ],
)
async def test_patches_that_cannot_be_applied_say_why(
    cluster: Cluster, kind: PatchType, data: bytes, code: int, reason: str
) -> None:
    """Malformed, failing a test, of another version or another object."""
    await cluster.create("configmaps", "default/", A)
    with pytest.raises(StatusError) as raised:
        await cluster.objects.patch(cluster.call("configmaps", "default/a"), Patch(kind, data), PLAIN)
    assert (raised.value.code, raised.value.reason) == (code, reason)


async def test_updates_without_version_all_arrive(cluster: Cluster) -> None:
    """Concurrent patches of one object are repeated until each has been applied to what others have written."""
    await cluster.create("configmaps", "default/", A)
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(cluster.patch("configmaps", "default/a", {"data": {f"k{number}": "v"}}))
    assert len((await cluster.get("configmaps", "default/a"))["data"]) == 21


async def test_a_dry_update_writes_nothing(cluster: Cluster) -> None:
    """It answers with the change, at the version that is stored."""
    old = await cluster.create("configmaps", "default/", A)
    new = await cluster.update("configmaps", "default/a", {**A, "data": {}}, WriteOptions(dry_run=True))
    assert "data" not in new
    assert new["metadata"]["resourceVersion"] == old["metadata"]["resourceVersion"]
    assert await cluster.get("configmaps", "default/a") == old


async def test_taking_off_the_last_finalizer_of_a_deleted_object_removes_it(cluster: Cluster) -> None:
    """The update that does so is the end of the object."""
    await cluster.create("configmaps", "default/", {"metadata": {"name": "a", "finalizers": ["x.io/y", "x.io/z"]}})
    assert not await cluster.delete("configmaps", "default/a")
    await cluster.patch("configmaps", "default/a", {"metadata": {"finalizers": ["x.io/z"]}})
    assert await cluster.exists("configmaps", "default/a")
    await cluster.patch("configmaps", "default/a", {"metadata": {"finalizers": None}})
    assert not await cluster.exists("configmaps", "default/a")


async def test_a_namespace_ends_when_its_finalizers_are_done(cluster: Cluster) -> None:
    """Deleting marks it Terminating; `finalize` with nothing left removes it."""
    await cluster.create("namespaces", "", {"metadata": {"name": "n"}})
    assert not await cluster.delete("namespaces", "n")
    found = await cluster.get("namespaces", "n")
    assert found["status"]["phase"] == "Terminating"
    assert found["spec"]["finalizers"] == ["kubernetes"]
    assert found["metadata"]["deletionTimestamp"]
    found["spec"]["finalizers"] = []
    await cluster.update("namespaces/finalize", "n", found)
    assert not await cluster.exists("namespaces", "n")


async def test_a_stale_cache_misleads_nobody(cluster: Cluster) -> None:
    """What the cache has not seen yet is looked up in the store before an update or a delete is refused."""
    made = await cluster.create("configmaps", "default/", A)
    newer = await cluster.update("configmaps", "default/a", {**A, "data": {"k": "w"}})
    assert newer != made
    written = await cluster.update("configmaps", "default/a", {**newer, "data": {"k": "x"}})
    version = written["metadata"]["resourceVersion"]
    options = DeleteOptions()
    precise = replace(options, preconditions=replace(options.preconditions, resource_version=version))
    assert await cluster.delete("configmaps", "default/a", precise)
    with pytest.raises(StatusError, match="not found"):
        await cluster.delete("configmaps", "default/a")


async def test_parts_that_a_kind_does_not_have_are_not_found(cluster: Cluster) -> None:
    """404 for any verb; 405 for verbs that a part does not have. Nothing is written."""
    await cluster.create("configmaps", "default/", A)
    for write in (cluster.update, cluster.create):
        with pytest.raises(StatusError, match="the server could not find the requested resource") as raised:
            await write("configmaps/status", "default/a", A)
        assert raised.value.code == 404
    with pytest.raises(StatusError, match="the server could not find the requested resource"):
        await cluster.get("configmaps/status", "default/a")
    with pytest.raises(StatusError) as raised:
        await cluster.create("pods/status", "default/p", POD)
    assert raised.value.code == 405
    with pytest.raises(StatusError) as raised:
        await cluster.get("pods/binding", "default/p")
    assert raised.value.code == 405
