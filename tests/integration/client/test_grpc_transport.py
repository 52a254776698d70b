"""The gRPC transport between real sockets: servers that fail, come back, ask for TLS and for tokens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import grpc.aio
import pytest

from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.options import GrpcOptions
from kubewire.component.grpc.listener import Listener, ServerIdentity, bind
from kubewire.component.tls.authority import Authority, Issued
from kubewire.machinery.errors import Reason, StatusError
from tests.conformance.transport.scripted import PREFIX, ScriptedHandler, ScriptedServer
from tests.etcd_process import find_free_port


class Server:
    """A scripted server on one port, which can be stopped and started again."""

    def __init__(self, port: int = 0, identity: ServerIdentity | None = None) -> None:
        self.script = ScriptedServer()
        self.handler = ScriptedHandler(self.script)
        self.port = port or find_free_port()
        self._identity = identity
        self._server: grpc.aio.Server | None = None

    @property
    def target(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen."""
        self._server = grpc.aio.server()
        self._server.add_generic_rpc_handlers((self.handler,))
        bind(self._server, Listener(self.target, self._identity))
        await self._server.start()

    async def stop(self) -> None:
        """Break all connections."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop(0)


@asynccontextmanager
async def serving(*servers: Server) -> AsyncIterator[None]:
    """Servers that run while the body does."""
    for server in servers:
        await server.start()
    try:
        yield
    finally:
        for server in servers:
            await server.stop()


@asynccontextmanager
async def connected(*servers: Server, retry_seconds: float = 10.0, **options: object) -> AsyncIterator[GrpcTransport]:
    """A transport to servers, without TLS unless a CA is given."""
    targets = tuple(server.target for server in servers)
    insecure = "ca_file" not in options
    transport = GrpcTransport(
        GrpcOptions(targets, insecure, retry_seconds=retry_seconds, **options)  # type: ignore[arg-type]  # by name
    )
    try:
        yield transport
    finally:
        await transport.close()


async def echo(transport: GrpcTransport, method: str = "GetEcho", timeout_seconds: float = 20.0) -> bytes:
    """A call that needs a server."""
    return await transport.unary(PREFIX + method, b"hello", timeout_seconds=timeout_seconds)


async def test_reads_move_on_to_the_next_server() -> None:
    """When one server goes, reads are answered by the next, and the caller notices nothing."""
    first, second = Server(), Server()
    async with serving(first, second), connected(first, second) as transport:
        await echo(transport)
        assert (len(first.script.calls), len(second.script.calls)) == (1, 0)
        await first.stop()
        for _ in range(5):
            assert await echo(transport) == b"hello"
        assert len(second.script.calls) == 5


async def test_writes_move_on_if_they_were_not_sent() -> None:
    """A server that is not there got nothing: the next one may be asked."""
    first, second = Server(), Server()
    second.script._CreateEcho = second.script._GetEcho  # type: ignore[attr-defined]  # one more method
    async with serving(second), connected(first, second) as transport:
        assert await echo(transport, "CreateEcho") == b"hello"
        assert second.script.calls == ["CreateEcho"]


async def test_a_write_whose_server_died_is_not_repeated() -> None:
    """It may have been done: that is for the caller to find out."""
    first, second = Server(), Server()
    async with serving(first, second), connected(first, second) as transport:
        async with asyncio.TaskGroup() as group:
            call = group.create_task(reason_of(transport, "CreateForever"))
            await first.script.started.wait()
            await first.stop()
        assert call.result() == Reason.SERVICE_UNAVAILABLE
        assert second.script.calls == []
        assert await echo(transport) == b"hello"
        assert second.script.calls == ["GetEcho"]


async def reason_of(transport: GrpcTransport, method: str) -> str:
    """Why a call fails."""
    with pytest.raises(StatusError) as failure:
        await echo(transport, method)
    return failure.value.reason


async def test_a_restart_goes_unnoticed() -> None:
    """Calls wait for the only server to come back, reads and writes that were not sent alike."""
    server = Server()
    async with serving(server), connected(server) as transport:
        await echo(transport)
        await server.stop()
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(echo(transport)) for _ in range(20)]
            await asyncio.sleep(0.5)
            await server.start()
        assert {call.result() for call in calls} == {b"hello"}


async def test_no_server_at_all() -> None:
    """After the time for retries the call fails, and at once where there is none."""
    async with connected(Server(), Server(), retry_seconds=0.3) as transport:
        assert await reason_of(transport, "GetEcho") == Reason.SERVICE_UNAVAILABLE
    async with connected(Server(), retry_seconds=0) as transport:
        assert await reason_of(transport, "CreateForever") == Reason.SERVICE_UNAVAILABLE


async def test_a_broken_stream_is_told_and_the_next_server_asked() -> None:
    """Whoever streams decides how to go on; the next stream is at the next server."""
    first, second = Server(), Server()
    async with serving(first, second), connected(first, second) as transport:
        opened = transport.stream(PREFIX + "WatchSilent", b"", timeout_seconds=60, open_timeout_seconds=20)
        async with opened as stream:
            await first.stop()
            with pytest.raises(StatusError) as failure:
                await anext(stream)
        assert failure.value.reason == Reason.SERVICE_UNAVAILABLE
        opened = transport.stream(PREFIX + "WatchCount", b"3", timeout_seconds=60, open_timeout_seconds=20)
        async with opened as stream:
            assert [message async for message in stream] == [b"0", b"1", b"2"]
        assert second.script.calls == ["WatchCount"]


async def test_a_server_that_leaves_is_left() -> None:
    """One that says it cannot serve now has answered; the next call is for the next server."""
    first, second = Server(), Server()
    async with serving(first, second), connected(first, second) as transport:
        with pytest.raises(StatusError):
            await transport.unary(PREFIX + "GetError", b"Unavailable", timeout_seconds=20)
        assert await echo(transport) == b"hello"
        assert (first.script.calls, second.script.calls) == (["GetError"], ["GetEcho"])


async def test_the_token_is_sent(tmp_path: Path) -> None:
    """The one given, or the one of a file, which wins."""
    server, file = Server(), tmp_path / "token"
    file.write_text("from-file\n")
    async with serving(server):
        async with connected(server, token="given") as transport:
            await echo(transport)
        async with connected(server, token="given", token_file=file) as transport:
            await echo(transport)
        async with connected(server) as transport:
            await echo(transport)
    assert server.handler.authorizations == ["Bearer given", "Bearer from-file", ""]


def written(folder: Path, name: str, issued: Issued) -> tuple[Path, Path]:
    """A certificate and its key as files."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    certificate.write_bytes(issued.certificate)
    key.write_bytes(issued.key)
    return certificate, key


