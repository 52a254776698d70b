"""The way to the API servers, as a component's configuration has it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.options import GrpcOptions
from kubewire.client.transport.transport import Transport
from kubewire.component.errors import ConfigError


class ConnectionSettings(Protocol):
    """The settings by which every component but the API server finds API servers and says who it is."""

    @property
    def apiserver(self) -> tuple[str, ...]:
        """gRPC addresses, `host:port`."""

    @property
    def apiserver_insecure(self) -> bool:
        """Without TLS, on loopback only."""

    @property
    def ca_file(self) -> Path | None:
        """The CA that signed the servers' certificates."""

    @property
    def token_file(self) -> Path | None:
        """The bearer token to send."""

    @property
    def client_cert_file(self) -> Path | None:
        """A client certificate, instead of a token."""

    @property
    def client_key_file(self) -> Path | None:
        """Its key."""


def connect(settings: ConnectionSettings, user_agent: str) -> Transport:
    """A transport; make it inside a running loop, and close it when done.

    The first word of `user_agent` is the manager of the fields that are written through it.

    Raises:
        ConfigError: a file cannot be read.
    """
    options = GrpcOptions(
        endpoints=settings.apiserver,
        insecure=settings.apiserver_insecure,
        ca_file=settings.ca_file,
        token_file=settings.token_file,
        certificate_file=settings.client_cert_file,
        key_file=settings.client_key_file,
        user_agent=user_agent,
    )
    return open_transport(options)


def open_transport(options: GrpcOptions) -> Transport:
    """Likewise, for who has options of its own.

    Raises:
        ConfigError: a file cannot be read.
    """
    try:
        return GrpcTransport(options)
    except OSError as error:
        raise ConfigError(f"{error.filename}: cannot be read: {error.strerror}") from None
