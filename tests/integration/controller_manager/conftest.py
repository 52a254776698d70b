"""A real API server, a controller-manager on it, and a client for the test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from kubewire.client.client import Client
from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.options import GrpcOptions
from tests.apiserver_process import ApiServerProcess, running_apiserver
from tests.controller_manager_process import ControllerManagerProcess, running_controller_manager


@pytest.fixture
def apiserver(etcd: str, tmp_path: Path) -> Iterator[ApiServerProcess]:
    """An API server on an etcd of its own."""
    with running_apiserver(tmp_path, etcd) as server:
        yield server


@pytest.fixture
def manager(apiserver: ApiServerProcess, tmp_path: Path) -> Iterator[ControllerManagerProcess]:
    """A controller-manager that may be killed."""
    with running_controller_manager(tmp_path, apiserver) as process:
        yield process


@pytest.fixture
def quick_manager(apiserver: ApiServerProcess, tmp_path: Path) -> Iterator[ControllerManagerProcess]:
    """A controller-manager that gives nodes a second."""
    with running_controller_manager(tmp_path, apiserver, "--node-monitor-grace-seconds=1") as process:
        yield process


@pytest_asyncio.fixture
async def client(apiserver: ApiServerProcess) -> AsyncIterator[Client]:
    """The test's own way in."""
    transport = GrpcTransport(GrpcOptions((apiserver.grpc,), ca_file=apiserver.ca, token=apiserver.token))
    yield Client(transport)
    await transport.close()
