"""Where connections really go, through the kernel, with rules programmed as the proxy would."""

import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from kubewire.kube_proxy.config import KubeProxyConfig
from kubewire.kube_proxy.desired.difference import difference
from kubewire.kube_proxy.desired.model import Rules
from kubewire.kube_proxy.flows.stale import udp_frontends
from kubewire.kube_proxy.table import Edge, open_edge
from tests.integration.kube_proxy.conftest import GATEWAY, NODE_ADDRESS, OUTSIDE_ADDRESS, POD_NETWORK, Network
from tests.kube_proxy_tables import rules
from tests.network_namespaces import NetworkNamespace, Server, ask, ask_datagram

A, B = "10.244.0.2:8080*", "10.244.0.3:8080*"
VIA_NODE = {NODE_ADDRESS, GATEWAY}
"""What a connection comes from that was masqueraded."""


@pytest.fixture
async def edge(network: Network) -> AsyncIterator[Edge]:
    """Programs the node."""
    opened = network.node.call(open_edge, KubeProxyConfig(cluster_cidr=(POD_NETWORK,)))
    yield opened
    opened.close()


async def program(edge: Edge, text: str) -> Rules:
    """Bring the node to rules, and forget connections they would not make."""
    wanted = rules(text)
    changes = difference(wanted, (await edge.backend.read()).rules)
    await edge.backend.apply(changes)
    places = udp_frontends((*changes.remove, *(rule.frontend for rule in changes.put)))
    await edge.flows.forget_stale(places, wanted)
    return wanted


def answers(namespace: NetworkNamespace, address: str, port: int, times: int = 24) -> Counter[tuple[str, str]]:
    """Who answers connections, and whom they take the asker for."""
    return Counter(ask(namespace, address, port) for _ in range(times))


def names(found: Counter[tuple[str, str]]) -> set[str]:
    """Who answered."""
    return {name for name, _ in found}


async def test_cluster_ip(network: Network, edge: Edge) -> None:
    """Pods, the node and machines outside reach all endpoints; pods are seen as they are, those outside are not."""
    await program(edge, f"TCP 10.96.0.1:80 -> {A} {B} outside")
    found = answers(network.client, "10.96.0.1", 80)
    assert set(found) == {("a", network.addresses["client"]), ("b", network.addresses["client"])}
    assert names(answers(network.node, "10.96.0.1", 80)) == {"a", "b"}
    found = answers(network.outside, "10.96.0.1", 80)
    assert names(found) == {"a", "b"}
    assert {seen for _, seen in found} <= VIA_NODE


async def test_chance_is_fair(network: Network, edge: Edge) -> None:
    """Each of two endpoints gets about half: fewer than 25 of 100 would happen once in ten million runs."""
    await program(edge, f"TCP 10.96.0.1:80 -> {A} {B} outside")
    found = Counter(name for name, _ in answers(network.client, "10.96.0.1", 80, 100).elements())
    assert min(found["a"], found["b"]) >= 25


async def test_node_port(network: Network, edge: Edge) -> None:
    """A node port is served on the node's addresses, to those outside, to pods and to the node; not on loopback."""
    await program(edge, f"TCP *:30080 -> {A} {B} always")
    for asker in (network.outside, network.client, network.node):
        found = answers(asker, NODE_ADDRESS, 30080)
        assert names(found) == {"a", "b"}
        assert {seen for _, seen in found} <= VIA_NODE
    with pytest.raises(ConnectionRefusedError):
        ask(network.node, "127.0.0.1", 30080)


async def test_local_policy(network: Network, edge: Edge) -> None:
    """With a Local policy those outside are seen as they are and reach this node's endpoints; pods reach all."""
    await program(
        edge,
        f"""
        TCP *:30080 -> {A} never
        TCP *:30080 from inside -> {A} {B} outside
        """,
    )
    assert set(answers(network.outside, NODE_ADDRESS, 30080)) == {("a", OUTSIDE_ADDRESS)}
    assert names(answers(network.client, NODE_ADDRESS, 30080)) == {"a", "b"}
    assert names(answers(network.node, NODE_ADDRESS, 30080)) == {"a", "b"}


