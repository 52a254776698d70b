"""Which addresses a cluster takes."""

from ipaddress import IPv4Address, IPv4Network

import pytest

from kubewire.cluster.errors import InvalidRequest
from kubewire.cluster.nodes.networks import candidates, choose


def networks(*texts: str) -> list[IPv4Network]:
    """What a host has routes for."""
    return [IPv4Network(text) for text in texts]


def test_first_choice() -> None:
    """On an ordinary machine a cluster's pods are in 10.244.0.0/16, and the host is .1 of its nodes."""
    chosen = choose(networks("0.0.0.0/0", "192.168.1.0/24", "172.17.0.0/16"))
    assert (str(chosen.pods), str(chosen.nodes)) == ("10.244.0.0/16", "10.243.0.0/24")
    assert (chosen.host, chosen.node(1)) == (IPv4Address("10.243.0.1"), IPv4Address("10.243.0.11"))


def test_candidates_are_apart() -> None:
    """No two clusters' networks meet."""
    every = [network for pair in candidates() for network in (pair.nodes, pair.pods)]
    assert len(every) > 100
    assert not any(one.overlaps(other) for one in every for other in every if one is not other)


@pytest.mark.parametrize("taken", ["10.244.3.0/24", "10.243.0.0/24", "10.243.0.7/32"])
def test_taken_networks_are_passed_over(taken: str) -> None:
    """A network that the host has a route or an address in is not taken, nor one inside or around it."""
    chosen = choose(networks(taken))
    assert not any(IPv4Network(taken).overlaps(network) for network in (chosen.nodes, chosen.pods))


def test_broad_routes_do_not_stop_us() -> None:
    """Where one route covers all private addresses, a narrower one of ours wins over it; narrow ones still count."""
    for broad in ("10.0.0.0/8", "10.240.0.0/13"):
        assert str(choose(networks(broad, "10.244.0.0/24")).pods) == "10.245.0.0/16"


def test_nothing_left() -> None:
    """With every network taken the message says by what."""
    with pytest.raises(InvalidRequest, match=r"routes to 10\.200\.0\.0/16, 10\.201"):
        choose([pair.pods for pair in candidates()])


@pytest.mark.parametrize("index", [0, -1, 241])
def test_nodes_out_of_range(index: int) -> None:
    """Nodes are numbered from 1 to 240."""
    with pytest.raises(InvalidRequest, match="nodes 1 to 240"):
        choose([]).node(index)
