"""One kind's calls as bytes: requests are made by field number, the same in all services, and sent with a deadline."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic

from kubewire.client.objects import T
from kubewire.client.resources.kinds import Kind
from kubewire.client.resources.methods import Verb
from kubewire.client.transport.transport import Transport
from kubewire.machinery.errors import Reason, StatusError
from kubewire.rpc.v1.raw_pb2 import RawRequest

DEFAULT_TIMEOUT_SECONDS = 30.0
"""Deadline of a call unless the caller gives one."""


class Calls(Generic[T]):
    """Calls on one kind, in one namespace (empty: none or all), with one deadline. Immutable."""

    __slots__ = ("_kind", "_namespace", "_timeout_seconds", "_transport")

    def __init__(
        self,
        transport: Transport,
        kind: Kind[T],
        *,
        namespace: str = "",
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> None:
        self._transport = transport
        self._kind = kind
        self._namespace = namespace
        self._timeout_seconds = timeout_seconds

    @property
    def kind(self) -> Kind[T]:
        """What is called."""
        return self._kind

    @property
    def namespace(self) -> str:
        """Where; empty for cluster-scoped kinds and for all namespaces."""
        return self._namespace

    async def _send(self, verb: Verb, request: RawRequest, subresource: str = "") -> bytes:
        """The answer's bytes. A server that had no room, and says when it may, is asked again within the deadline."""
        self._address(request, subresource)
        path, data = self._kind.path(verb, subresource), request.SerializeToString()
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._timeout_seconds
        while True:
            try:
                return await self._transport.unary(path, data, timeout_seconds=deadline - clock())
            except StatusError as error:
                seconds = error.retry_after_seconds if error.reason == Reason.TOO_MANY_REQUESTS else 0
                if not seconds or clock() + seconds >= deadline:
                    raise
            # Spread, or all who were turned away together would come back together.
            await asyncio.sleep(seconds * random.uniform(1.0, 1.5))  # noqa: S311 - spreads load, hides nothing

    async def _one(self, verb: Verb, request: RawRequest, subresource: str = "") -> T:
        return self._kind.decode(await self._send(verb, request, subresource))

    def _open(self, request: RawRequest, timeout_seconds: float) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        self._address(request, "")
        return self._transport.stream(
            self._kind.path(Verb.WATCH),
            request.SerializeToString(),
            timeout_seconds=timeout_seconds,
            open_timeout_seconds=self._timeout_seconds,
        )

    def _request(self, options: bytes = b"", *, names: Sequence[str] = (), objects: Sequence[bytes] = ()) -> RawRequest:
        return RawRequest(
            namespace=self._namespace, names=names, objects=objects, options=(options,) if options else ()
        )

    def _address(self, request: RawRequest, subresource: str) -> None:
        """What only ObjectService has to be told."""
        kind = self._kind
        if kind.view and not request.view:
            request.view = kind.view
        if kind.address:
            request.resource.extend(kind.address)
            if subresource:
                request.subresource = subresource
