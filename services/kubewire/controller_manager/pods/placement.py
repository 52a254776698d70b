"""Where pods are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kubewire.api.core.v1.pod_pb2 import Pod

BY_NODE: Final = "node of the pod"


def node_of(pod: Pod) -> Iterable[str]:
    """An index: pods by the name of their node."""
    return (pod.spec.nodeName,) if pod.spec.nodeName else ()
