"""Scheduling with a real etcd and a real API server: pods get nodes, once, whatever happens to schedulers."""

import asyncio
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import grpc.aio
import pytest
from google.protobuf.message import Message

from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.api.core.v1.event_pb2 import Event
from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.client import Client
from kubewire.client.resources.options import View
from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.options import GrpcOptions
from kubewire.scheduler.v1.scheduler_service_pb2 import (
    ExplainPodRequest,
    ExplainPodResponse,
    ListQueueRequest,
    ListQueueResponse,
)
from tests.apiserver_process import ApiServerProcess, running_apiserver
from tests.scheduler_process import SchedulerProcess, running_scheduler

SERVICE = "kubewire.scheduler.v1.SchedulerService"
PATIENCE_SECONDS = 20.0
QUICK_ELECTION = (
    "--leader-elect-lease-seconds=2",
    "--leader-elect-renew-deadline-seconds=1.5",
    "--leader-elect-retry-seconds=0.2",
)


@pytest.fixture
def apiserver(etcd: str, tmp_path: Path) -> Iterator[ApiServerProcess]:
    """A fresh cluster."""
    with running_apiserver(tmp_path / "apiserver", etcd) as server:
        yield server


@asynccontextmanager
async def client_of(apiserver: ApiServerProcess) -> AsyncIterator[Client]:
    """An admin's client."""
    transport = GrpcTransport(
        GrpcOptions(endpoints=(apiserver.grpc,), ca_file=apiserver.ca, token=apiserver.token, user_agent="test/1.0")
    )
    try:
        yield Client(transport)
    finally:
        await transport.close()


def node(name: str, cpu: str = "4") -> Node:
    """A node that takes pods."""
    made = Node()
    made.metadata.name = name
    for resource, amount in (("cpu", cpu), ("memory", "16Gi"), ("pods", "110")):
        made.status.allocatable[resource].string = amount
        made.status.capacity[resource].string = amount
    return made


def pod(name: str, cpu: str = "10m") -> Pod:
    """A pod that asks for some CPU."""
    made = Pod()
    made.metadata.name = name
    made.metadata.namespace = "default"
    container = made.spec.containers.add(name="main", image="pause")
    container.resources.requests["cpu"].string = cpu
    return made


async def add_nodes(client: Client, *nodes: Node) -> None:
    """Nodes that are ready: with their status, which a create leaves out, and without the taint it puts on them."""
    for one in nodes:
        made = await client.nodes().create(one)
        made.spec.ClearField("taints")
        made = await client.nodes().update(made)
        made.status.CopyFrom(one.status)
        await client.nodes().update_status(made)


async def pods_of(client: Client) -> dict[str, Pod]:
    """All pods by name."""
    return {one.metadata.name: one async for one in client.pods("default").list()}


