"""Both transports on both event loops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

import pytest
import uvloop

from tests.conformance.etcd_transport import transports
from tests.conformance.etcd_transport.server import Behaviour, serving
from tests.conformance.etcd_transport.transports import Address, Transport, Trust


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Components run on uvloop, users' programs maybe not."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Connect(Protocol):
    """Makes a transport that the test need not close."""

    def __call__(self, address: Address, trust: Trust | None = None) -> Transport: ...


@pytest.fixture(params=["grpc.aio", "http2"])
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    """One implementation after the other."""
    made: list[Transport] = []

    def connected(address: Address, trust: Trust | None = None) -> Transport:
        make = transports.ours if request.param == "http2" else transports.theirs
        made.append(make(address, trust))
        return made[-1]

    yield connected
    for transport in made:
        await transport.close()


@pytest.fixture
def address(free_port: int) -> Address:
    """Where nobody listens yet."""
    return Address(port=free_port)


@pytest.fixture
async def behaviour() -> Behaviour:
    """What the server does, and saw."""
    return Behaviour()


@pytest.fixture
async def transport(address: Address, behaviour: Behaviour, connect: Connect) -> AsyncIterator[Transport]:
    """A transport to a running server."""
    async with serving(address, behaviour):
        yield connect(address)
