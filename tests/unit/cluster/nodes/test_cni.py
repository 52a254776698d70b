"""A node's pod network as CNI plugins are told."""

import json
from ipaddress import IPv4Network
from pathlib import Path

from kubewire.cluster.nodes.cni import configure, render
from tests.unit.cluster.nodes.places import place

PODS = IPv4Network("10.244.1.0/24")


def test_network() -> None:
    """Pods get addresses of the node's own range, kept in its folder, and packets that leave the machine whole."""
    told = json.loads(render(place(), PODS, bridged=True))
    bridge, ports = told["plugins"]
    assert told["name"] == "kubewire-dev.node-1"
    assert (bridge["type"], bridge["mtu"], ports["type"]) == ("bridge", 1400, "portmap")
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.244.1.0/24"}]]
    assert bridge["ipam"]["dataDir"] == "/home/user/.kubewire/dev/nodes/node-1/cni/addresses"


def test_configured_once(tmp_path: Path) -> None:
    """The same range twice is no change; another is one. The folder never holds anything but the whole file."""
    node = place(path=tmp_path)
    assert [configure(node, pods) for pods in (PODS, PODS, IPv4Network("10.244.2.0/24"))] == [True, False, True]
    assert [file.name for file in node.cni_configuration.iterdir()] == ["10-kubewire.conflist"]


def test_without_bridge_netfilter() -> None:
    """Where the kernel does not show bridged packets to Services' rules, every pod has a link of its own."""
    link, _ = json.loads(render(place(), PODS, bridged=False))["plugins"]
    assert link["type"] == "ptp"
    assert "bridge" not in link
