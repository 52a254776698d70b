"""Failing calls: the client is told, unless it has left."""

import asyncio
from typing import cast

import grpc
import grpc.aio
import pytest

from kubewire.component.grpc.failing import fail
from kubewire.machinery.errors import service_unavailable


class Caller:
    """A call's context whose client may be gone."""

    def __init__(self, raised: Exception) -> None:
        self._raised = raised

    async def abort(self, code: grpc.StatusCode, details: str, metadata: object) -> None:
        """As gRPC: it never returns."""
        raise self._raised


@pytest.mark.parametrize(
    ("raised", "wanted"),
    [(grpc.aio.AbortError("told"), grpc.aio.AbortError), (grpc.aio.InternalError("left"), asyncio.CancelledError)],
)
async def test_a_call_ends(raised: Exception, wanted: type[BaseException]) -> None:
    """What cannot be told to a client that left ends as if it had cancelled the call."""
    context = cast("grpc.aio.ServicerContext[bytes, bytes]", Caller(raised))
    with pytest.raises(wanted):
        await fail(context, service_unavailable("leaving"))
