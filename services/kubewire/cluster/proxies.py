"""Asking every node's kube-proxy, by its metrics, when it last programmed its kernel."""

from __future__ import annotations

import re
from http.client import HTTPConnection, HTTPException
from typing import Final

from kubewire.cluster import agents
from kubewire.cluster.components import KUBE_PROXY
from kubewire.cluster.home import Home
from kubewire.cluster.nodes.place import read_fabric, read_places
from kubewire.cluster.wanted import CONTAINERD, Settings

_LAST: Final = re.compile(r"^kubeproxy_sync_proxy_rules_last_timestamp_seconds\S* (\S+)$", re.MULTILINE)
_SECONDS: Final = 2.0


def last_programmed(home: Home, settings: Settings) -> dict[str, float]:
    """When each proxy last programmed all there was, in Unix seconds, by node; without nodes that do not answer."""
    fabric = read_fabric(home) if settings.runtime == CONTAINERD else None
    found: dict[str, float] = {}
    for place in [] if fabric is None else read_places(fabric):
        if (answer := _LAST.search(_ask(agents.metrics(place)[KUBE_PROXY]))) is not None:
            found[place.name] = float(answer[1])
    return found


def _ask(address: str) -> str:
    """The metrics served there; nothing if nobody answers."""
    connection = HTTPConnection(address, timeout=_SECONDS)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    except (OSError, HTTPException):  # it is not there, or not yet
        return ""
    finally:
        connection.close()
