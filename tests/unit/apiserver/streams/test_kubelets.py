"""Where kubelets are."""

import pytest

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.apiserver.streams.kubelets import address_of
from kubewire.machinery.errors import StatusError


def node(port: int, **addresses: str) -> Node:
    """A node that says where it is."""
    made = Node()
    made.metadata.name = "n1"
    made.status.daemonEndpoints.kubeletEndpoint.Port = port
    for kind, address in addresses.items():
        made.status.addresses.add(type=kind, address=address)
    return made


def test_the_internal_address_comes_first() -> None:
    """Whatever order the node lists its addresses in."""
    assert address_of(node(10350, Hostname="n1", InternalIP="10.0.0.1")) == "10.0.0.1:10350"
    assert address_of(node(10350, ExternalIP="1.2.3.4", Hostname="n1")) == "n1:10350"


def test_ipv6_addresses_stand_in_brackets() -> None:
    """Or their colons would be taken for the port's."""
    assert address_of(node(1, InternalIP="fd00::1")) == "[fd00::1]:1"


def test_of_several_addresses_of_a_kind_the_first_counts() -> None:
    """As upstream takes it."""
    made = node(1, InternalIP="10.0.0.1")
    made.status.addresses.add(type="InternalIP", address="10.0.0.2")
    assert address_of(made) == "10.0.0.1:1"


@pytest.mark.parametrize("silent", [node(0, InternalIP="10.0.0.1"), node(10350)], ids=["port", "address"])
def test_a_node_that_does_not_say_cannot_be_reached(silent: Node) -> None:
    """It is known later, so the call may be made again."""
    with pytest.raises(StatusError, match="node n1 has not told yet") as raised:
        address_of(silent)
    assert raised.value.code == 503
