"""How etcd is reached: one frozen section of the API server's configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class EtcdOptions:
    """Members to talk to, and for how long to wait for them."""

    endpoints: tuple[str, ...] = ("http://127.0.0.1:2379",)
    """Client URLs (`https://host:port`, or `host:port` without TLS); the first that answers is kept."""

    ca_file: Path | None = None
    """PEM file of the CA that signed the members' certificates; the system's own when absent."""

    certificate_file: Path | None = None
    """PEM file of our client certificate, for members that ask for one."""

    key_file: Path | None = None
    """PEM file of the key of `certificate_file`."""

    request_timeout_seconds: float = 10.0
    """Deadline of a call unless the caller gives one: two elections of etcd's default timing."""

    attempt_timeout_seconds: float = 3.0
    """How long one of several members may take over a read before the next one is asked."""

    connect_timeout_seconds: float = 2.0
    """How long one connection attempt may take."""

    keepalive_seconds: float = 10.0
    """Interval of HTTP/2 pings on a connection in use. etcd disconnects who pings more often than every 5 s."""

    keepalive_timeout_seconds: float = 5.0
    """A connection whose ping is not answered for this long is dead."""
