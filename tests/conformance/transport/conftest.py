"""Every implementation of `Transport`, in front of the same scripted server."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

import grpc.aio
import pytest
import uvloop

from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.in_process import InProcessTransport
from kubewire.client.transport.options import GrpcOptions
from kubewire.client.transport.transport import Transport
from kubewire.component.grpc.options import ServerOptions
from tests.conformance.transport.scripted import ScriptedContext, ScriptedHandler, ScriptedServer

USER_AGENT = "kubelet/1.2"


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Components run on uvloop, users' programs maybe not."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@dataclass
class Side:
    """A transport, the server behind it, and the warnings it told."""

    transport: Transport
    server: ScriptedServer
    warnings: list[str] = field(default_factory=list)


@pytest.fixture(params=["in-process", "grpc"])
async def side(request: pytest.FixtureRequest, free_port: int) -> AsyncIterator[Side]:
    """One implementation after the other."""
    server, warnings = ScriptedServer(), list[str]()
    if request.param == "in-process":
        direct = InProcessTransport(server, ScriptedContext, user_agent=USER_AGENT, on_warning=warnings.append)
        yield Side(direct, server, warnings)
        await direct.close()
        return
    async for transport in _over_grpc(server, free_port, warnings.append):
        yield Side(transport, server, warnings)


async def _over_grpc(server: ScriptedServer, port: int, on_warning: Callable[[str], None]) -> AsyncIterator[Transport]:
    listener = grpc.aio.server(options=ServerOptions().arguments())
    listener.add_generic_rpc_handlers((ScriptedHandler(server),))
    listener.add_insecure_port(f"127.0.0.1:{port}")
    await listener.start()
    options = GrpcOptions(endpoints=(f"127.0.0.1:{port}",), insecure=True, user_agent=USER_AGENT)
    transport = GrpcTransport(options, on_warning=on_warning)
    yield transport
    await transport.close()
    await listener.stop(0)
