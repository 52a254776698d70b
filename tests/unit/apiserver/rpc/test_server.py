"""gRPC's side of a call: what its library does to a handler."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import cast

import grpc.aio
import pytest

from kubewire.apiserver.auth.authentication import Authentication
from kubewire.apiserver.auth.tokens import StaticToken, TokenAuthenticator
from kubewire.apiserver.contracts import Identity
from kubewire.apiserver.item import Batch, Event
from kubewire.apiserver.rpc.dispatcher import Dispatcher
from kubewire.apiserver.rpc.server import _Face
from tests.memory_objects import MemoryObjects

WATCH = "/kubewire.rpc.core.v1.ConfigMapService/WatchConfigMaps"


class BrokenCall:
    """A call of an admin's; something happens when it is open, and its connection breaks while that is sent."""

    def __init__(self, objects: MemoryObjects) -> None:
        self._objects = objects

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", "Bearer secret"),)

    def auth_context(self) -> Mapping[str, tuple[bytes, ...]]:
        return {}

    async def send_initial_metadata(self, metadata: object) -> None:
        self._objects.watches[0].queue.put_nowait(Batch([Event("BOOKMARK", None, None, 7)]))

    async def write(self, message: bytes) -> None:
        raise grpc.aio.InternalError('Failed "execute_batch"')


async def test_client_that_left_ends_its_watch(dispatcher: Dispatcher, objects: MemoryObjects) -> None:
    """A message that cannot be sent ends the watch as a cancellation does: no failure of the server's is made of it."""
    admin = StaticToken("secret", Identity("admin", groups=("system:masters",)))
    face = _Face(dispatcher, Authentication((TokenAuthenticator((admin,)),)))
    method = dispatcher.find(WATCH)
    assert method is not None
    context = cast("grpc.aio.ServicerContext[bytes, bytes]", BrokenCall(objects))
    with pytest.raises(asyncio.CancelledError):
        await face._send(method, context, b"")
    assert objects.watches[0].is_closed
