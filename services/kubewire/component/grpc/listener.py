"""Addresses that a gRPC server listens on, with TLS, with client certificates, or bare."""

from __future__ import annotations

from typing import NamedTuple

import grpc
import grpc.aio


class ServerIdentity(NamedTuple):
    """What a TLS port shows, in PEM. With `client_ca`, only clients whose certificate it signed may connect."""

    certificate: bytes
    key: bytes
    client_ca: bytes | None = None


class Listener(NamedTuple):
    """One address, `host:port` or `unix:path`; port 0 takes any free one. Without an identity there is no TLS."""

    address: str
    identity: ServerIdentity | None = None


def bind(server: grpc.aio.Server, listener: Listener) -> int:
    """Listen; returns the port.

    grpcio can only refuse clients without certificates or not look at certificates at all, so a port that knows
    clients by certificates is one more port.

    Raises:
        OSError: the address is taken, or is none of this machine's.
    """
    try:
        port = _add(server, listener)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {listener.address}: is it taken? ({error})") from None
    if not port and not listener.address.startswith("unix:"):
        raise OSError(f"cannot listen on {listener.address}")
    return port


def _add(server: grpc.aio.Server, listener: Listener) -> int:
    identity = listener.identity
    if identity is None:
        return server.add_insecure_port(listener.address)
    credentials = grpc.ssl_server_credentials(
        [(identity.key, identity.certificate)],
        root_certificates=identity.client_ca,
        require_client_auth=identity.client_ca is not None,
    )
    return server.add_secure_port(listener.address, credentials)
