"""The way to kubelets: where they are, by what their nodes say of themselves, and one connection to each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import grpc
import grpc.aio

from kubewire.apiserver.streams.session import Session
from kubewire.machinery import errors

if TYPE_CHECKING:
    _Receiving: TypeAlias = grpc.aio.UnaryStreamMultiCallable[bytes, bytes]
    from kubewire.api.core.v1.node_pb2 import Node

SERVICE: Final = "/kubewire.kubelet.v1.StreamsService/"
ADDRESS_TYPES: Final = ("InternalIP", "Hostname", "InternalDNS", "ExternalDNS", "ExternalIP")
"""Which of a node's addresses is taken, the first that it has; upstream's order, but that addresses need no names."""

CONNECT_SECONDS: Final = 10.0
_FAILURES_AT_MOST: Final = 2
"""The first may be an old one, of a kubelet that is back by now."""

_CONNECTIONS_AT_MOST: Final = 1000
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # A node that was cut off ends its streams, and does not leave them hanging.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)


class KubeletCredentials(NamedTuple):
    """In PEM: whom we believe, and who we are."""

    authority: bytes
    certificate: bytes
    key: bytes


class Kubelets:
    """Connections to kubelets, kept while they are used. Make it inside a running loop, and close it."""

    def __init__(self, credentials: KubeletCredentials) -> None:
        self._credentials = grpc.ssl_channel_credentials(*_in_grpcs_order(credentials))
        self._channels: dict[str, grpc.aio.Channel] = {}

    async def exchange(self, node: Node, method: str, first: bytes) -> Session:
        """Open a call that carries streams both ways, and send its first message.

        Raises:
            StatusError: 503, the kubelet cannot be reached.
        """
        channel = await self._channel(node)
        session = Session(channel.stream_stream(SERVICE + method)())
        await session.send(first)
        return session

    async def receive(self, node: Node, method: str, request: bytes) -> Session:
        """Open a call that answers with a stream.

        Raises:
            StatusError: 503, the kubelet cannot be reached.
        """
        channel = await self._channel(node)
        opened: _Receiving = channel.unary_stream(SERVICE + method)
        return Session(opened(request))

    async def close(self) -> None:
        """End all connections, and what goes over them."""
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            await channel.close()

    async def _channel(self, node: Node) -> grpc.aio.Channel:
        address = address_of(node)
        channel = self._channels.pop(address, None)
        if channel is None:
            if len(self._channels) >= _CONNECTIONS_AT_MOST:
                # The one that was not asked for for longest; gRPC lets its calls end.
                await self._channels.pop(next(iter(self._channels))).close(grace=None)
            channel = grpc.aio.secure_channel(address, self._credentials, options=_OPTIONS)
        self._channels[address] = channel
        await _connected(channel, node.metadata.name, address)
        return channel


async def _connected(channel: grpc.aio.Channel, node: str, address: str) -> None:
    """Wait for the connection, so that a node that cannot be reached is told from one that refuses."""
    failures = 0
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            while (state := channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
                failures += state is grpc.ChannelConnectivity.TRANSIENT_FAILURE
                if failures > _FAILURES_AT_MOST:
                    break
                await channel.wait_for_state_change(state)
            else:
                return
    except TimeoutError:
        pass
    raise errors.service_unavailable(
        f"error dialing backend: the kubelet of node {node} at {address} cannot be reached"
    )


def address_of(node: Node) -> str:
    """`host:port` of a node's kubelet.

    Raises:
        StatusError: 503, the node does not say.
    """
    name, port = node.metadata.name, node.status.daemonEndpoints.kubeletEndpoint.Port
    known = {address.type: address.address for address in reversed(node.status.addresses)}
    host = next((known[kind] for kind in ADDRESS_TYPES if kind in known), "")
    if not host or not port:
        raise errors.service_unavailable(f"node {name} has not told yet where its kubelet is")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _in_grpcs_order(credentials: KubeletCredentials) -> tuple[bytes, bytes, bytes]:
    return credentials.authority, credentials.key, credentials.certificate
