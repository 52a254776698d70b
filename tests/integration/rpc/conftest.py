"""One API server for all tests of the gRPC face, which keep to namespaces of their own."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import grpc.aio
import pytest

from kubewire.rpc.core.v1.namespace_service_pb2 import CreateNamespaceRequest
from tests.apiserver_process import ApiServerProcess, running_apiserver


@pytest.fixture(scope="session")
def apiserver(shared_etcd: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServerProcess]:
    """A running server."""
    with running_apiserver(tmp_path_factory.mktemp("apiserver"), shared_etcd) as server:
        yield server


@dataclass(frozen=True)
class Grpcurl:
    """The grpcurl that `make setup` installs, against one server."""

    server: ApiServerProcess

    def run(self, *arguments: str, authorized: bool = True) -> "subprocess.CompletedProcess[str]":
        """Over TLS, with the admin's token unless told otherwise."""
        program = Path(sys.executable).with_name("grpcurl")
        headers = ["-H", f"authorization: Bearer {self.server.token}"] if authorized else []
        command = [str(program), "-cacert", str(self.server.ca), "-max-time", "30", *headers, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    def call(self, method: str, request: object) -> dict[str, object]:
        """A method's answer."""
        done = self.run("-d", json.dumps(request), self.server.grpc, method)
        assert done.returncode == 0, done.stderr
        answer: dict[str, object] = json.loads(done.stdout)
        return answer


@pytest.fixture
def grpcurl(apiserver: ApiServerProcess) -> Grpcurl:
    """grpcurl against the server."""
    return Grpcurl(apiserver)


@dataclass
class Client:
    """Calls with messages over one channel."""

    channel: grpc.aio.Channel
    token: str = ""

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What calls carry."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    async def unary(self, path: str, request: bytes = b"", *more: tuple[str, str]) -> bytes:
        """One call."""
        method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self.channel.unary_unary(path)
        return await method(request, metadata=(*self.metadata, *more), timeout=30)

    def stream(self, path: str, request: bytes = b"") -> "grpc.aio.UnaryStreamCall[bytes, bytes]":
        """One stream."""
        method: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = self.channel.unary_stream(path)
        return method(request, metadata=self.metadata, timeout=30)


@pytest.fixture
async def client(apiserver: ApiServerProcess) -> AsyncIterator[Client]:
    """The admin, on the port without TLS."""
    async with grpc.aio.insecure_channel(
        apiserver.insecure_grpc, options=[("grpc.max_receive_message_length", -1)]
    ) as channel:
        yield Client(channel, apiserver.token)


@pytest.fixture
async def namespace(client: Client) -> str:
    """A namespace of the test's own."""
    request = CreateNamespaceRequest()
    request.namespace.metadata.name = f"test-{uuid4().hex[:8]}"
    await client.unary("/kubewire.rpc.core.v1.NamespaceService/CreateNamespace", request.SerializeToString())
    return request.namespace.metadata.name
