"""Objects over HTTP: every verb, every format, against a real etcd."""

import asyncio
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
import yaml

from kubewire.api.core.v1.config_map_pb2 import ConfigMap, ConfigMapList
from kubewire.api.meta.v1.status_pb2 import Status
from kubewire.api.runtime.runtime_pb2 import Unknown
from kubewire.apiserver.encoding.envelope import wrap

PROTOBUF = "application/vnd.kubernetes.protobuf"
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
async def path(http: aiohttp.ClientSession) -> str:
    """Config maps of a namespace of the test's own."""
    name = f"t-{uuid4().hex[:8]}"
    async with http.post("/api/v1/namespaces", json={"metadata": {"name": name}}) as answer:
        assert answer.status == 201
    return f"/api/v1/namespaces/{name}/configmaps"


def config_map(name: str, **data: str) -> dict[str, Any]:
    """A config map as clients post it."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def created(http: aiohttp.ClientSession, path: str, name: str, **data: str) -> dict[str, Any]:
    """A config map that is there."""
    async with http.post(path, json=config_map(name, **data)) as answer:
        assert answer.status == 201, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found


def message_of(data: bytes) -> Unknown:
    """What an envelope holds."""
    assert data.startswith(b"k8s\x00")
    return Unknown.FromString(data[4:])


async def test_an_object_lives(http: aiohttp.ClientSession, path: str) -> None:
    """Created, read, replaced, patched, listed, deleted; each answer is the object as it then is."""
    first = await created(http, path, "a", k="v")
    assert first["metadata"]["uid"]
    async with http.get(f"{path}/a") as answer:
        assert await answer.json() == first
    async with http.put(f"{path}/a", json={**first, "data": {"k": "w"}}) as answer:
        second = await answer.json()
    assert (answer.status, second["data"]) == (200, {"k": "w"})
    assert int(second["metadata"]["resourceVersion"]) > int(first["metadata"]["resourceVersion"])
    async with http.patch(f"{path}/a", json={"data": {"l": "x"}}, headers=MERGE) as answer:
        assert (await answer.json())["data"] == {"k": "w", "l": "x"}
    async with http.get(path) as answer:
        listed = await answer.json()
    assert [item["metadata"]["name"] for item in listed["items"]] == ["a"]
    async with http.delete(f"{path}/a") as answer:
        status = await answer.json()
    assert (status["status"], status["details"]["name"]) == ("Success", "a")
    async with http.get(f"{path}/a") as answer:
        assert answer.status == 404


async def test_protobuf_both_ways(http: aiohttp.ClientSession, path: str) -> None:
    """Objects, lists and errors in envelopes."""
    message = ConfigMap(data={"k": "v"})
    message.metadata.name = "a"
    body = wrap("v1", "ConfigMap", message.SerializeToString())
    headers = {"Content-Type": PROTOBUF, "Accept": PROTOBUF}
    async with http.post(path, data=body, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (201, PROTOBUF)
        assert ConfigMap.FromString(message_of(await answer.read()).raw).data == {"k": "v"}
    async with http.get(path, headers=headers) as answer:
        listed = ConfigMapList.FromString(message_of(await answer.read()).raw)
    assert [item.metadata.name for item in listed.items] == ["a"]
    async with http.get(f"{path}/none", headers=headers) as answer:
        status = Status.FromString(message_of(await answer.read()).raw)
    assert (answer.status, status.reason, status.code) == (404, "NotFound", 404)


async def test_yaml_answers(http: aiohttp.ClientSession, path: str) -> None:
    """What YAML says is what JSON says."""
    first = await created(http, path, "a", k="v")
    async with http.get(f"{path}/a", headers={"Accept": "application/yaml"}) as answer:
        assert answer.content_type == "application/yaml"
        assert yaml.safe_load(await answer.text()) == first
    async with http.get(path, headers={"Accept": "application/yaml"}) as answer:
        assert len(yaml.safe_load(await answer.text())["items"]) == 1


async def test_pages_are_one_snapshot(http: aiohttp.ClientSession, path: str) -> None:
    """Pages of one list see the same objects, whatever is created meanwhile."""
    for name in "abcde":
        await created(http, path, name)
    names: list[str] = []
    token = ""
    while True:
        async with http.get(path, params={"limit": "2", "continue": token}) as answer:
            page = await answer.json()
        names += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            break
        await created(http, path, f"c{len(names)}")
    assert names == list("abcde")


async def test_selectors(http: aiohttp.ClientSession, path: str) -> None:
    """By label and by field."""
    for name, label in (("a", "x"), ("b", "y")):
        body = config_map(name)
        body["metadata"]["labels"] = {"l": label}
        async with http.post(path, json=body) as answer:
            assert answer.status == 201
    for params in ({"labelSelector": "l=y"}, {"fieldSelector": "metadata.name=b"}):
        async with http.get(path, params=params) as answer:
            assert [item["metadata"]["name"] for item in (await answer.json())["items"]] == ["b"]


async def test_tables(http: aiohttp.ClientSession, path: str) -> None:
    """A list and an object as kubectl asks for them."""
    await created(http, path, "a", k="v")
    for where in (path, f"{path}/a"):
        async with http.get(where, headers=TABLE) as answer:
            table = await answer.json()
        assert table["kind"] == "Table"
        assert table["rows"][0]["cells"][:2] == ["a", 1]


async def test_collections_are_deleted(http: aiohttp.ClientSession, path: str) -> None:
    """Those that match, and they are listed in the answer."""
    for name in "ab":
        await created(http, path, name)
    async with http.delete(path, params={"fieldSelector": "metadata.name=a"}) as answer:
        gone = await answer.json()
    assert (gone["kind"], [item["metadata"]["name"] for item in gone["items"]]) == ("ConfigMapList", ["a"])
    async with http.get(path) as answer:
        assert [item["metadata"]["name"] for item in (await answer.json())["items"]] == ["b"]


async def test_a_dry_run_changes_nothing(http: aiohttp.ClientSession, path: str) -> None:
    """The answer is what would have been."""
    async with http.post(path, json=config_map("a"), params={"dryRun": "All"}) as answer:
        assert answer.status == 201
    async with http.get(f"{path}/a") as answer:
        assert answer.status == 404


async def test_unknown_fields_warn_or_fail(http: aiohttp.ClientSession, path: str) -> None:
    """A warning by default, an error when strict, silence when ignored."""
    body = {**config_map("a"), "spec": {}}
    async with http.post(path, json=body, params={"dryRun": "All"}) as answer:
        assert answer.headers.getall("Warning") == ['299 - "unknown field \\"spec\\""']
    async with http.post(path, json=body, params={"fieldValidation": "Strict"}) as answer:
        assert answer.status == 400
        assert 'unknown field "spec"' in (await answer.json())["message"]
    async with http.post(path, json=body, params={"fieldValidation": "Ignore"}) as answer:
        assert (answer.status, "Warning" in answer.headers) == (201, False)


async def test_conflicts(http: aiohttp.ClientSession, path: str) -> None:
    """Creating twice and writing over a newer version are 409, each with its reason."""
    first = await created(http, path, "a")
    async with http.post(path, json=config_map("a")) as answer:
        assert (answer.status, (await answer.json())["reason"]) == (409, "AlreadyExists")
    async with http.patch(f"{path}/a", json={"data": {"k": "v"}}, headers=MERGE) as answer:
        assert answer.status == 200
    async with http.put(f"{path}/a", json=first) as answer:
        assert (answer.status, (await answer.json())["reason"]) == (409, "Conflict")


async def test_preconditions_of_deletes(http: aiohttp.ClientSession, path: str) -> None:
    """In the body of a DELETE."""
    await created(http, path, "a")
    async with http.delete(f"{path}/a", json={"preconditions": {"uid": "other"}}) as answer:
        assert (answer.status, (await answer.json())["reason"]) == (409, "Conflict")
    async with http.get(f"{path}/a") as answer:
        assert answer.status == 200


async def test_large_lists_arrive_whole(http: aiohttp.ClientSession, path: str) -> None:
    """A list of several pieces is one document, in JSON and in protobuf."""
    async with asyncio.TaskGroup() as group:
        for number in range(200):
            group.create_task(created(http, path, f"c{number:03}", k="v" * 10_000))
    async with http.get(path) as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert len((await answer.json())["items"]) == 200
    async with http.get(path, headers={"Accept": PROTOBUF}) as answer:
        assert len(ConfigMapList.FromString(message_of(await answer.read()).raw).items) == 200


async def test_subresources(http: aiohttp.ClientSession, path: str) -> None:
    """Status is written by itself; binding answers with a Status; scale has its own kind."""
    namespace = path.removesuffix("/configmaps")
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    async with http.post(f"{namespace}/pods", json=pod) as answer:
        assert answer.status == 201, await answer.text()
    target = {"target": {"kind": "Node", "name": "n"}}
    async with http.post(f"{namespace}/pods/p/binding", json={**target, "metadata": {"name": "p"}}) as answer:
        bound = await answer.json()
    assert (answer.status, bound["kind"], bound["status"]) == (201, "Status", "Success")
    async with http.patch(f"{namespace}/pods/p/status", json={"status": {"phase": "Running"}}, headers=MERGE) as answer:
        changed = await answer.json()
    assert (changed["status"]["phase"], changed["spec"]["nodeName"]) == ("Running", "n")
    sets = namespace.replace("/api/v1", "/apis/apps/v1") + "/replicasets"
    labels = {"l": "v"}
    template = {"metadata": {"labels": labels}, "spec": pod["spec"]}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    async with http.post(sets, json={"metadata": {"name": "r"}, "spec": spec}) as answer:
        assert answer.status == 201, await answer.text()
    async with http.get(f"{sets}/r/scale") as answer:
        scale = await answer.json()
    assert (scale["kind"], scale["apiVersion"], scale["spec"]) == ("Scale", "autoscaling/v1", {"replicas": 2})
