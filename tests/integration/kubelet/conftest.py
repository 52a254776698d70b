"""A node with a real containerd, an API server that it reaches, and a kubelet of the test's own on it."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from kubewire.client.client import Client
from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.options import GrpcOptions
from tests.apiserver_process import ApiServerProcess, running_apiserver
from tests.containerd_process import ContainerdProcess, running_containerd
from tests.etcd_process import find_free_port, running_etcd
from tests.kubelet_process import KubeletProcess, running_kubelet


@dataclass
class Machine:
    """A node and the API server it talks to."""

    node: ContainerdProcess
    apiserver: ApiServerProcess


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One for all tests: they use pods of their own."""
    folder = tmp_path_factory.mktemp("machine")
    with running_etcd(folder / "etcd") as etcd, running_containerd() as node:
        flags = (
            f"--more-bind-addresses={node.host_address}",
            f"--tls-names={node.host_address}",
            f"--grpc-port={find_free_port()}",
        )
        with running_apiserver(folder / "apiserver", etcd.endpoint, *flags) as apiserver:
            yield Machine(node, apiserver)


@pytest.fixture(scope="session")
def kubelet(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeletProcess]:
    """A kubelet on the node."""
    with running_kubelet(tmp_path_factory.mktemp("kubelet"), machine.apiserver, machine.node) as process:
        yield process


@pytest_asyncio.fixture
async def client(machine: Machine) -> AsyncIterator[Client]:
    """The admin's."""
    server = machine.apiserver
    options = GrpcOptions(endpoints=(server.grpc,), ca_file=server.ca, token=server.token, user_agent="test/1.0")
    transport = GrpcTransport(options)
    yield Client(transport)
    await transport.close()
