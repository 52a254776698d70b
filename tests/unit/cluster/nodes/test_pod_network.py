"""What Node objects say about the network between nodes."""

from ipaddress import IPv4Network

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.cluster.nodes.pod_network import wanted


def node(name: str, pods: str, *addresses: tuple[str, str]) -> Node:
    """A node with a range and addresses."""
    made = Node()
    made.metadata.name = name
    made.spec.podCIDR = pods
    for type_, address in addresses:
        made.status.addresses.add(type=type_, address=address)
    return made


ONE = node("one", "10.244.0.0/24", ("Hostname", "one"), ("InternalIP", "10.243.0.11"))
TWO = node("two", "10.244.1.0/24", ("InternalIP", "10.243.0.12"))


def test_a_nodes_view() -> None:
    """A node has its own range, and routes to the others' by their internal addresses."""
    found = wanted([ONE, TWO], "one")
    assert found.pods == IPv4Network("10.244.0.0/24")
    assert found.routes == {"10.244.1.0/24": "10.243.0.12"}


def test_the_hosts_view() -> None:
    """The host has routes to all."""
    found = wanted([ONE, TWO], None)
    assert found.pods is None
    assert found.routes == {"10.244.0.0/24": "10.243.0.11", "10.244.1.0/24": "10.243.0.12"}


def test_unfinished_nodes_are_passed_over() -> None:
    """Nodes without a range, with one of the other family, or without an address have no route yet."""
    others = [node("a", ""), node("b", "fd00::/64", ("InternalIP", "1.2.3.4")), node("c", "10.244.9.0/24")]
    found = wanted(others, "a")
    assert (found.pods, found.routes) == (None, {})
