"""Watches over HTTP: frames, bookmarks, ends, and what happens to those who do not read."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.meta.v1.watch_event_pb2 import WatchEvent
from kubewire.api.runtime.runtime_pb2 import Unknown
from tests.integration.rest.rest_stack import RestStack, rest_stack

PROTOBUF = "application/vnd.kubernetes.protobuf;stream=watch"


@pytest.fixture
async def path(http: aiohttp.ClientSession) -> str:
    """Config maps of a namespace of the test's own."""
    name = f"t-{uuid4().hex[:8]}"
    async with http.post("/api/v1/namespaces", json={"metadata": {"name": name}}) as answer:
        assert answer.status == 201
    return f"/api/v1/namespaces/{name}/configmaps"


async def create(http: aiohttp.ClientSession, path: str, name: str, size: int = 1) -> str:
    """A config map; returns its version."""
    async with http.post(path, json={"metadata": {"name": name}, "data": {"k": "v" * size}}) as answer:
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["metadata"]["resourceVersion"])


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    """Decoded JSON frames."""
    async for line in answer.content:
        yield json.loads(line)


async def seen(answer: aiohttp.ClientResponse, count: int) -> list[tuple[str, str]]:
    """Type and name of so many events."""
    found: list[tuple[str, str]] = []
    async for event in events(answer):
        found.append((event["type"], event["object"]["metadata"].get("name", "")))
        if len(found) == count:
            break
    return found


async def test_changes_arrive_in_order(http: aiohttp.ClientSession, path: str) -> None:
    """What is there first, then each change as it happens."""
    await create(http, path, "a")
    async with http.get(path, params={"watch": "true"}) as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        await create(http, path, "b")
        async with http.delete(f"{path}/a"):
            pass
        assert await seen(answer, 3) == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a")]


async def test_a_watch_resumes(http: aiohttp.ClientSession, path: str) -> None:
    """From a version: only what came after it, nothing twice."""
    version = await create(http, path, "a")
    await create(http, path, "b")
    async with http.get(path, params={"watch": "true", "resourceVersion": version}) as answer:
        await create(http, path, "c")
        assert await seen(answer, 2) == [("ADDED", "b"), ("ADDED", "c")]


async def test_protobuf_frames(http: aiohttp.ClientSession, path: str) -> None:
    """Each with its length in front, the object in its envelope."""
    await create(http, path, "a")
    async with http.get(path, params={"watch": "1"}, headers={"Accept": PROTOBUF}) as answer:
        assert answer.headers["Content-Type"] == PROTOBUF
        length = int.from_bytes(await answer.content.readexactly(4), "big")
        event = WatchEvent.FromString(await answer.content.readexactly(length))
    unknown = Unknown.FromString(event.object.raw[4:])
    assert (event.type, ConfigMap.FromString(unknown.raw).metadata.name) == ("ADDED", "a")


async def test_initial_events_end_with_a_bookmark(http: aiohttp.ClientSession, path: str) -> None:
    """A watch that begins with the state says where the state ends."""
    await create(http, path, "a")
    params = {
        "watch": "1",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
    }
    async with http.get(path, params=params) as answer:
        stream = events(answer)
        assert (await anext(stream))["object"]["metadata"]["name"] == "a"
        bookmark = await anext(stream)
    assert bookmark["type"] == "BOOKMARK"
    assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_tables_are_watched(http: aiohttp.ClientSession, path: str) -> None:
    """As `kubectl get -w` does it: columns once, then rows."""
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
    async with http.get(path, params={"watch": "1"}, headers={"Accept": accept}) as answer:
        await create(http, path, "a")
        await create(http, path, "b")
        stream = events(answer)
        first, second = (await anext(stream))["object"], (await anext(stream))["object"]
    assert [column["name"] for column in first["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert second["columnDefinitions"] is None
    assert [table["rows"][0]["cells"][0] for table in (first, second)] == ["a", "b"]


async def test_a_watch_ends_at_its_timeout(http: aiohttp.ClientSession, path: str) -> None:
    """The stream ends as a whole answer does, and the connection goes on."""
    async with http.get(path, params={"watch": "1", "timeoutSeconds": "1"}) as answer:
        assert await answer.content.read() == b""


async def test_lost_history_is_told_in_the_stream(
    stack: RestStack, http: aiohttp.ClientSession, path: str, etcd_of_module: str
) -> None:
    """A version whose history is gone from the store, and was never in memory: 200, and an ERROR event with a 410."""
    await stack.store.compact(int(await create(http, path, "a")))
    params = {"watch": "1", "resourceVersion": "1"}
    async with rest_stack(etcd_of_module) as later, later.session.get(path, params=params) as answer:
        assert answer.status == 200
        event = await anext(events(answer))
        assert await answer.content.read() == b""
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


async def test_what_cannot_be_watched(http: aiohttp.ClientSession, path: str) -> None:
    """Malformed options are told by the status line, before any stream; YAML has no frames."""
    async with http.get(path, params={"watch": "1", "resourceVersion": "x"}) as answer:
        assert answer.status == 400
    async with http.get(path, params={"watch": "1", "sendInitialEvents": "true"}) as answer:
        assert answer.status == 422
    async with http.get(path, params={"watch": "1"}, headers={"Accept": "application/yaml"}) as answer:
        assert answer.status == 406


async def test_stopping_ends_watches(stack: RestStack, http: aiohttp.ClientSession, path: str) -> None:
    """A server that stops ends its watches as whole answers, so that clients come back at once."""
    async with http.get(path, params={"watch": "1"}) as answer:
        await create(http, path, "a")
        assert await seen(answer, 1) == [("ADDED", "a")]
        stopping = asyncio.gather(stack.server.stop(grace_seconds=5.0))
        assert await answer.content.read() == b""
        await stopping


async def test_watchers_leave_nothing_behind(stack: RestStack, http: aiohttp.ClientSession, path: str) -> None:
    """Once clients have left, no watch is counted as open any more."""
    for _ in range(5):
        async with http.get(path, params={"watch": "1"}) as answer:
            await create(http, path, f"a{uuid4().hex[:6]}")
            await seen(answer, 1)
            answer.close()

    async def open_watches() -> float:
        async with http.get("/metrics") as answer:
            text = await answer.text()
        lines = [line for line in text.splitlines() if line.startswith("apiserver_longrunning_requests{")]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    async with asyncio.timeout(10):
        while await open_watches():
            await create(http, path, f"b{uuid4().hex[:6]}")


async def test_a_watcher_that_does_not_read_harms_nobody(
    stack: RestStack, http: aiohttp.ClientSession, path: str
) -> None:
    """Writes go on while a client holds its watch open without reading, and others see them all."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stack.port, limit=1024)
    writer.write(f"GET {path}?watch=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin-token\r\n\r\n".encode())
    await reader.readline()
    async with http.get(path, params={"watch": "1"}) as answer:
        for number in range(60):
            await create(http, path, f"c{number}", size=100_000)
        assert len(await seen(answer, 60)) == 60
    writer.close()
