"""How an API server is reached over gRPC."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_USER_AGENT = "kubewire-client/0.1"


@dataclass(frozen=True, slots=True)
class GrpcOptions:
    """Servers to talk to, who we are, and how long to wait."""

    endpoints: tuple[str, ...] = ("127.0.0.1:6444",)
    """`host:port` of API servers; the first that answers is kept until it fails."""

    insecure: bool = False
    """Plain text without TLS, for loopback only. The token is sent all the same."""

    ca_file: Path | None = None
    """PEM file of the CA that signed the servers' certificates; the system's own when absent."""

    certificate_file: Path | None = None
    """PEM file of our client certificate, as an alternative to a token."""

    key_file: Path | None = None
    """PEM file of the key of `certificate_file`."""

    token: str = ""
    """Bearer token; who we are."""

    token_file: Path | None = None
    """File with the bearer token, read again every minute since such tokens are renewed in place; wins over `token`."""

    server_name: str = ""
    """Name to expect in the servers' certificates, where it is not the host of the endpoint."""

    user_agent: str = DEFAULT_USER_AGENT
    """`name/version` of the program; its first word is the default field manager of writes."""

    retry_seconds: float = 10.0
    """How long a call that certainly did nothing is tried again while no server answers: a restart of a server."""

    keepalive_seconds: float = 20.0
    """Interval of pings on a connection with calls; servers accept one every 5 s."""

    keepalive_timeout_seconds: float = 10.0
    """A connection whose ping is not answered for this long is dead, and its calls end with ServiceUnavailable."""

    connect_timeout_seconds: float = 5.0
    """How long one attempt to connect may take."""

    receive_bytes: int = 64 << 20
    """Largest answer taken. Lists are paged at about 1 MiB and never come near."""
