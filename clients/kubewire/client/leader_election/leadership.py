"""What the leader's work holds: proof that it leads, for a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

from kubewire.client.transport.transport import Transport
from kubewire.machinery.errors import StatusError


class NotLeading(Exception):
    """The lead was lost, or might be: nothing may be written any more. Retrying does not help."""


class FencingToken(NamedTuple):
    """One term of leadership: terms of one lease follow each other by `transitions`.

    Whoever is written to and keeps the highest number it has seen can refuse the writes of former leaders.
    `resource_version` is that of the last renewal: the lease has it as long as the term goes on unchanged.
    """

    lease_uid: str
    transitions: int
    resource_version: str


class Leadership:
    """A term as leader. It is over when `is_valid` is false, which is before anybody else may lead.

    Attributes:
        identity: who leads.
        token: this term's; its `resource_version` moves on with each renewal.
    """

    def __init__(self, identity: str, token: FencingToken, deadline: float, clock: Callable[[], float]) -> None:
        self.identity = identity
        self.token = token
        self._deadline = deadline
        self._clock = clock

    @property
    def is_valid(self) -> bool:
        """Whether nobody else can be leading now."""
        return self.remaining_seconds > 0

    @property
    def remaining_seconds(self) -> float:
        """Until the term ends, unless it is renewed; 0 or less when it is over."""
        return self._deadline - self._clock()

    def check(self) -> None:
        """Call it before acting on the outside world.

        Raises:
            NotLeading: the term is over.
        """
        if not self.is_valid:
            raise NotLeading(f"{self.identity} has not led since {-self.remaining_seconds:.1f} s")

    def fence(self, transport: Transport) -> Transport:
        """A transport that carries calls during the term only: none is sent, and none left running, after its end."""
        return _FencedTransport(transport, self)

    def renewed(self, token: FencingToken, deadline: float) -> None:
        """The elector's: the term goes on."""
        self.token = token
        self._deadline = deadline

    def end(self) -> None:
        """The elector's: the term is over now."""
        self._deadline = min(self._deadline, self._clock())


class _FencedTransport:
    """A transport that ends calls with the term. Watches change nothing and are let through.

    A call gets what is left of the term when it is sent, so that none outlives a term that is not renewed.
    """

    def __init__(self, transport: Transport, leadership: Leadership) -> None:
        self._transport = transport
        self._leadership = leadership

    async def unary(self, method: str, request: bytes, *, timeout_seconds: float) -> bytes:
        """See `Transport.unary`.

        Raises:
            NotLeading: the term is over, before or during the call.
        """
        self._leadership.check()
        bounded = min(timeout_seconds, self._leadership.remaining_seconds)
        try:
            return await self._transport.unary(method, request, timeout_seconds=bounded)
        except StatusError:
            self._leadership.check()
            raise

    def stream(
        self, method: str, request: bytes, *, timeout_seconds: float, open_timeout_seconds: float
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """See `Transport.stream`."""
        return self._transport.stream(
            method, request, timeout_seconds=timeout_seconds, open_timeout_seconds=open_timeout_seconds
        )

    async def close(self) -> None:
        """Nothing: the transport is its owner's."""
