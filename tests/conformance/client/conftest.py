"""Every server a client may have behind it: a real one in this process and over gRPC, and the simulated one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from kubewire.apiserver.auth.authentication import Authentication
from kubewire.apiserver.auth.tokens import StaticToken, TokenAuthenticator
from kubewire.apiserver.metrics import ApiServerMetrics
from kubewire.apiserver.rpc.context import RpcContext
from kubewire.apiserver.rpc.dispatcher import Dispatcher
from kubewire.apiserver.rpc.server import RpcServer
from kubewire.apiserver.rpc.writes import Writes
from kubewire.client.client import Client
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.in_process import InProcessTransport
from kubewire.client.transport.options import GrpcOptions
from kubewire.component.grpc.listener import Listener
from kubewire.component.grpc.options import ServerOptions
from kubewire.component.health import Health
from kubewire.component.metrics.registry import Registry
from tests.unit.apiserver.registry.cluster import ADMIN, TABLE, Cluster, running

USER_AGENT = "conformance/1.0"


@pytest.fixture(params=["simulated", "in-process", "grpc"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client of an empty cluster, one implementation after the other."""
    if request.param == "simulated":
        client = SimulatedCluster().client()
        yield client
        await client.transport.close()
    else:
        async with _real(request.param) as client:
            yield client


@pytest.fixture(params=["in-process", "grpc"])
async def real_client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client of an empty cluster with a real API server, for what is not simulated."""
    async with _real(request.param) as client:
        yield client


@asynccontextmanager
async def _real(transport: str) -> AsyncIterator[Client]:
    async with running() as cluster:
        dispatcher = Dispatcher(cluster.objects, _writes(cluster), TABLE, ApiServerMetrics(Registry()))
        async with _in_process(dispatcher) if transport == "in-process" else _over_grpc(dispatcher) as client:
            yield client


@asynccontextmanager
async def _in_process(dispatcher: Dispatcher) -> AsyncIterator[Client]:
    transport = InProcessTransport(dispatcher, partial(RpcContext, ADMIN), user_agent=USER_AGENT)
    yield Client(transport)
    await transport.close()


def _writes(cluster: Cluster) -> Writes:
    return Writes(cluster.core.ring, cluster.core.authorization)


@asynccontextmanager
async def _over_grpc(dispatcher: Dispatcher) -> AsyncIterator[Client]:
    authentication = Authentication([TokenAuthenticator([StaticToken("secret", ADMIN)])])
    server = RpcServer(dispatcher, authentication, Health(), ServerOptions())
    [port] = await server.start([Listener("127.0.0.1:0")])
    transport = GrpcTransport(
        GrpcOptions(endpoints=(f"127.0.0.1:{port}",), insecure=True, token="secret", user_agent=USER_AGENT)
    )
    yield Client(transport)
    await transport.close()
    await server.stop(0)
