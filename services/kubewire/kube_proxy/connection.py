"""The way to the API servers, as the configuration has it."""

from __future__ import annotations

from typing import Final

from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.options import GrpcOptions
from kubewire.client.transport.transport import Transport
from kubewire.component.errors import ConfigError
from kubewire.kube_proxy.config import KubeProxyConfig

USER_AGENT: Final = "kube-proxy/0.1"


def connect(config: KubeProxyConfig) -> Transport:
    """A transport; make it inside a running loop, and close it when done.

    Raises:
        ConfigError: a file cannot be read.
    """
    options = GrpcOptions(
        endpoints=config.apiserver,
        insecure=config.apiserver_insecure,
        ca_file=config.ca_file,
        token_file=config.token_file,
        certificate_file=config.client_cert_file,
        key_file=config.client_key_file,
        user_agent=USER_AGENT,
    )
    try:
        return GrpcTransport(options)
    except OSError as error:
        raise ConfigError(f"{error.filename}: cannot be read: {error.strerror}") from None
