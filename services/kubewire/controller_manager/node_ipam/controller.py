"""The node IPAM controller: gives every node without a range one that no other has.

No range is given twice: one worker decides, on a cache that is complete when it starts; what was given counts as taken
from before the write on, whatever its outcome, until the node shows a range or is gone. A write names the version of
the node it was decided on.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import Final

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.client.controller import Controller, RequeueAfter
from kubewire.client.objects import ObjectKey
from kubewire.controller_manager.context import Context
from kubewire.controller_manager.node_ipam.plan import Ranges, first_free, ranges_of
from kubewire.machinery.json_value import JsonObject

NAME: Final = "node-ipam-controller"
_FULL_SECONDS: Final = 60.0
"""When all ranges are given out, a node asks again after so long: others may have gone."""


class NodeIpamController:
    """Gives out ranges."""

    def __init__(self, context: Context) -> None:
        self._context = context
        config = context.config
        self._ranges = Ranges(IPv4Network(config.cluster_cidr), config.node_cidr_mask_size)
        self._nodes = context.informers.informer(Node)
        self._client = context.client.resource(Node)
        self._given: dict[str, str] = {}
        self._controller = Controller(NAME, self.reconcile, metrics=context.metrics.queues)
        self._controller.watch(self._nodes, is_relevant=_changes_ranges)

    @property
    def controllers(self) -> Sequence[Controller]:
        """Its one loop, with one worker."""
        return (self._controller,)

    async def run(self) -> None:
        """Work until cancelled."""
        await self._controller.run()

    async def reconcile(self, key: ObjectKey) -> RequeueAfter | None:
        """Give a node its range if it has none.

        Raises:
            StatusError: the node could not be written.
        """
        node = self._nodes.cache.get(key)
        if node is None or ranges_of(node):
            self._given.pop(key.name, None)
            return None
        chosen = self._given.get(key.name) or first_free(self._ranges, self._taken())
        if chosen is None:
            why = f"all {self._ranges.count} ranges of {self._ranges.cluster} are given out"
            self._context.recorder.warning(node, "CIDRNotAvailable", why)
            return RequeueAfter(_FULL_SECONDS)
        self._given[key.name] = chosen
        await self._client.patch(key.name, _giving(node, chosen))
        self._context.metrics.ranges_given.labels(str(self._ranges.cluster)).inc()
        return None

    def _taken(self) -> list[str]:
        return [text for node in self._nodes.cache.list() for text in ranges_of(node)] + list(self._given.values())


def _giving(node: Node, chosen: str) -> JsonObject:
    """A merge patch for this very version of the node."""
    metadata = node.metadata
    return {
        "metadata": {"uid": metadata.uid, "resourceVersion": metadata.resourceVersion},
        "spec": {"podCIDR": chosen, "podCIDRs": [chosen]},
    }


def _changes_ranges(before: Node, now: Node) -> bool:
    """A node that still has none is looked at on any change, since the last write may have met an older version."""
    return not ranges_of(now) or ranges_of(before) != ranges_of(now)
