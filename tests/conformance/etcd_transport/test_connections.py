"""Connections: none, lost, going away, over TLS and over a file."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import grpc
import grpc.aio
import pytest

from kubewire.component.tls.authority import Authority
from tests.conformance.etcd_transport.calling import LONG_SECONDS, call, failure_of, stream
from tests.conformance.etcd_transport.conftest import Connect
from tests.conformance.etcd_transport.server import Behaviour, serving
from tests.conformance.etcd_transport.transports import Address, Stream, Transport, Trust

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


async def call_until_answered(transport: Transport, request: bytes) -> bytes:
    """A call that is made again while there is no server, as the etcd client does with reads."""
    async with asyncio.timeout(LONG_SECONDS):
        while True:
            try:
                return await call(transport, "Echo", request)
            except grpc.aio.AioRpcError as error:
                assert error.code() is UNAVAILABLE  # noqa: PT017 - others would be raised and hide it
            await asyncio.sleep(0.02)


async def test_nobody_there(address: Address, connect: Connect) -> None:
    """Calls and streams to nobody are UNAVAILABLE."""
    transport = connect(address)
    failures = await asyncio.gather(*(failure_of(transport, "Echo", b"") for _ in range(50)))
    assert {failure.code() for failure in failures} == {UNAVAILABLE}
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await _talk(stream(transport, "Chat"))
    assert error.value.code() is UNAVAILABLE


async def _talk(chat: Stream[bytes, bytes]) -> None:
    await chat.write(b"1")
    assert await chat.read() == b"1"


async def test_a_server_that_comes_later(address: Address, behaviour: Behaviour, connect: Connect) -> None:
    """A transport that found nobody finds who comes later."""
    transport = connect(address)
    await failure_of(transport, "Echo", b"")
    async with serving(address, behaviour):
        assert await call_until_answered(transport, b"there") == b"there"


async def test_a_server_restarts(address: Address, behaviour: Behaviour, connect: Connect) -> None:
    """What is under way when a server ends is UNAVAILABLE; the next server is found without being told of it."""
    transport = connect(address)
    chat = stream(transport, "Chat")
    async with serving(address, behaviour) as server, asyncio.TaskGroup() as group:
        await _talk(chat)
        waiting = group.create_task(failure_of(transport, "Wait", b""))
        await behaviour.arrived.wait()
        await server.stop(0)
    assert waiting.result().code() in {UNAVAILABLE, grpc.StatusCode.CANCELLED}
    with pytest.raises(grpc.aio.AioRpcError):
        await chat.read()
    async with serving(address, behaviour):
        assert await call_until_answered(transport, b"again") == b"again"


async def test_a_server_that_sends_its_clients_away(address: Address, behaviour: Behaviour, connect: Connect) -> None:
    """A server that ends connections by their age disturbs nobody: calls move to the next connection."""
    age = (("grpc.max_connection_age_ms", 100), ("grpc.max_connection_age_grace_ms", 60_000))
    async with serving(address, behaviour, options=age):
        transport = connect(address)
        chat = stream(transport, "Chat")

        async def work() -> None:
            for number in range(100):
                assert await call_until_answered(transport, b"%d" % number) == b"%d" % number
                await asyncio.sleep(0.01)

        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(work())
            for number in range(100):
                await chat.write(b"%d" % number)
                assert await chat.read() == b"%d" % number
                await asyncio.sleep(0.01)
        chat.cancel()


async def test_a_drained_server(address: Address, behaviour: Behaviour, connect: Connect) -> None:
    """A server that stops with patience answers what it has begun with."""
    transport = connect(address)
    async with serving(address, behaviour) as server:
        chat = stream(transport, "Chat")
        await _talk(chat)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.stop(30))
            await asyncio.sleep(0.1)
            await chat.write(b"2")
            assert await chat.read() == b"2"
            assert (await failure_of(transport, "Echo", b"")).code() is UNAVAILABLE
            await chat.write(b"end")
            assert await chat.read() is None


async def test_closing(transport: Transport, behaviour: Behaviour) -> None:
    """Closing ends every call and stream, and none can be made after it; twice is as good as once."""
    chat = stream(transport, "Chat")
    await _talk(chat)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(_ended(transport))
        await behaviour.arrived.wait()
        await transport.close()
    with pytest.raises((grpc.aio.AioRpcError, asyncio.CancelledError)):
        await chat.read()
    assert waiting.done()
    with pytest.raises((grpc.aio.AioRpcError, grpc.aio.UsageError)):
        await call(transport, "Echo", b"")
    await transport.close()


async def _ended(transport: Transport) -> None:
    with pytest.raises((grpc.aio.AioRpcError, asyncio.CancelledError)):
        await call(transport, "Wait", b"")


async def test_a_file(tmp_path: Path, behaviour: Behaviour, connect: Connect) -> None:
    """A server may listen on a file."""
    address = Address(path=str(tmp_path / "socket"))
    async with serving(address, behaviour):
        assert await call(connect(address), "Echo", bytes(1 << 20)) == bytes(1 << 20)


# TLS.


class Certificates:
    """An authority in a folder, with a server's certificate and a client's."""

    def __init__(self, folder: Path) -> None:
        now = datetime.now(UTC)
        authority = Authority.create("ca", now)
        server, client = (
            authority.issue_server("s", ["127.0.0.1", "localhost"], now),
            authority.issue_client("c", [], now),
        )
        folder.mkdir()
        content = {"ca": authority.issued.certificate, "client": client.certificate, "client-key": client.key}
        for name, pem in content.items():
            (folder / f"{name}.pem").write_bytes(pem)
        self.with_client = Trust(folder / "ca.pem", folder / "client.pem", folder / "client-key.pem")
        self.without_client = Trust(folder / "ca.pem")
        self.server = grpc.ssl_server_credentials([(server.key, server.certificate)])
        self.server_that_asks = grpc.ssl_server_credentials(
            [(server.key, server.certificate)], authority.issued.certificate, require_client_auth=True
        )


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """Certificates that belong together."""
    return Certificates(tmp_path / "tls")


async def test_tls(address: Address, behaviour: Behaviour, connect: Connect, certificates: Certificates) -> None:
    """Over TLS calls and streams are as without, large and many."""
    async with serving(address, behaviour, certificates.server):
        transport = connect(address, certificates.without_client)
        assert len(await call(transport, "Large", b"%d" % (10 << 20))) == 10 << 20
        assert await call(transport, "Echo", bytes(1 << 20)) == bytes(1 << 20)
        requests = [b"%d" % number for number in range(500)]
        assert await asyncio.gather(*(call(transport, "Echo", request) for request in requests)) == requests
        chat = stream(transport, "Chat")
        await _talk(chat)
        chat.cancel()


async def test_client_certificates(
    address: Address, behaviour: Behaviour, connect: Connect, certificates: Certificates
) -> None:
    """A server that asks for a certificate answers who has one, and nobody else."""
    async with serving(address, behaviour, certificates.server_that_asks):
        assert await call(connect(address, certificates.with_client), "Echo", b"known") == b"known"
        stranger = connect(address, certificates.without_client)
        assert (await failure_of(stranger, "Echo", b"unknown")).code() is UNAVAILABLE


async def test_other_authorities(
    address: Address, behaviour: Behaviour, connect: Connect, certificates: Certificates, tmp_path: Path
) -> None:
    """A server whose certificate is of another authority is not talked to."""
    async with serving(address, behaviour, certificates.server):
        other = Certificates(tmp_path / "other")
        assert (await failure_of(connect(address, other.without_client), "Echo", b"")).code() is UNAVAILABLE


async def test_tls_to_a_server_without(
    address: Address, behaviour: Behaviour, connect: Connect, certificates: Certificates
) -> None:
    """TLS to a server that speaks none, and none to one that does, are UNAVAILABLE."""
    async with serving(address, behaviour):
        assert (await failure_of(connect(address, certificates.without_client), "Echo", b"")).code() is UNAVAILABLE
    async with serving(address, behaviour, certificates.server):
        assert (await failure_of(connect(address), "Echo", b"")).code() is UNAVAILABLE


async def test_tls_over_a_file(
    tmp_path: Path, behaviour: Behaviour, connect: Connect, certificates: Certificates
) -> None:
    """TLS goes over a file too; the server is known by the name `localhost` then."""
    address = Address(path=str(tmp_path / "socket"))
    async with serving(address, behaviour, certificates.server):
        assert await call(connect(address, certificates.without_client), "Echo", b"file") == b"file"
