"""The kernel's table of connections: those of one protocol with where they went, and forgetting some. Blocking.

A datagram has no end, so that its connection lives on as long as somebody sends: a client of a Service would be sent
to a target that has gone for ever if its connection were not forgotten.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from kubewire.kube_proxy.netlink.attributes import attribute, be16_of, nested, parse
from kubewire.kube_proxy.netlink.errors import Refused
from kubewire.kube_proxy.netlink.socket import Message, NetfilterSocket

UDP: Final = 17

_SUBSYSTEM: Final = 1
_GET: Final = _SUBSYSTEM << 8 | 1
_DELETE: Final = _SUBSYSTEM << 8 | 2
_IPV4: Final = 2
_ORIGINAL, _REPLY, _ZONE, _FILTER = 1, 2, 18, 25
_ORIGINAL_FLAGS, _REPLY_FLAGS = 1, 2
_BY_PROTOCOL: Final = 1 << 3
_IP, _PROTOCOL = 1, 2
_SOURCE, _DESTINATION = 1, 2
_NUMBER, _SOURCE_PORT, _DESTINATION_PORT = 1, 2, 3


class Flow(NamedTuple):
    """One connection: what it was sent to, who answers, and the kernel's own words for it."""

    destination: tuple[str, int]
    answered_by: tuple[str, int]
    identity: bytes

    @property
    def is_redirected(self) -> bool:
        """Whether somebody else answers than was asked."""
        return self.destination != self.answered_by


class ConnectionTable:
    """Make it in the network namespace it is for."""

    def __init__(self) -> None:
        """Open a socket.

        Raises:
            OSError: there is no netfilter, or no right to it.
        """
        self._socket = NetfilterSocket()

    def close(self) -> None:
        """Let the socket go."""
        self._socket.close()

    def flows(self, protocol: int) -> Iterator[Flow]:
        """All connections of a protocol.

        Raises:
            OSError: they cannot be read.
        """
        for message in self._socket.dump(Message(_GET, 0, _IPV4, _only(protocol))):
            flow = _flow(message.body, protocol)
            if flow is not None:
                yield flow

    def forget(self, flow: Flow) -> bool:
        """Have the next packet decided anew; False if it was forgotten already.

        Raises:
            OSError: it cannot be.
        """
        try:
            self._socket.ask(Message(_DELETE, 0, _IPV4, flow.identity))
        except Refused as error:
            if error.errno != 2:
                raise
            return False
        return True


def _only(protocol: int) -> bytes:
    """Have the kernel list one protocol alone. Kernels before 5.8 list all."""
    number = nested(_ORIGINAL, nested(_PROTOCOL, attribute(_NUMBER, bytes((protocol,)))))
    flags = struct.Struct("=I").pack
    return number + nested(_FILTER, attribute(_ORIGINAL_FLAGS, flags(_BY_PROTOCOL)), attribute(_REPLY_FLAGS, flags(0)))


def _flow(body: bytes, protocol: int) -> Flow | None:
    found = parse(body)
    original = parse(found[_ORIGINAL])
    ports = parse(original[_PROTOCOL])
    if ports[_NUMBER][0] != protocol:
        return None
    reply = parse(found[_REPLY])
    identity = nested(_ORIGINAL, found[_ORIGINAL])
    if _ZONE in found:
        identity += attribute(_ZONE, found[_ZONE])
    return Flow(
        (socket.inet_ntoa(parse(original[_IP])[_DESTINATION]), be16_of(ports[_DESTINATION_PORT])),
        (socket.inet_ntoa(parse(reply[_IP])[_SOURCE]), be16_of(parse(reply[_PROTOCOL])[_SOURCE_PORT])),
        identity,
    )
