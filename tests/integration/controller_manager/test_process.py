"""The controller-manager as a process: election, faces, end."""

import asyncio
import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TypeAlias

import grpc.aio

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.client.client import Client
from kubewire.controller_manager.table import CONTROLLERS
from kubewire.controller_manager.v1.controller_manager_service_pb2 import (
    GetLeaderRequest,
    GetLeaderResponse,
    ListControllersRequest,
    ListControllersResponse,
)
from tests.apiserver_process import ApiServerProcess
from tests.controller_manager_process import ControllerManagerProcess, running_controller_manager
from tests.integration.controller_manager.workloads import eventually, has_pods, has_status, replica_set

Call: TypeAlias = "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]"
SERVICE = "/kubewire.controller_manager.v1.ControllerManagerService"


async def leader_of(manager: ControllerManagerProcess) -> GetLeaderResponse:
    """Who leads, as a manager sees it."""
    async with grpc.aio.insecure_channel(manager.addresses["grpc"]) as channel:
        ask: Call = channel.unary_unary(f"{SERVICE}/GetLeader")
        return GetLeaderResponse.FromString(await ask(GetLeaderRequest().SerializeToString()))


async def running_controllers(manager: ControllerManagerProcess) -> list[str]:
    """The controllers at work in a manager."""
    async with grpc.aio.insecure_channel(manager.addresses["grpc"]) as channel:
        ask: Call = channel.unary_unary(f"{SERVICE}/ListControllers")
        answer = ListControllersResponse.FromString(await ask(ListControllersRequest().SerializeToString()))
    return [one.name for one in answer.controllers if one.running]


async def until_led_by(manager: ControllerManagerProcess, identity: str) -> None:
    """Return when a manager sees this leader."""

    async def holds() -> bool:
        return (await leader_of(manager)).identity == identity

    await eventually(holds)


async def test_one_leads(
    apiserver: ApiServerProcess, manager: ControllerManagerProcess, client: Client, tmp_path: Path
) -> None:
    """Of two managers one works and one waits; when the one is killed, the other takes over, and goes on."""
    await until_led_by(manager, manager.identity)
    with running_controller_manager(tmp_path, apiserver, name="second") as second:
        await until_led_by(second, manager.identity)
        assert "replicaset-controller" in await running_controllers(manager)
        assert await running_controllers(second) == []
        await client.resource(ReplicaSet).create(replica_set("web", 3))
        await has_pods(client, 3)
        manager.kill()
        await until_led_by(second, second.identity)
        await client.resource(ReplicaSet).create(replica_set("db", 2))
        await has_pods(client, 5)
        await has_status(client, "db", 2)


async def test_it_tells_of_itself(manager: ControllerManagerProcess, client: Client) -> None:
    """Metrics stand under Kubernetes' names, health says ok, and SIGTERM ends it in order, giving the lead up."""
    await until_led_by(manager, manager.identity)
    await client.resource(ReplicaSet).create(replica_set("web", 3))
    await has_pods(client, 3)
    metrics = await asyncio.to_thread(_get, manager, "/metrics")
    assert 'workqueue_adds_total{name="replicaset-controller"}' in metrics
    assert 'leader_election_master_status{name="kube-controller-manager"} 1' in metrics
    assert 'running_managed_controllers{name="replicaset-controller",manager="kube-controller-manager"} 1' in metrics
    assert await asyncio.to_thread(_get, manager, "/healthz") == "ok"
    assert await asyncio.to_thread(manager.stop) == 0


def _get(manager: ControllerManagerProcess, path: str) -> str:
    with urllib.request.urlopen(f"http://{manager.addresses['metrics']}{path}") as answer:
        text: str = answer.read().decode()
        return text


async def test_grpcurl_describes_and_asks_it(manager: ControllerManagerProcess) -> None:
    """Reflection tells what can be called, and grpcurl calls it without any file."""
    await until_led_by(manager, manager.identity)
    listed = await asyncio.to_thread(_grpcurl, manager.addresses["grpc"], "list")
    assert {"grpc.health.v1.Health", SERVICE.strip("/")} <= set(listed.split())
    answer = await asyncio.to_thread(_grpcurl, manager.addresses["grpc"], f"{SERVICE.strip('/')}/ListControllers")
    names = [one["name"] for one in json.loads(answer)["controllers"]]
    assert names == [entry.name for entry in CONTROLLERS]


def _grpcurl(*arguments: str) -> str:
    program = Path(sys.executable).parent / "grpcurl"
    return subprocess.run([program, "-plaintext", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout
