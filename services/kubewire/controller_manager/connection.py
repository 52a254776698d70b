"""The way to the API servers, as the configuration has it."""

from __future__ import annotations

from typing import Final

from kubewire.client.transport.transport import Transport
from kubewire.component import connection
from kubewire.controller_manager.config import ControllerManagerConfig

USER_AGENT: Final = "kube-controller-manager/0.1"
"""Its first word is the manager of the fields we write."""


def connect(config: ControllerManagerConfig) -> Transport:
    """A transport; make it inside a running loop, and close it when done.

    Raises:
        ConfigError: a file cannot be read.
    """
    return connection.connect(config, USER_AGENT)
