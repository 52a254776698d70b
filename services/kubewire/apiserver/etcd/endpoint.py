"""One member of etcd: its channel, and its callables made on first use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import grpc
import grpc.aio

from kubewire.apiserver.etcd.methods import Method, Request, Response
from kubewire.apiserver.etcd.options import EtcdOptions

REQUIRE_LEADER = (("hasleader", "true"),)
"""A member cut off from its leader says so at once instead of letting the call, or the watch, wait."""

_RECONNECT_FIRST_MS = 50
_RECONNECT_MAX_MS = 1000


class Endpoint:
    """A channel to one member. Connecting, reconnecting and pings are the channel's business."""

    def __init__(self, url: str, options: EtcdOptions) -> None:
        self.url = url
        self._channel = _channel(url, options)
        self._unary: dict[str, object] = {}

    def unary(self, method: Method[Request, Response]) -> grpc.aio.UnaryUnaryMultiCallable[Request, Response]:
        """The callable of a unary call."""
        found = self._unary.get(method.path)
        if found is None:
            found = self._unary[method.path] = self._channel.unary_unary(
                method.path,
                request_serializer=method.request.SerializeToString,
                response_deserializer=method.response.FromString,
            )
        return cast("grpc.aio.UnaryUnaryMultiCallable[Request, Response]", found)

    def stream(self, method: Method[Request, Response]) -> grpc.aio.StreamStreamCall[Request, Response]:
        """A new bidirectional stream."""
        callable_: grpc.aio.StreamStreamMultiCallable[Request, Response] = self._channel.stream_stream(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        return callable_(metadata=REQUIRE_LEADER)

    async def close(self) -> None:
        """Ends every call of this channel."""
        await self._channel.close()


class Endpoints:
    """The members in the order to try them. One is kept until it fails; then the next one is current."""

    def __init__(self, members: Sequence[Endpoint]) -> None:
        if not members:
            raise ValueError("etcd endpoints: at least one is needed, such as http://127.0.0.1:2379")
        self._members = members
        self._index = 0

    def __len__(self) -> int:
        return len(self._members)

    @property
    def current(self) -> Endpoint:
        """The member to ask."""
        return self._members[self._index]

    def leave(self, failed: Endpoint) -> None:
        """Move on to the next member, unless somebody else has already left `failed`."""
        if self.current is failed:
            self._index = (self._index + 1) % len(self._members)

    async def close(self) -> None:
        """Ends every call to every member."""
        for member in self._members:
            await member.close()


def _channel(url: str, options: EtcdOptions) -> grpc.aio.Channel:
    scheme, separator, target = url.rpartition("://")
    arguments = _arguments(options)
    if separator and scheme in {"https", "unixs"}:
        return grpc.aio.secure_channel(target, _credentials(options), options=arguments)
    if separator and scheme == "unix":
        target = f"unix:{target}"
    elif separator and scheme != "http":
        raise ValueError(f"etcd endpoint {url!r}: the scheme must be http, https or unix")
    return grpc.aio.insecure_channel(target.rstrip("/"), options=arguments)


def _arguments(options: EtcdOptions) -> list[tuple[str, int]]:
    return [
        # Lists and watch answers are as large as the objects in them.
        ("grpc.max_receive_message_length", -1),
        # etcd's own limit answers with a reason; ours would only hide it.
        ("grpc.max_send_message_length", -1),
        # What may be retried is decided here, not in the library.
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


def _credentials(options: EtcdOptions) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(_pem(options.ca_file), _pem(options.key_file), _pem(options.certificate_file))


def _pem(path: Path | None) -> bytes | None:
    return path.read_bytes() if path is not None else None
