"""Calls in bytes, and waiting for what has to happen sooner or later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import grpc
import grpc.aio
import pytest

from tests.conformance.etcd_transport.transports import Stream, Transport

LONG_SECONDS = 150.0
"""A limit that is there only so that a test which fails does not hang."""


async def call(transport: Transport, method: str, request: bytes, seconds: float = LONG_SECONDS) -> bytes:
    """A unary call of the test's server."""
    return await transport.unary(f"/t/{method}", bytes, bytes, (("hasleader", "true"),))(request, timeout=seconds)


def stream(transport: Transport, method: str) -> Stream[bytes, bytes]:
    """A stream of the test's server."""
    return transport.stream(f"/t/{method}", bytes, bytes, ())


async def failure_of(
    transport: Transport, method: str, request: bytes, seconds: float = LONG_SECONDS
) -> grpc.aio.AioRpcError:
    """What a call fails with."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call(transport, method, request, seconds)
    return error.value


async def eventually(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(LONG_SECONDS):
        while not is_so():  # noqa: ASYNC110 - it is made so by another thread or process
            await asyncio.sleep(0.01)


async def settled(value: Callable[[], int]) -> int:
    """The value of something that grows, once it has stood still for a while."""
    last, still = value(), 0
    while still < 10:
        await asyncio.sleep(0.03)
        still = still + 1 if value() == last else 0
        last = value()
    return last
