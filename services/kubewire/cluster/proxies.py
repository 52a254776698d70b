"""Asking every node's kube-proxy when it last programmed its kernel.

A proxy's metrics are at the node's own loopback address, so the question is asked from inside the node's network
namespace: by a thread that enters it, since a namespace belongs to a thread and a socket stays where it was made.
"""

from __future__ import annotations

import ctypes
import os
import re
import urllib.request
from pathlib import Path
from threading import Thread
from typing import Final

from kubewire.cluster.home import Home
from kubewire.cluster.nodes.place import read_fabric, read_places
from kubewire.cluster.wanted import CONTAINERD, Settings

_URL: Final = "http://127.0.0.1:10249/metrics"
_LAST: Final = re.compile(r"^kubeproxy_sync_proxy_rules_last_timestamp_seconds\S* (\S+)$", re.MULTILINE)
_SECONDS: Final = 2.0


def last_programmed(home: Home, settings: Settings) -> dict[str, float]:
    """When each proxy last programmed all there was, in Unix seconds, by node; without nodes that do not answer."""
    fabric = read_fabric(home) if settings.runtime == CONTAINERD else None
    found: dict[str, float] = {}
    for place in [] if fabric is None else read_places(fabric):
        if (answer := _LAST.search(_ask(place.namespace_path))) is not None:
            found[place.name] = float(answer[1])
    return found


def _ask(namespace: Path) -> str:
    """The metrics of the proxy in a namespace; nothing if it does not answer."""
    answers: list[str] = []
    thread = Thread(target=_ask_inside, args=(namespace, answers))
    thread.start()
    thread.join()
    return "".join(answers)


def _ask_inside(namespace: Path, answers: list[str]) -> None:
    try:
        descriptor = os.open(namespace, os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(descriptor, 0):
                return
        finally:
            os.close(descriptor)
        with urllib.request.urlopen(_URL, timeout=_SECONDS) as answer:
            answers.append(answer.read().decode())
    except OSError:  # it is not there, or not yet
        return