async def until(client: Client, holds: Callable[[dict[str, Pod]], bool]) -> dict[str, Pod]:
    """Look at pods until something holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with client.pods("default").watch() as changes:
            if holds(pods := await pods_of(client)):
                return pods
            async for change in changes:
                pods[change.object.metadata.name] = change.object
                if holds(pods):
                    return pods
    raise AssertionError("the watch ended")


def all_bound(count: int) -> Callable[[dict[str, Pod]], bool]:
    """Whether so many pods are there, each with a node."""
    return lambda pods: len(pods) == count and all(one.spec.nodeName for one in pods.values())


async def test_pods_get_nodes(apiserver: ApiServerProcess, tmp_path: Path) -> None:
    """Every pod that fits gets a node and its condition; one that does not is told why, and bound later."""
    async with client_of(apiserver) as client:
        await add_nodes(client, node("n1"), node("n2"))
        with running_scheduler(tmp_path / "scheduler", apiserver) as scheduler:
            await client.pods().create_many([pod(f"p{number}") for number in range(50)], view=View.NONE)
            pods = await until(client, all_bound(50))
            assert {one.spec.nodeName for one in pods.values()} == {"n1", "n2"}
            assert all(conditions(one)["PodScheduled"] == "True" for one in pods.values())

            await client.pods().create(pod("large", cpu="6"))
            pods = await until(client, lambda pods: "PodScheduled" in conditions(pods["large"]))
            [condition] = [one for one in pods["large"].status.conditions if one.type == "PodScheduled"]
            assert (condition.status, condition.reason) == ("False", "Unschedulable")
            assert condition.message == "0/2 nodes are available: 2 Insufficient cpu."
            assert condition.lastTransitionTime.seconds > 0
            await check_own_service(scheduler)

            await add_nodes(client, node("n3", cpu="8"))
            pods = await until(client, all_bound(51))
            assert pods["large"].spec.nodeName == "n3"
            await until_event(client, "Scheduled", "Successfully assigned default/large to n3")
            await until_event(client, "FailedScheduling", "0/2 nodes are available: 2 Insufficient cpu.")
            assert b"scheduler_schedule_attempts_total" in await read(f"{scheduler.metrics}/metrics")
            assert await read(f"{scheduler.metrics}/readyz") == b"ok"
            assert scheduler.stop() == 0


async def check_own_service(scheduler: SchedulerProcess) -> None:
    """The queue tells of the large pod, and the explanation says who refuses it."""
    async with grpc.aio.insecure_channel(scheduler.grpc) as channel:

        async def call(method: str, request: Message) -> bytes:
            stub: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/{SERVICE}/{method}")
            return await stub(request.SerializeToString(), timeout=10)

        queue = ListQueueResponse.FromString(await call("ListQueue", ListQueueRequest()))
        assert [(one.name, one.place, list(one.plugins)) for one in queue.pods] == [
            ("large", "unschedulable", ["NodeResourcesFit"])
        ]
        request = ExplainPodRequest(namespace="default", name="large")
        told = ExplainPodResponse.FromString(await call("ExplainPod", request))
        assert told.message == "0/2 nodes are available: 2 Insufficient cpu."
        assert [(one.plugin, one.nodes) for one in told.refusals] == [("NodeResourcesFit", 2)]


async def test_killed_in_the_middle(apiserver: ApiServerProcess, tmp_path: Path) -> None:
    """A scheduler that is killed while it binds is followed by another: every pod is bound, and bound once."""
    async with client_of(apiserver) as client:
        await add_nodes(client, *(node(f"n{number}") for number in range(5)))
        with running_scheduler(tmp_path / "scheduler", apiserver, *QUICK_ELECTION) as scheduler:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(bindings_seen(client, 400))
                await asyncio.sleep(0.2)
                await client.pods().create_many([pod(f"p{number}") for number in range(400)], view=View.NONE)
                await until(client, lambda pods: any(one.spec.nodeName for one in pods.values()))
                scheduler.kill()
                scheduler.start()
                pods = await until(client, all_bound(400))
            assert watching.result() == {name: one.spec.nodeName for name, one in pods.items()}


async def bindings_seen(client: Client, count: int) -> dict[str, str]:
    """Watch until so many pods have a node; none ever changes it."""
    found: dict[str, str] = {}
    async with asyncio.timeout(PATIENCE_SECONDS), client.pods().watch() as events:
        async for event in events:
            one = event.object
            if one.spec.nodeName:
                assert found.setdefault(one.metadata.name, one.spec.nodeName) == one.spec.nodeName, "bound twice"
            if len(found) == count:
                break
    return found


async def test_one_of_two_leads(apiserver: ApiServerProcess, tmp_path: Path) -> None:
    """Of two schedulers one leads; when it is killed, the other takes over and schedules."""
    async with client_of(apiserver) as client:
        await add_nodes(client, node("n1"))
        with (
            running_scheduler(tmp_path / "first", apiserver, *QUICK_ELECTION) as first,
            running_scheduler(tmp_path / "second", apiserver, *QUICK_ELECTION) as second,
        ):
            await client.pods().create(pod("p0"))
            await until(client, all_bound(1))
            assert sum('"msg":"leading"' in one.log.read_text() for one in (first, second)) == 1
            leader = first if '"msg":"leading"' in first.log.read_text() else second
            before = await holder(client)
            leader.kill()
            await client.pods().create(pod("p1"))
            await until(client, all_bound(2))
            assert await holder(client) != before


async def holder(client: Client) -> str:
    """Who holds the Lease."""
    return (await client.resource(Lease, namespace="kube-system").get("kube-scheduler")).spec.holderIdentity


async def until_event(client: Client, reason: str, message: str) -> None:
    """Look at events until one says this."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with aclosing(client.resource(Event, namespace="default").list()) as events:
                if (reason, message) in [(one.reason, one.message) async for one in events]:
                    return
            await asyncio.sleep(0.05)


async def read(url: str) -> bytes:
    """A page."""

    def fetch() -> bytes:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bytes(answer.read())

    return await asyncio.to_thread(fetch)


def conditions(one: Pod) -> dict[str, str]:
    """A pod's conditions by type."""
    return {condition.type: condition.status for condition in one.status.conditions}
