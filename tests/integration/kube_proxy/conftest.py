"""A node with pods, and a machine outside: network namespaces of the test's own.

Every pod has a link of its own, so that its packets pass the node's rules, whatever the kernel does with bridges.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.network_namespaces import NetworkNamespace, Server, join

POD_NETWORK = "10.244.0.0/16"
NODE_ADDRESS = "192.168.77.1"
OUTSIDE_ADDRESS = "192.168.77.2"
GATEWAY = "10.244.0.1"


@dataclass
class Network:
    """Namespaces, and servers on port 8080 of some of the pods.

    Attributes:
        node: where rules are programmed; 192.168.77.1 for those outside.
        outside: a machine beside the node, which is its gateway too.
        client: a pod that serves nothing.
        a, b: pods that serve on port 8080.
        addresses: of the pods.
    """

    node: NetworkNamespace
    outside: NetworkNamespace
    client: NetworkNamespace
    a: NetworkNamespace
    b: NetworkNamespace
    servers: dict[str, Server]
    addresses: dict[str, str]


@pytest.fixture
def network() -> Iterator[Network]:
    """A fresh one."""
    with ExitStack() as stack:
        names = ("node", "outside", "client", "a", "b")
        spaces = {name: stack.enter_context(NetworkNamespace(name)) for name in names}
        addresses = {"a": "10.244.0.2", "b": "10.244.0.3", "client": "10.244.0.4"}
        _make_node(spaces["node"], spaces["outside"])
        for name, address in addresses.items():
            _attach_pod(spaces["node"], spaces[name], address)
        servers = {name: Server(spaces[name], name, 8080) for name in ("a", "b")}
        for server in servers.values():
            stack.callback(server.close)
        yield Network(**spaces, servers=servers, addresses=addresses)


def _make_node(node: NetworkNamespace, outside: NetworkNamespace) -> None:
    join(node, "eth0", outside, "eth0")
    node.ip("address", "add", f"{NODE_ADDRESS}/24", "dev", "eth0")
    outside.ip("address", "add", f"{OUTSIDE_ADDRESS}/24", "dev", "eth0")
    node.ip("route", "add", "default", "via", OUTSIDE_ADDRESS)
    outside.ip("route", "add", "default", "via", NODE_ADDRESS)
    node.set_sysctl("net.ipv4.ip_forward", "1")


def _attach_pod(node: NetworkNamespace, pod: NetworkNamespace, address: str) -> None:
    link = f"pod-{pod.name}"
    join(node, link, pod, "eth0")
    node.ip("address", "add", f"{GATEWAY}/32", "dev", link)
    node.ip("route", "add", f"{address}/32", "dev", link)
    pod.ip("address", "add", f"{address}/32", "dev", "eth0")
    pod.ip("route", "add", GATEWAY, "dev", "eth0")
    pod.ip("route", "add", "default", "via", GATEWAY)