async def test_tls_with_client_certificates(tmp_path: Path) -> None:
    """The server's certificate must be signed by the CA and name the host, and ours is shown to it."""
    now = datetime.now(UTC)
    authority = Authority.create("cluster-ca", now)
    issued = authority.issue_server("apiserver", ["127.0.0.1"], now)
    ca = tmp_path / "ca.crt"
    ca.write_bytes(authority.issued.certificate)
    stranger = tmp_path / "stranger.crt"
    stranger.write_bytes(Authority.create("another-ca", now).issued.certificate)
    certificate, key = written(tmp_path, "client", authority.issue_client("admin", ["system:masters"], now))
    server = Server(identity=ServerIdentity(issued.certificate, issued.key, authority.issued.certificate))
    async with serving(server):
        async with connected(server, ca_file=ca, certificate_file=certificate, key_file=key) as transport:
            assert await echo(transport) == b"hello"
        async with connected(server, retry_seconds=0.2, ca_file=ca) as transport:
            assert await reason_of(transport, "GetEcho") == Reason.SERVICE_UNAVAILABLE
        async with connected(
            server, retry_seconds=0.2, ca_file=stranger, certificate_file=certificate, key_file=key
        ) as transport:
            assert await reason_of(transport, "GetEcho") == Reason.SERVICE_UNAVAILABLE


async def test_a_request_over_the_servers_limit() -> None:
    """It is refused with the reason REST gives."""
    server = Server()
    async with serving(server), connected(server) as transport:
        with pytest.raises(StatusError) as failure:
            await transport.unary(PREFIX + "GetEcho", bytes(5 << 20), timeout_seconds=20)
    assert failure.value.reason == Reason.REQUEST_ENTITY_TOO_LARGE


async def test_a_method_nobody_has() -> None:
    """The library's own refusal has a reason, too."""
    listener = grpc.aio.server()
    port = listener.add_insecure_port("127.0.0.1:0")
    await listener.start()
    transport = GrpcTransport(GrpcOptions((f"127.0.0.1:{port}",), insecure=True))
    assert await reason_of(transport, "GetEcho") == Reason.METHOD_NOT_ALLOWED
    await transport.close()
    await listener.stop(0)
