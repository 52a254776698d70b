"""What the client costs: a typed call beside its transport, and an informer that takes in ten thousand pods.

CPU time of this process, the best of several rounds: there is no server, answers are bytes made before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.client import Client
from kubewire.client.informer.index import by_owner_uid
from kubewire.client.informer.informer import Handler, Informer
from kubewire.client.resources.results import INITIAL_EVENTS_END
from kubewire.client.workqueue.queue import WorkQueue
from kubewire.rpc.v1.raw_responses_pb2 import RawEvents
from tests.benchmarks.report import Row

_OBJECTS = 10_000
_BATCH = 500
_CALLS = 10_000
_ROUNDS = 3


class _Canned:
    """A transport whose answers are ready."""

    def __init__(self, answer: bytes, streams: Sequence[Sequence[bytes]] = ()) -> None:
        self._answer = answer
        self._streams = streams
        self.go_on = asyncio.Event()

    async def unary(self, method: str, request: bytes, *, timeout_seconds: float) -> bytes:
        return self._answer

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        request: bytes,
        *,
        timeout_seconds: float,
        open_timeout_seconds: float,
    ) -> AsyncGenerator[AsyncIterator[bytes], None]:
        yield self._messages()

    async def _messages(self) -> AsyncIterator[bytes]:
        for part in self._streams:
            for message in part:
                yield message
            await self.go_on.wait()
        await asyncio.get_running_loop().create_future()

    async def close(self) -> None:
        """Nothing is open."""


def _pod(number: int, version: int) -> Pod:
    pod = Pod()
    metadata = pod.metadata
    metadata.name, metadata.namespace, metadata.uid = f"web-{number:05}", f"ns{number % 10}", f"{number:036}"
    metadata.resourceVersion = str(version)
    metadata.labels.update({"app": "web", "pod-template-hash": "5d4f8c7b9"})
    metadata.ownerReferences.add(apiVersion="apps/v1", kind="ReplicaSet", name="web", uid="x" * 36, controller=True)
    metadata.managedFields.add(manager="kubelet", operation="Update", apiVersion="v1").fieldsV1.Raw = b"{" * 400
    pod.spec.nodeName = f"node-{number % 1000}"
    pod.spec.containers.add(name="web", image="registry.example/web:1", imagePullPolicy="IfNotPresent")
    for condition in ("Initialized", "Ready", "ContainersReady", "PodScheduled"):
        pod.status.conditions.add(type=condition, status="True")
    return pod


def _messages(type: str, first_version: int) -> list[bytes]:
    """All pods as events, `_BATCH` of them a message."""
    found: list[bytes] = []
    for start in range(0, _OBJECTS, _BATCH):
        message = RawEvents()
        for number in range(start, start + _BATCH):
            message.events.add(type=type, object=_pod(number, first_version + number).SerializeToString())
        found.append(message.SerializeToString())
    return found


def _initial_end() -> bytes:
    end = Pod()
    end.metadata.resourceVersion = str(_OBJECTS)
    end.metadata.annotations[INITIAL_EVENTS_END] = "true"
    message = RawEvents()
    message.events.add(type="BOOKMARK", object=end.SerializeToString())
    return message.SerializeToString()


async def measure() -> AsyncIterator[Row]:
    """Typed calls, informer, queue."""
    pod = _pod(1, 1)
    raw = pod.SerializeToString()
    pods = Client(_Canned(raw)).pods("ns1")
    decode = await _each(_CALLS, partial(_decode, raw))
    yield Row("client: typed get, decoding included", await _each(_CALLS, partial(pods.get, "web")), "us", limit=decode)
    yield Row("client: typed create", await _each(_CALLS, partial(pods.create, pod)), "us", limit=decode)
    taken = [await _taken_in() for _ in range(_ROUNDS)]
    yield Row("client: informer, first state, each pod", min(first for first, _ in taken), "us", limit=decode)
    yield Row("client: informer, each update", min(update for _, update in taken), "us", limit=decode)
    yield Row("client: workqueue, add, get and done", await _each(_CALLS, partial(_round_trip, WorkQueue[int]())), "us")


async def _decode(raw: bytes) -> Pod:
    return Pod.FromString(raw)


async def _round_trip(queue: WorkQueue[int]) -> None:
    queue.add(1)
    queue.done(await queue.get())


async def _each(count: int, call: Callable[[], Awaitable[object]]) -> float:
    """Microseconds of CPU a call."""
    best = float("inf")
    for _ in range(_ROUNDS):
        started = time.process_time()
        for _ in range(count):
            await call()
        best = min(best, time.process_time() - started)
    return best / count * 1e6


async def _taken_in() -> tuple[float, float]:
    """Microseconds of CPU for each object of the first state, and for each update."""
    transport = _Canned(b"", [[*_messages("ADDED", 1), _initial_end()], _messages("MODIFIED", _OBJECTS + 1)])
    informer = Informer(Client(transport).pods())
    informer.add_index("owner", by_owner_uid)
    updates, done = 0, asyncio.Event()

    def updated(_before: Pod, _now: Pod) -> None:
        nonlocal updates
        updates += 1
        if updates == _OBJECTS:
            done.set()

    informer.add_handler(Handler(updated=updated))
    async with asyncio.TaskGroup() as group:
        started = time.process_time()
        running = group.create_task(informer.run())
        await informer.wait_synced()
        synced = time.process_time()
        transport.go_on.set()
        await done.wait()
        ended = time.process_time()
        running.cancel()
    return (synced - started) / _OBJECTS * 1e6, (ended - synced) / _OBJECTS * 1e6
