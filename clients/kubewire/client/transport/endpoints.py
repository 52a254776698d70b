"""Several API servers, one of which is used until it fails. All hold the same data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import grpc
import grpc.aio

from kubewire.client.transport.options import GrpcOptions

UnaryCall = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]
StreamCall = grpc.aio.UnaryStreamMultiCallable[bytes, bytes]

_RECONNECT_FIRST_MS = 50
_RECONNECT_MAX_MS = 1000


class Endpoint:
    """A channel to one server. Connecting and pings are the channel's business; callables are made once a method."""

    def __init__(self, target: str, options: GrpcOptions) -> None:
        self.target = target
        self._channel = _channel(target, options)
        self.unary: Callable[[str], UnaryCall] = cache(self._channel.unary_unary)
        self.stream: Callable[[str], StreamCall] = cache(self._channel.unary_stream)

    async def close(self) -> None:
        """End every call of this channel."""
        await self._channel.close()


class Endpoints:
    """The servers in the order to try them."""

    def __init__(self, members: Sequence[Endpoint]) -> None:
        if not members:
            raise ValueError("endpoints: at least one API server is needed, such as 127.0.0.1:6444")
        self._members = members
        self._index = 0

    def __len__(self) -> int:
        return len(self._members)

    @property
    def current(self) -> Endpoint:
        """The server to ask."""
        return self._members[self._index]

    def leave(self, failed: Endpoint) -> None:
        """Move on to the next server, unless somebody else has already left `failed`."""
        if self.current is failed:
            self._index = (self._index + 1) % len(self._members)

    async def close(self) -> None:
        """End every call to every server."""
        for member in self._members:
            await member.close()


def _channel(target: str, options: GrpcOptions) -> grpc.aio.Channel:
    arguments = _arguments(options)
    if options.insecure:
        return grpc.aio.insecure_channel(target, options=arguments)
    return grpc.aio.secure_channel(target, _credentials(options), options=arguments)


def _arguments(options: GrpcOptions) -> list[tuple[str, int | str]]:
    arguments: list[tuple[str, int | str]] = [
        ("grpc.primary_user_agent", options.user_agent),
        ("grpc.max_receive_message_length", options.receive_bytes),
        # The server's own limit answers with a reason; ours would only hide it.
        ("grpc.max_send_message_length", -1),
        # What may be repeated is decided by the transport, which knows reads from writes.
        ("grpc.enable_retries", 0),
        ("grpc.keepalive_time_ms", round(options.keepalive_seconds * 1000)),
        ("grpc.keepalive_timeout_ms", round(options.keepalive_timeout_seconds * 1000)),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", _RECONNECT_FIRST_MS),
        ("grpc.max_reconnect_backoff_ms", _RECONNECT_MAX_MS),
        ("grpc.min_reconnect_backoff_ms", round(options.connect_timeout_seconds * 1000)),
        # A channel of another client in this process must not share fate or flow control with this one.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if options.server_name:
        arguments.append(("grpc.ssl_target_name_override", options.server_name))
    return arguments


def _credentials(options: GrpcOptions) -> grpc.ChannelCredentials:
    ca, key, certificate = (
        path.read_bytes() if path is not None else None
        for path in (options.ca_file, options.key_file, options.certificate_file)
    )
    return grpc.ssl_channel_credentials(ca, key, certificate)
