"""The way to the API servers, as the configuration has it."""

from __future__ import annotations

from typing import Final

from kubewire.client.transport.options import GrpcOptions
from kubewire.client.transport.transport import Transport
from kubewire.cluster.node_network.config import NodeNetworkConfig
from kubewire.component.connection import open_transport

USER_AGENT: Final = "kubewire-node-network/0.1"


def connect(config: NodeNetworkConfig) -> Transport:
    """A transport; make it inside a running loop, and close it when done.

    Raises:
        ConfigError: a file cannot be read.
    """
    options = GrpcOptions(
        endpoints=config.apiserver, ca_file=config.ca_file, token_file=config.token_file, user_agent=USER_AGENT
    )
    return open_transport(options)
