"""A channel to one member: connects when a call needs it, and again when the connection is gone.

It offers the part of `grpc.aio.Channel` that the client uses, with the same errors, so that either can be used.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import grpc

from kubewire.apiserver.etcd.http2.callables import StreamCall, UnaryCallable
from kubewire.apiserver.etcd.http2.calls import not_sent
from kubewire.apiserver.etcd.http2.connection import Connection
from kubewire.apiserver.etcd.http2.headers import request_block

Request = TypeVar("Request")
Response = TypeVar("Response")
Metadata = Sequence[tuple[str, str]]

RETRY_SECONDS: Final = 0.05
"""A failure to connect is told to every call that comes within this time: nobody hammers a member that is down."""

_PROTOCOL: Final = "h2"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a member listens: a socket's path, or host and port; with `trust` over TLS."""

    path: str = ""
    host: str = ""
    port: int = 0
    trust: ssl.SSLContext | None = None

    @property
    def authority(self) -> str:
        """What the `:authority` header says."""
        if self.path:
            return "localhost"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"unix:{self.path}" if self.path else self.authority


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: to connect, of silence before a ping, and for its answer."""

    connect_seconds: float
    keepalive_seconds: float
    keepalive_timeout_seconds: float


class Channel:
    """Calls to one member over one connection at a time, beside those that only end what they began.

    The attempt to connect belongs to the channel and not to the call that began it: others wait for it too, and each
    for as long as it can. It never raises, lasts `connect_seconds` at most, and `close` ends it.
    """

    def __init__(self, target: Target, timing: Timing) -> None:
        self._target = target
        self._timing = timing
        self._current: Connection | None = None
        self._ending: list[Connection] = []
        self._attempt: asyncio.Task[Connection | str] | None = None
        self._failure = ""
        self._failed_at = float("-inf")
        self._is_closed = False

    def unary(
        self, path: str, serialize: Callable[[Request], bytes], parse: Callable[[bytes], Response], metadata: Metadata
    ) -> UnaryCallable[Request, Response]:
        """A callable for one method."""
        return UnaryCallable(self, self._block(path, metadata), serialize, parse)

    def stream(
        self, path: str, serialize: Callable[[Request], bytes], parse: Callable[[bytes], Response], metadata: Metadata
    ) -> StreamCall[Request, Response]:
        """A new stream in both directions."""
        return StreamCall(self, self._block(path, metadata), serialize, parse)

    @property
    def open_connection(self) -> Connection | None:
        """The connection, if there is one that takes calls."""
        current = self._current
        return current if current is not None and current.is_open else None

    async def connect(self, seconds: float | None = None) -> Connection:
        """An open connection, made if there is none; waits for `seconds` at most.

        Raises:
            NotSent: there is none; DEADLINE_EXCEEDED if there may be one later, else UNAVAILABLE.
        """
        found = self.open_connection
        if found is not None:
            return found
        attempt = self._begun_attempt()
        done, _ = await asyncio.wait({attempt}, timeout=seconds)
        if not done:
            raise not_sent(f"not connected to {self._target} in time", grpc.StatusCode.DEADLINE_EXCEEDED)
        outcome = "the channel was closed" if attempt.cancelled() else attempt.result()
        if isinstance(outcome, str):
            raise self._unreachable(outcome)
        return outcome

    async def close(self) -> None:
        """Close every connection and end every call; none can be made any more."""
        self._is_closed = True
        if self._attempt is not None:
            self._attempt.cancel()
            await asyncio.wait({self._attempt})
        for connection in [*self._ending, *([self._current] if self._current else [])]:
            connection.close("the channel was closed")
            await connection.gone()

    def _block(self, path: str, metadata: Metadata) -> bytes:
        scheme = "https" if self._target.trust else "http"
        return request_block(scheme, self._target.authority, path, metadata)

    def _unreachable(self, reason: str) -> grpc.aio.AioRpcError:
        return not_sent(f"failed to connect to {self._target}: {reason}")

    def _begun_attempt(self) -> asyncio.Task[Connection | str]:
        loop = asyncio.get_running_loop()
        if self._is_closed:
            raise self._unreachable("the channel was closed")
        if self._attempt is None:
            if loop.time() < self._failed_at + RETRY_SECONDS:
                raise self._unreachable(self._failure)
            self._attempt = loop.create_task(self._attempt_to_connect())  # owned by the channel: close() ends it
        return self._attempt

    async def _attempt_to_connect(self) -> Connection | str:
        """The connection, which is the current one from now on, or why there is none."""
        try:
            async with asyncio.timeout(self._timing.connect_seconds):
                made = await self._connected()
        except TimeoutError:
            self._failure = f"no connection within {self._timing.connect_seconds:g} s"
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that cannot be looked up
            self._failure = str(error) or repr(error)
        else:
            self._ending = [one for one in [*self._ending, self._current] if one is not None and not one.is_gone]
            self._current = made
            return made
        finally:
            self._attempt = None
        self._failed_at = asyncio.get_running_loop().time()
        return self._failure

    async def _connected(self) -> Connection:
        transport, made = await self._transport()
        try:
            _check_protocol(transport.get_extra_info("ssl_object"))
            await made.opened()
        except BaseException:
            made.close("not connected in time")
            raise
        return made

    async def _transport(self) -> tuple[asyncio.BaseTransport, Connection]:
        loop, target, timing = asyncio.get_running_loop(), self._target, self._timing

        def protocol() -> Connection:
            return Connection(timing.keepalive_seconds, timing.keepalive_timeout_seconds)

        if target.path:
            name = target.authority if target.trust else None
            return await loop.create_unix_connection(protocol, target.path, ssl=target.trust, server_hostname=name)
        return await loop.create_connection(protocol, target.host, target.port, ssl=target.trust)


def _check_protocol(tls: ssl.SSLObject | None) -> None:
    """That a peer behind TLS has chosen HTTP/2."""
    if tls is not None and tls.selected_alpn_protocol() != _PROTOCOL:
        raise ConnectionError("the peer does not speak HTTP/2")
