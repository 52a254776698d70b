"""What a client may count on, whatever server is behind it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from kubewire.api.apps.v1.deployment_pb2 import Deployment
from kubewire.api.core.v1.binding_pb2 import Binding
from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.client import Client
from kubewire.client.resources.options import Deleting, PatchType, Selection, View, Watching
from kubewire.client.resources.resource_client import ResourceClient
from kubewire.client.resources.results import WatchEvent
from kubewire.machinery.errors import Reason, StatusError
from kubewire.machinery.gvk import GroupVersionResource
from kubewire.machinery.json_value import JsonValue
from tests.conformance.client.objects import NAMESPACE, config_map, deployment, node, pod

CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")
OURS = Selection("suite=conformance")
LABELS = {"suite": "conformance"}


@pytest.fixture
def maps(client: Client) -> ResourceClient[ConfigMap]:
    """ConfigMaps of one namespace."""
    return client.resource(ConfigMap, namespace=NAMESPACE)


async def reason_of(call: object) -> str:
    """The reason a call fails with."""
    with pytest.raises(StatusError) as failure:
        await call  # type: ignore[misc]  # any awaitable
    return failure.value.reason


async def take(events: AsyncIterator[WatchEvent[ConfigMap]], count: int) -> list[tuple[str, str]]:
    """Type and name of the next events that are no bookmarks."""
    taken: list[tuple[str, str]] = []
    async with asyncio.timeout(20):
        while len(taken) < count:
            event = await anext(events)
            if event.type != "BOOKMARK":
                taken.append((event.type, event.object.metadata.name))
    return taken


async def test_create_and_get(maps: ResourceClient[ConfigMap]) -> None:
    """A created object has an identity and a version, and is read back as it was answered."""
    created = await maps.create(config_map("a", color="red"))
    assert created.metadata.uid
    assert created.metadata.resourceVersion
    assert created.metadata.HasField("creationTimestamp")
    found = await maps.get("a")
    assert found == created
    assert found.data["color"] == "red"


async def test_namespace_comes_from_the_object(client: Client) -> None:
    """A client of all namespaces writes where the object says."""
    created = await client.resource(ConfigMap).create(config_map("a"))
    assert created.metadata.namespace == NAMESPACE


async def test_generated_names(maps: ResourceClient[ConfigMap]) -> None:
    """generateName gives each object its own name."""
    wanted = config_map("")
    wanted.metadata.generateName = "job-"
    names = {(await maps.create(wanted)).metadata.name for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("job-") for name in names)


async def test_reasons_of_failures(maps: ResourceClient[ConfigMap]) -> None:
    """Missing, existing and outdated objects are told apart."""
    assert await reason_of(maps.get("a")) == Reason.NOT_FOUND
    created = await maps.create(config_map("a"))
    assert await reason_of(maps.create(config_map("a"))) == Reason.ALREADY_EXISTS
    created.data["color"] = "blue"
    updated = await maps.update(created)
    assert updated.data["color"] == "blue"
    created.data["color"] = "green"
    assert await reason_of(maps.update(created)) == Reason.CONFLICT
    assert (await maps.get("a")).data["color"] == "blue"
    assert await reason_of(maps.update(config_map("b"))) == Reason.NOT_FOUND
    assert await reason_of(maps.delete("b")) == Reason.NOT_FOUND


async def test_an_update_that_changes_nothing_writes_nothing(maps: ResourceClient[ConfigMap]) -> None:
    """The version stays."""
    created = await maps.create(config_map("a", color="red"))
    assert (await maps.update(created)).metadata.resourceVersion == created.metadata.resourceVersion


@pytest.mark.parametrize(
    ("patch_type", "patch"),
    [
        (PatchType.MERGE, {"data": {"color": "blue", "size": None}}),
        (PatchType.STRATEGIC, b'{"data": {"color": "blue", "size": null}}'),
        (
            PatchType.JSON,
            [{"op": "replace", "path": "/data/color", "value": "blue"}, {"op": "remove", "path": "/data/size"}],
        ),
    ],
)
async def test_patches(maps: ResourceClient[ConfigMap], patch_type: PatchType, patch: "bytes | JsonValue") -> None:
    """Each kind of patch changes what it names and nothing else."""
    await maps.create(config_map("a", color="red", size="10", shape="round"))
    patched = await maps.patch("a", patch, patch_type)
    assert dict(patched.data) == {"color": "blue", "shape": "round"}
    assert await maps.get("a") == patched
    assert await reason_of(maps.patch("a", b"{", patch_type)) == Reason.BAD_REQUEST
    assert await reason_of(maps.patch("nobody", patch, patch_type)) == Reason.NOT_FOUND


async def test_lists_are_paged_over_one_snapshot(maps: ResourceClient[ConfigMap]) -> None:
    """Pages follow each other by name, and writes between them do not show."""
    await maps.create_many([config_map(f"m{number:03}", labels=LABELS) for number in range(25)])
    names: list[str] = []
    versions: set[str] = set()
    async with aclosing(maps.pages(OURS, limit=10)) as pages:
        async for page in pages:
            names += [item.metadata.name for item in page.items]
            versions.add(page.resource_version)
            await maps.create(config_map(f"m010-{len(names)}", labels=LABELS))
    assert names == [f"m{number:03}" for number in range(25)]
    assert len(versions) == 1
    assert len([item async for item in maps.list(OURS)]) == 28


async def test_lists_select(client: Client, maps: ResourceClient[ConfigMap]) -> None:
    """By labels, by fields and by namespace."""
    await maps.create(config_map("a", labels={**LABELS, "tier": "web"}))
    await maps.create(config_map("b", labels=LABELS))
    by_label = [item.metadata.name async for item in maps.list(Selection("tier=web"))]
    by_field = [item.metadata.name async for item in maps.list(Selection("", "metadata.name=b"))]
    everywhere = [item.metadata.name async for item in client.resource(ConfigMap).list(OURS)]
    assert (by_label, by_field, everywhere) == (["a"], ["b"], ["a", "b"])


async def test_batches_tell_each_result(maps: ResourceClient[ConfigMap]) -> None:
    """Some objects of a batch may fail; results are in order, and as detailed as asked for."""
    await maps.create(config_map("b"))
    results = await maps.create_many([config_map(name) for name in "abc"])
    assert [result.object is not None and result.object.metadata.name for result in results] == ["a", False, "c"]
    assert results[1].error is not None
    assert results[1].error.reason == Reason.ALREADY_EXISTS
    assert results[0].unwrap().metadata.uid
    silent = await maps.create_many([config_map(name) for name in "cd"], view=View.NONE)
    assert [(result.object, result.error is None) for result in silent] == [(None, False), (None, True)]
    gone = await maps.delete_many(["a", "nobody", "c"])
    assert [result.error.reason if result.error else "" for result in gone] == ["", Reason.NOT_FOUND, ""]


async def test_delete_by_selection(maps: ResourceClient[ConfigMap]) -> None:
    """What matches is deleted and nothing else."""
    await maps.create_many([config_map("a", labels=LABELS), config_map("b", labels=LABELS), config_map("c")])
    assert len(await maps.delete_selected(OURS)) == 2
    assert [item.metadata.name async for item in maps.list(Selection("", "metadata.name=c"))] == ["c"]
    assert [item async for item in maps.list(OURS)] == []


async def test_finalizers_hold_an_object(maps: ResourceClient[ConfigMap]) -> None:
    """A deletion begins, and is done when the last finalizer goes."""
    wanted = config_map("a")
    wanted.metadata.finalizers.append("example.com/hold")
    await maps.create(wanted)
    held = await maps.delete("a")
    assert held.metadata.HasField("deletionTimestamp")
    again = await maps.get("a")
    del again.metadata.finalizers[:]
    await maps.update(again)
    assert await reason_of(maps.get("a")) == Reason.NOT_FOUND


async def test_preconditions_guard_a_delete(maps: ResourceClient[ConfigMap]) -> None:
    """An object that is not the one meant is not deleted."""
    created = await maps.create(config_map("a"))
    other = "3f1c1a52-9a9d-4b5e-8f2b-0d9c7d0e1c11"
    assert await reason_of(maps.delete("a", Deleting(uid=other))) == Reason.CONFLICT
    assert await reason_of(maps.delete("a", Deleting(resource_version="999999999"))) == Reason.CONFLICT
    await maps.delete("a", Deleting(uid=created.metadata.uid))
    assert await reason_of(maps.get("a")) == Reason.NOT_FOUND


async def test_status_is_written_apart(client: Client) -> None:
    """An update does not touch the status, and a status update nothing else."""
    nodes = client.resource(Node)
    created = await nodes.create(node("conformance-node"))
    created.status.nodeInfo.kubeletVersion = "v1"
    created.spec.unschedulable = True
    after_status = await nodes.update_status(created)
    assert after_status.status.nodeInfo.kubeletVersion == "v1"
    assert not after_status.spec.unschedulable
    after_status.status.nodeInfo.kubeletVersion = "v2"
    after_status.spec.unschedulable = True
    after_update = await nodes.update(after_status)
    assert after_update.spec.unschedulable
    assert after_update.status.nodeInfo.kubeletVersion == "v1"
    await nodes.delete("conformance-node")


async def test_a_spec_change_raises_the_generation(client: Client) -> None:
    """Labels do not, the spec does."""
    deployments = client.resource(Deployment, namespace=NAMESPACE)
    created = await deployments.create(deployment("web", 1))
    created.metadata.labels["tier"] = "web"
    labelled = await deployments.update(created)
    assert labelled.metadata.generation == created.metadata.generation == 1
    labelled.spec.replicas = 2
    assert (await deployments.update(labelled)).metadata.generation == 2


async def test_pods_are_bound_once(client: Client) -> None:
    """Binding assigns the node; a second one is a conflict."""
    pods = client.pods(NAMESPACE)
    await pods.create(pod("web"))
    binding = Binding()
    binding.metadata.namespace, binding.metadata.name = NAMESPACE, "web"
    binding.target.kind, binding.target.name = "Node", "n1"
    await pods.bind(binding)
    assert (await pods.get("web")).spec.nodeName == "n1"
    assert await reason_of(pods.bind(binding)) == Reason.CONFLICT
    await pods.create(pod("db"))
    other = Binding()
    other.CopyFrom(binding)
    other.metadata.name = "db"
    missing = Binding()
    missing.CopyFrom(binding)
    missing.metadata.name = "nobody"
    outcomes = await pods.bind_many([binding, other, missing])
    assert [outcome.reason if outcome else "" for outcome in outcomes] == [Reason.CONFLICT, "", Reason.NOT_FOUND]


async def test_scale(client: Client) -> None:
    """The scale of a workload is read and written apart from it."""
    deployments = client.resource(Deployment, namespace=NAMESPACE)
    await deployments.create(deployment("web", 3))
    scale = await deployments.get_scale("web")
    assert scale.spec.replicas == 3
    scale.spec.replicas = 5
    assert (await deployments.update_scale("web", scale)).spec.replicas == 5
    assert (await deployments.get("web")).spec.replicas == 5


async def test_watch_from_now(maps: ResourceClient[ConfigMap]) -> None:
    """A watch without a version tells of what happens from now on, in order."""
    await maps.create(config_map("before"))
    async with maps.watch() as events:
        created = await maps.create(config_map("a"))
        created.data["color"] = "red"
        await maps.update(created)
        await maps.delete("a")
        assert await take(events, 3) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


async def test_watch_with_initial_state(maps: ResourceClient[ConfigMap]) -> None:
    """What there is comes first, then a bookmark that says so, then changes."""
    await maps.create_many([config_map(name, labels=LABELS) for name in "abc"])
    async with asyncio.timeout(20), maps.watch(Watching(OURS, initial_state=True)) as events:
        initial = [await anext(events) for _ in range(4)]
        assert [(event.type, event.object.metadata.name) for event in initial[:3]] == [
            ("ADDED", "a"),
            ("ADDED", "b"),
            ("ADDED", "c"),
        ]
        assert initial[3].is_initial_end
        assert initial[3].resource_version
        await maps.delete("b")
        assert await take(events, 1) == [("DELETED", "b")]


async def test_watch_resumes_after_any_event(maps: ResourceClient[ConfigMap]) -> None:
    """From the version of each event, the rest comes again and nothing else."""
    start = (await maps.page(limit=1)).resource_version
    for name in "abc":
        await maps.create(config_map(name))
    await maps.delete("a")
    wanted = [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "c"), ("DELETED", "a")]
    async with asyncio.timeout(20), maps.watch(Watching(resource_version=start)) as events:
        versions = [event.resource_version async for event in first(events, 4)]
    for place, version in enumerate(versions[:-1], 1):
        async with maps.watch(Watching(resource_version=version)) as events:
            assert await take(events, 4 - place) == wanted[place:]


async def first(events: AsyncIterator[WatchEvent[ConfigMap]], count: int) -> AsyncIterator[WatchEvent[ConfigMap]]:
    """The next events that are no bookmarks."""
    left = count
    while left:
        event = await anext(events)
        if event.type != "BOOKMARK":
            left -= 1
            yield event


async def test_watch_follows_a_selection(maps: ResourceClient[ConfigMap]) -> None:
    """An object that comes to match is added, one that ceases to is deleted, with a version to resume from."""
    start = (await maps.page(limit=1)).resource_version
    made = await maps.create(config_map("a"))
    made.metadata.labels["suite"] = "conformance"
    made = await maps.update(made)
    del made.metadata.labels["suite"]
    made = await maps.update(made)
    async with asyncio.timeout(20), maps.watch(Watching(OURS, resource_version=start)) as events:
        seen = [event async for event in first(events, 2)]
    assert [event.type for event in seen] == ["ADDED", "DELETED"]
    assert seen[1].resource_version == made.metadata.resourceVersion


async def test_watch_ends_when_its_time_is_over(maps: ResourceClient[ConfigMap]) -> None:
    """The iteration ends by itself."""
    async with asyncio.timeout(20):
        async with maps.watch(Watching(timeout_seconds=1)) as events:
            assert [event async for event in events if event.type != "BOOKMARK"] == []


async def test_any_kind_by_name(client: Client) -> None:
    """ObjectService reads, lists, watches and writes the same objects, whole or as metadata alone."""
    dynamic = client.dynamic.resource(CONFIG_MAPS, namespace=NAMESPACE)
    metadata = client.dynamic.metadata(CONFIG_MAPS, namespace=NAMESPACE)
    created = await client.resource(ConfigMap).create(config_map("a", labels=LABELS, color="red"))
    found = await dynamic.get("a")
    assert (found.api_version, found.kind) == ("v1", "ConfigMap")
    assert found.decode(ConfigMap) == created
    assert [item.metadata.name async for item in dynamic.list(OURS)] == ["a"]
    assert (await metadata.get("a")).metadata == created.metadata
    assert [item.metadata.uid async for item in metadata.list(OURS)] == [created.metadata.uid]
    async with asyncio.timeout(20), metadata.watch(Watching(OURS, initial_state=True)) as events:
        event = await anext(events)
        assert (event.type, event.object.metadata.uid) == ("ADDED", created.metadata.uid)
        assert len(event.object.SerializeToString()) < len(created.SerializeToString())
    assert await reason_of(dynamic.get("nobody")) == Reason.NOT_FOUND
    await metadata.delete("a")
    assert await reason_of(dynamic.get("a")) == Reason.NOT_FOUND


async def test_what_is_not_served(client: Client) -> None:
    """A resource nobody knows is NotFound."""
    unknown = client.dynamic.resource(GroupVersionResource("example.com", "v1", "widgets"), namespace=NAMESPACE)
    assert await reason_of(unknown.get("a")) == Reason.NOT_FOUND


async def test_deployment_and_pod_types_are_apart(client: Client) -> None:
    """Kinds with the same name do not meet."""
    await client.pods(NAMESPACE).create(pod("web"))
    assert await reason_of(client.resource(Deployment, namespace=NAMESPACE).get("web")) == Reason.NOT_FOUND
    assert isinstance(await client.pods(NAMESPACE).get("web"), Pod)
