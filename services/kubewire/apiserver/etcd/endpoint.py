"""One member of etcd: its channel, and its callables made on first use."""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence
from typing import Any, Final

from kubewire.apiserver.etcd.http2.callables import StreamCall, UnaryCallable
from kubewire.apiserver.etcd.http2.channel import Channel, Target, Timing
from kubewire.apiserver.etcd.methods import Method, Request, Response
from kubewire.apiserver.etcd.options import EtcdOptions

REQUIRE_LEADER = (("hasleader", "true"),)
"""A member cut off from its leader says so at once instead of letting the call, or the watch, wait."""

_SCHEMES: Final = ("http", "https", "unix", "unixs")
_PORT: Final = re.compile("[0-9]{1,5}")
_PORTS: Final = range(1, 65_536)


class Endpoint:
    """A channel to one member. Connecting, reconnecting and pings are the channel's business."""

    def __init__(self, url: str, options: EtcdOptions) -> None:
        self.url = url
        self._channel = _channel(url, options)
        self._unary: dict[str, UnaryCallable[Any, Any]] = {}

    def unary(self, method: Method[Request, Response]) -> UnaryCallable[Request, Response]:
        """The callable of a unary call."""
        found = self._unary.get(method.path)
        if found is None:
            found = self._unary[method.path] = self._channel.unary(
                method.path, method.request.SerializeToString, method.response.FromString, REQUIRE_LEADER
            )
        return found

    def stream(self, method: Method[Request, Response]) -> StreamCall[Request, Response]:
        """A new bidirectional stream."""
        return self._channel.stream(
            method.path, method.request.SerializeToString, method.response.FromString, REQUIRE_LEADER
        )

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


def _channel(url: str, options: EtcdOptions) -> Channel:
    timing = Timing(options.connect_timeout_seconds, options.keepalive_seconds, options.keepalive_timeout_seconds)
    return Channel(_target(url, options), timing)


def _target(url: str, options: EtcdOptions) -> Target:
    scheme, separator, rest = url.rpartition("://")
    if separator and scheme not in _SCHEMES:
        raise ValueError(f"etcd endpoint {url!r}: the scheme must be http, https or unix (unixs with TLS)")
    trust = _trust(options) if scheme in {"https", "unixs"} else None
    if scheme in {"unix", "unixs"}:
        if not rest:
            raise ValueError(f"etcd endpoint {url!r}: want the path of a socket, such as unix:///run/etcd.sock")
        return Target(path=rest, trust=trust)
    host, _, port = rest.rstrip("/").rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not _PORT.fullmatch(port) or int(port) not in _PORTS:
        raise ValueError(f"etcd endpoint {url!r}: want host:port, such as http://127.0.0.1:2379")
    return Target(host=host, port=int(port), trust=trust)


def _trust(options: EtcdOptions) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.ca_file)
    context.set_alpn_protocols(["h2"])
    # From 3.13 on Python also refuses certificates that leave out extensions which nobody asked for before.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if options.certificate_file is not None:
        context.load_cert_chain(options.certificate_file, options.key_file)
    return context
