"""The way to the API servers, as the configuration has it."""

from __future__ import annotations

from typing import Final

from kubewire.client.transport.transport import Transport
from kubewire.component import connection
from kubewire.kube_proxy.config import KubeProxyConfig

USER_AGENT: Final = "kube-proxy/0.1"


def connect(config: KubeProxyConfig) -> Transport:
    """A transport; make it inside a running loop, and close it when done.

    Raises:
        ConfigError: a file cannot be read.
    """
    return connection.connect(config, USER_AGENT)
