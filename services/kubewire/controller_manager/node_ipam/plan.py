"""Which range a node gets. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network

from kubewire.api.core.v1.node_pb2 import Node


@dataclass(frozen=True, slots=True)
class Ranges:
    """The cluster's range, and the length of the prefix of a node's."""

    cluster: IPv4Network
    node_prefix: int

    @property
    def count(self) -> int:
        """How many nodes fit."""
        return 1 << max(0, self.node_prefix - self.cluster.prefixlen)

    def at(self, index: int) -> str:
        """One node's range."""
        size = 1 << (32 - self.node_prefix)
        return f"{self.cluster.network_address + index * size}/{self.node_prefix}"


def ranges_of(node: Node) -> tuple[str, ...]:
    """What a node has; usually one range."""
    return tuple(node.spec.podCIDRs) or ((node.spec.podCIDR,) if node.spec.podCIDR else ())


def first_free(ranges: Ranges, taken: Iterable[str]) -> str | None:
    """The first range nobody has, or overlaps with; None when all are given out."""
    given = [IPv4Network(text) for text in taken if ":" not in text]
    exact = {str(network) for network in given if network.prefixlen == ranges.node_prefix}
    others = [network for network in given if network.prefixlen != ranges.node_prefix]
    for index in range(ranges.count):
        text = ranges.at(index)
        if text not in exact and not any(IPv4Network(text).overlaps(other) for other in others):
            return text
    return None