async def test_hairpin(network: Network, edge: Edge) -> None:
    """A pod reaches itself through a Service; it then seems to come from the node."""
    await program(edge, f"TCP 10.96.0.1:80 -> {A} outside")
    [(name, seen)] = answers(network.a, "10.96.0.1", 80, 4)
    assert name == "a"
    assert seen in VIA_NODE


async def test_endpoints_in_the_network_of_the_node(network: Network, edge: Edge) -> None:
    """A pod without a network of its own is reached at the node's address, by pods, the node and those outside."""
    server = Server(network.node, "node", 8080)
    try:
        target = f"{NODE_ADDRESS}:8080*"
        await program(edge, f"TCP 10.96.0.1:80 -> {target} outside\nTCP *:30080 -> {target} always")
        for asker in (network.client, network.node, network.outside):
            assert ask(asker, "10.96.0.1", 80)[0] == "node"
            assert ask(asker, NODE_ADDRESS, 30080)[0] == "node"
        assert ask(network.node, NODE_ADDRESS, 8080) == ("node", NODE_ADDRESS)
        assert ask(network.client, NODE_ADDRESS, 30080) == ("node", network.addresses["client"])
    finally:
        server.close()


async def test_nobody_there(network: Network, edge: Edge) -> None:
    """Without endpoints connections are refused at once; so are ports no Service has; Local ones get no answer."""
    await program(
        edge,
        f"""
        TCP 10.96.0.1:80 reject
        UDP 10.96.0.1:80 reject
        TCP 10.96.0.2:80 -> {A} outside
        TCP *:30080 reject
        TCP *:30081 drop
        """,
    )
    refused = [
        (network.client, "10.96.0.1", 80),
        (network.node, "10.96.0.1", 80),
        (network.outside, "10.96.0.1", 80),
        (network.client, "10.96.0.2", 81),
        (network.outside, NODE_ADDRESS, 30080),
    ]
    for asker, address, port in refused:
        with pytest.raises(ConnectionRefusedError):
            ask(asker, address, port)
    with network.client.socket(socket.SOCK_DGRAM) as one:
        one.connect(("10.96.0.1", 80))
        one.send(b"?")
        with pytest.raises(ConnectionRefusedError):
            one.recv(10)
    with pytest.raises(TimeoutError):
        ask(network.outside, NODE_ADDRESS, 30081, seconds=0.3)


async def test_affinity(network: Network, edge: Edge) -> None:
    """A client comes back to its endpoint, whatever becomes of others, until that one goes or the time is over."""
    both = f"TCP 10.96.0.1:80 -> {A} {B} outside affinity=600"
    await program(edge, both)
    [mine] = names(answers(network.client, "10.96.0.1", 80))
    more = f"{both} 10.244.0.200:8080"
    await program(edge, more)
    assert names(answers(network.client, "10.96.0.1", 80)) == {mine}
    await program(edge, both)
    assert names(answers(network.client, "10.96.0.1", 80)) == {mine}
    left = B if mine == "a" else A
    await program(edge, f"TCP 10.96.0.1:80 -> {left} outside affinity=600")
    assert names(answers(network.client, "10.96.0.1", 80)) == {"b" if mine == "a" else "a"}


async def test_affinity_is_each_clients_own(network: Network, edge: Edge) -> None:
    """Many clients get both endpoints, and each keeps its own."""
    await program(edge, f"TCP 10.96.0.1:80 -> {A} {B} outside affinity=600")
    addresses = [f"192.168.77.{number}" for number in range(100, 120)]
    for address in addresses:
        network.outside.ip("address", "add", f"{address}/24", "dev", "eth0")

    def ask_from(address: str) -> str:
        with network.outside.socket(socket.SOCK_STREAM) as one:
            one.bind((address, 0))
            one.connect(("10.96.0.1", 80))
            return one.recv(100).decode().partition(" ")[0]

    found = {address: {ask_from(address) for _ in range(4)} for address in addresses}
    assert all(len(whose) == 1 for whose in found.values())
    assert {name for whose in found.values() for name in whose} == {"a", "b"}


