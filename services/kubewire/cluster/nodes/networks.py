"""Which addresses a local cluster has: a network for its nodes and one for its pods, apart from all that is routed.

Several clusters share a machine, and the machine has networks of its own. What a cluster takes is one of a few
numbered pairs; the first is what Kubernetes' own tools take by default (pods in 10.244.0.0/16).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from kubewire.cluster.errors import InvalidRequest

# The second number of each pair's network for pods; its place in the list numbers the pair.
_PODS = (*range(244, 256), *range(200, 243))
NODES_AT_MOST = 240
_BROAD = 15  # bits of a route over which any of our networks wins
_FIRST_NODE = 10  # addresses below are for what is no node: the host is .1


@dataclass(frozen=True, slots=True)
class Networks:
    """The addresses of one cluster."""

    nodes: IPv4Network
    pods: IPv4Network

    @property
    def host(self) -> IPv4Address:
        """The machine itself, as nodes and pods reach it: where the API server is."""
        return self.nodes[1]

    def node(self, index: int) -> IPv4Address:
        """The address of node `index`, counted from 1.

        Raises:
            InvalidRequest: there is no such node.
        """
        if not 1 <= index <= NODES_AT_MOST:
            raise InvalidRequest(f"node {index}: a local cluster has nodes 1 to {NODES_AT_MOST}")
        return self.nodes[_FIRST_NODE + index]


def candidates() -> Iterator[Networks]:
    """All pairs, in the order in which they are tried."""
    for number, pods in enumerate(_PODS):
        yield Networks(IPv4Network(f"10.243.{number}.0/24"), IPv4Network(f"10.{pods}.0.0/16"))


def choose(taken: Iterable[IPv4Network]) -> Networks:
    """The first pair that meets nothing in `taken`, what the host has routes or addresses for.

    Where a broad route (a company's 10.0.0.0/8) covers every pair, the first that meets only such routes: a narrower
    route wins over a broader one.

    Raises:
        InvalidRequest: every pair is taken.
    """
    present = [network for network in taken if network.prefixlen > 0]
    narrow = [network for network in present if network.prefixlen > _BROAD]
    for obstacles in (present, narrow):
        for pair in candidates():
            if not any(pair.nodes.overlaps(one) or pair.pods.overlaps(one) for one in obstacles):
                return pair
    listed = ", ".join(map(str, sorted(narrow)))
    raise InvalidRequest(
        f"no network is left for the cluster: this machine has routes to {listed}; end another cluster"
    )
