"""Which range a node gets. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
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

    @property
    def size(self) -> int:
        """How many addresses a node gets."""
        return 1 << (32 - self.node_prefix)

    def at(self, index: int) -> str:
        """One node's range."""
        return f"{self.cluster.network_address + index * self.size}/{self.node_prefix}"


def ranges_of(node: Node) -> tuple[str, ...]:
    """What a node has; usually one range."""
    return tuple(node.spec.podCIDRs) or ((node.spec.podCIDR,) if node.spec.podCIDR else ())


def first_free(ranges: Ranges, taken: Iterable[str]) -> str | None:
    """The first range nobody has, or overlaps with; None when all are given out."""
    begin, size, last = int(ranges.cluster.network_address), ranges.size, ranges.count - 1
    used: set[int] = set()
    for text in taken:
        if ":" not in text:
            lowest, highest = _span(text)
            used.update(range(max((lowest - begin) // size, 0), min((highest - begin) // size, last) + 1))
    free = next((index for index in range(ranges.count) if index not in used), None)
    return None if free is None else ranges.at(free)


@lru_cache(16_384)
def _span(text: str) -> tuple[int, int]:
    """The first and the last address of a range, as numbers: with a thousand nodes, it is looked at a million times."""
    network = IPv4Network(text)
    return int(network.network_address), int(network.broadcast_address)