async def test_an_endpoint_that_went(network: Network, edge: Edge) -> None:
    """New connections do not go to an endpoint any more from the moment its removal is programmed."""
    await program(edge, f"TCP 10.96.0.1:80 -> {A} {B} outside")
    assert names(answers(network.client, "10.96.0.1", 80)) == {"a", "b"}
    await program(edge, f"TCP 10.96.0.1:80 -> {B} outside")
    asked = network.servers["a"].asked
    assert names(answers(network.client, "10.96.0.1", 80, 50)) == {"b"}
    assert network.servers["a"].asked == asked


async def test_udp(network: Network, edge: Edge) -> None:
    """A sender of datagrams keeps its endpoint while that is there, and gets another when it goes."""
    await program(edge, f"UDP 10.96.0.1:53 -> {A} {B} outside")
    with network.client.socket(socket.SOCK_DGRAM) as one:
        [(mine, _)] = {ask_datagram(one, "10.96.0.1", 53) for _ in range(10)}
        left, other = (B, "b") if mine == "a" else (A, "a")
        await program(edge, f"UDP 10.96.0.1:53 -> {left} outside")
        assert ask_datagram(one, "10.96.0.1", 53)[0] == other


async def test_udp_before_there_was_a_service(network: Network, edge: Edge) -> None:
    """Who sent datagrams to an address before it was served is served when it is."""
    with network.client.socket(socket.SOCK_DGRAM) as one:
        with pytest.raises(TimeoutError):
            ask_datagram(one, "10.96.0.1", 53, seconds=0.2)
        await program(edge, f"UDP 10.96.0.1:53 -> {A} outside")
        assert ask_datagram(one, "10.96.0.1", 53)[0] == "a"


async def test_udp_node_port(network: Network, edge: Edge) -> None:
    """Datagrams to a node port change their endpoint too when it goes; those of others keep theirs."""
    await program(edge, f"UDP *:30053 -> {A} always\nUDP *:30054 -> {A} always")
    with network.outside.socket(socket.SOCK_DGRAM) as one, network.outside.socket(socket.SOCK_DGRAM) as other:
        assert ask_datagram(one, NODE_ADDRESS, 30053)[0] == "a"
        assert ask_datagram(other, NODE_ADDRESS, 30054)[0] == "a"
        port = other.getsockname()[1]
        await program(edge, f"UDP *:30053 -> {B} always\nUDP *:30054 -> {A} always")
        assert ask_datagram(one, NODE_ADDRESS, 30053)[0] == "b"
        assert ask_datagram(other, NODE_ADDRESS, 30054)[0] == "a"
        assert other.getsockname()[1] == port


async def test_connections_outlive_their_endpoint(network: Network, edge: Edge) -> None:
    """A TCP connection goes on although its endpoint takes no new ones: the pod has its grace period to finish."""
    listener = network.a.socket(socket.SOCK_STREAM)
    with contextlib.closing(listener):
        listener.bind(("0.0.0.0", 9000))
        listener.listen()
        await program(edge, "TCP 10.96.0.1:80 -> 10.244.0.2:9000* outside")
        with network.client.socket(socket.SOCK_STREAM) as one:
            one.connect(("10.96.0.1", 80))
            with listener.accept()[0] as connection:
                await program(edge, f"TCP 10.96.0.1:80 -> {B} outside")
                one.sendall(b"still there?")
                assert connection.recv(100) == b"still there?"


async def test_nft_can_show_everything(network: Network, edge: Edge) -> None:
    """`nft list ruleset` shows the table with names of Services: a user's way to look, and other programs' too."""
    await program(
        edge,
        f"""
        TCP 10.96.0.1:80 -> {A} {B} outside affinity=600
        UDP 10.96.0.1:80 -> {A} outside
        TCP *:30080 -> {A} never
        TCP *:30080 from inside -> {A} {B} outside
        TCP 10.96.0.2:80 reject
        """,
    )
    ask(network.client, "10.96.0.1", 80)
    shown = network.node.run("nft", "list", "ruleset")
    assert "default/web" in shown
    assert "numgen random mod 2" in shown
    network.node.run("nft", "-j", "list", "ruleset")
