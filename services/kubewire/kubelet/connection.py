"""The way to the API servers, as the configuration has it."""

from __future__ import annotations

from typing import Final

from kubewire.client.transport.transport import Transport
from kubewire.component import connection
from kubewire.kubelet.config import KubeletConfig

USER_AGENT: Final = "kubelet/0.1"
"""Its first word is the manager of the fields we write."""


def connect(config: KubeletConfig) -> Transport:
    """A transport; make it inside a running loop, and close it when done.

    Raises:
        ConfigError: a file cannot be read.
    """
    return connection.connect(config, USER_AGENT)
