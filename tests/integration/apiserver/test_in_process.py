"""An API server hosted in this process: the typed client without sockets and over them sees one API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.apiserver.app import ApiServer
from kubewire.apiserver.bootstrap.creator import SERVER
from kubewire.apiserver.config import ApiServerConfig
from kubewire.apiserver.rpc.context import RpcContext
from kubewire.client.client import Client
from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.in_process import InProcessTransport
from kubewire.client.transport.options import GrpcOptions
from kubewire.machinery.errors import Reason, StatusError


@asynccontextmanager
async def hosted(folder: Path, etcd: str) -> AsyncIterator[ApiServer]:
    """A server in this loop, stopped when the block is left."""
    server = ApiServer(
        ApiServerConfig(
            etcd_servers=(f"http://{etcd}",), cert_dir=folder, bind_address="127.0.0.1", secure_port=0, grpc_port=0
        )
    )
    up, stop = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(server.run(stop, up.set))
        await up.wait()
        try:
            yield server
        finally:
            stop.set()


def config_map(name: str) -> ConfigMap:
    """A ConfigMap."""
    found = ConfigMap()
    found.metadata.name = name
    found.data["key"] = "value"
    return found


async def test_both_transports_see_one_api(tmp_path: Path, etcd: str) -> None:
    """What is written through one is read, watched and refused alike through the other."""
    async with hosted(tmp_path, etcd) as server:
        inside = InProcessTransport(server.dispatcher, partial(RpcContext, SERVER))
        token = (tmp_path / "tokens.csv").read_text().partition(",")[0]
        outside = GrpcTransport(
            GrpcOptions(endpoints=(server.addresses.grpc,), ca_file=tmp_path / "ca.crt", token=token)
        )
        clients = [Client(transport).resource(ConfigMap, namespace="default") for transport in (inside, outside)]
        for number, (writer, reader) in enumerate((clients, reversed(clients))):
            created = await writer.create(config_map(f"a{number}"))
            assert await reader.get(f"a{number}") == created
            with pytest.raises(StatusError) as caught:
                await reader.create(config_map(f"a{number}"))
            assert caught.value.reason == Reason.ALREADY_EXISTS
            assert caught.value.message == f'configmaps "a{number}" already exists'
        names = [[item.metadata.name async for item in client.list()] for client in clients]
        assert names[0] == names[1]
        await outside.close()
        await inside.close()


async def test_a_hosted_server_ends_in_order(tmp_path: Path, etcd: str) -> None:
    """When its host tells it to stop, it is not ready first and gone then; nothing is left behind."""
    async with hosted(tmp_path, etcd) as server:
        assert server.health.is_ready
        assert server.addresses.rest.startswith("127.0.0.1:")
    assert not server.health.is_ready
