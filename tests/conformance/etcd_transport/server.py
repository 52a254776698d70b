"""A grpc.aio server in the test's own process whose methods do what a test asks for, in bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio

from tests.conformance.etcd_transport.transports import Address

Context = grpc.aio.ServicerContext[bytes, bytes]

UNLIMITED = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Over a thousand calls that nobody has taken yet, it begins to refuse some at random.
    ("grpc.server.max_pending_requests", 100_000),
    ("grpc.server.max_pending_requests_hard_limit", 100_000),
)


@dataclass
class Behaviour:
    """The methods, and what they saw.

    Attributes:
        streamed: messages that `/t/Stream` got rid of.
        cancelled: a `/t/Wait` was cancelled.
        begun: calls of `/t/Wait` that arrived.
        metadata: of the last call.
    """

    streamed: int = 0
    begun: int = 0
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    metadata: dict[str, Any] = field(default_factory=dict)

    async def echo(self, request: bytes, context: Context) -> bytes:
        """Answer the request itself."""
        self.metadata = dict(context.invocation_metadata() or ())
        return request

    async def large(self, request: bytes, _: Context) -> bytes:
        """Answer so many bytes."""
        return bytes(int(request))

    async def fail(self, request: bytes, context: Context) -> bytes:
        """End with the status `code text`."""
        code, _, text = request.decode().partition(" ")
        await context.abort(grpc.StatusCode[code], text)

    async def wait(self, _: bytes, __: Context) -> bytes:
        """Never answer."""
        self.begun += 1
        self.arrived.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
        raise AssertionError

    async def chat(self, requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        """Answer each request with itself; `end` ends the stream, `fail` fails it, `wait` waits for its end."""
        async for request in requests:
            if request == b"end":
                return
            if request == b"fail":
                await context.abort(grpc.StatusCode.DATA_LOSS, "as asked")
            if request == b"wait":
                await self.wait(request, context)
            yield request

    async def stream(self, requests: AsyncIterator[bytes], _: Context) -> AsyncIterator[bytes]:
        """Answer one request `count size` with so many messages that begin with their number."""
        count, size = (int(number) for number in (await anext(requests)).split())
        for number in range(count):
            yield number.to_bytes(4, "big") + bytes(size - 4)
            self.streamed += 1

    async def take(self, requests: AsyncIterator[bytes], _: Context) -> AsyncIterator[bytes]:
        """Answer the number of bytes taken so far, after an empty request."""
        taken = 0
        async for request in requests:
            taken += len(request)
            if not request:
                yield b"%d" % taken

    def handlers(self) -> grpc.GenericRpcHandler:
        """As grpc wants them: without serializers, so bytes go in and out."""
        unary = {"Echo": self.echo, "Large": self.large, "Fail": self.fail, "Wait": self.wait}
        streams = {"Chat": self.chat, "Stream": self.stream, "Take": self.take}
        return grpc.method_handlers_generic_handler(
            "t",
            {name: grpc.unary_unary_rpc_method_handler(method) for name, method in unary.items()}
            | {name: grpc.stream_stream_rpc_method_handler(method) for name, method in streams.items()},
        )


@asynccontextmanager
async def serving(
    address: Address,
    behaviour: Behaviour,
    credentials: grpc.ServerCredentials | None = None,
    options: tuple[tuple[str, int], ...] = (),
) -> AsyncIterator[grpc.aio.Server]:
    """A server at an address."""
    server = grpc.aio.server(options=[*UNLIMITED, *options])
    server.add_generic_rpc_handlers((behaviour.handlers(),))
    if credentials is None:
        server.add_insecure_port(address.for_grpc)
    else:
        server.add_secure_port(address.for_grpc, credentials)
    await server.start()
    try:
        yield server
    finally:
        await server.stop(0)
