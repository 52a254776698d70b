"""Keeps the network between nodes as the cluster's Node objects have it.

In a node's agents it writes the node's own pod network once the node has a range for it (until then the runtime says
that its network is not ready), and the routes to the others' pods; on the host it keeps the same routes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.client.informer.informer import Handler, Informer
from kubewire.cluster.errors import ClusterError
from kubewire.cluster.nodes import cni
from kubewire.cluster.nodes.node import INTERFACE
from kubewire.cluster.nodes.place import Fabric, NodePlace
from kubewire.cluster.nodes.routes import Router

_LOG: Final = logging.getLogger("kubewire.cluster.pod_network")
_RETRY_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one end of the fabric should have. `pods` is its own range, None until it has one, and for the host."""

    pods: IPv4Network | None
    routes: dict[str, str]


def wanted(nodes: Iterable[Node], own: str | None) -> Wanted:
    """What the node named `own`, or the host, should have, by what the cluster's nodes say."""
    pods, routes = None, {}
    for node in nodes:
        cidr, address = _range(node), _address(node)
        if cidr is not None and node.metadata.name == own:
            pods = cidr
        elif cidr is not None and address:
            routes[str(cidr)] = address
    return Wanted(pods, routes)


class PodNetwork:
    """The network of one node (its place), or the host's way to all pods (None). Run it in a TaskGroup."""

    def __init__(self, nodes: Informer[Node], fabric: Fabric, place: NodePlace | None) -> None:
        self._nodes = nodes
        self._place = place
        host = Router(None, fabric.host_interface)
        self._router = host if place is None else Router(place.namespace, INTERFACE)
        self._changed = asyncio.Event()
        nodes.add_handler(Handler(added=self._on_node, updated=self._on_update, deleted=self._on_node))

    async def run(self) -> None:
        """Apply every change until cancelled. What the kernel refuses is logged and tried again."""
        await self._nodes.wait_synced()  # or the routes of nodes that we do not know yet would be taken away
        self._changed.set()
        while True:
            await self._changed.wait()
            self._changed.clear()
            state = wanted(self._nodes.cache.list(), self._place.name if self._place else None)
            try:
                await asyncio.to_thread(self._apply, state)
            except (ClusterError, OSError) as error:
                _LOG.warning("pod network not in order", extra={"why": str(error)})
                await asyncio.sleep(_RETRY_SECONDS)
                self._changed.set()

    def _apply(self, state: Wanted) -> None:
        self._router.sync(state.routes)
        if self._place is not None and state.pods is not None and cni.configure(self._place, state.pods):
            _LOG.info("pod network configured", extra={"node": self._place.name, "pods": str(state.pods)})

    def _on_node(self, _node: Node) -> None:
        self._changed.set()

    def _on_update(self, before: Node, after: Node) -> None:
        if (_range(before), _address(before)) != (_range(after), _address(after)):
            self._changed.set()


def _range(node: Node) -> IPv4Network | None:
    """The node's podCIDR; None while it has none, or no IPv4 one."""
    try:
        return IPv4Network(node.spec.podCIDR) if node.spec.podCIDR else None
    except ValueError:
        return None


def _address(node: Node) -> str:
    """The node's InternalIP; empty while the kubelet has not told."""
    return next((entry.address for entry in node.status.addresses if entry.type == "InternalIP"), "")
