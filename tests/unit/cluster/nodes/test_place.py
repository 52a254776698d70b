"""Where a node lives, and how that is recorded."""

import os
from pathlib import Path

from kubewire.cluster.home import Home
from kubewire.cluster.nodes.networks import NODES_AT_MOST
from kubewire.cluster.nodes.place import (
    forget_fabric,
    read_fabric,
    read_places,
    write_fabric,
    write_place,
)
from tests.unit.cluster.nodes.places import fabric, place


def test_records_are_read_back(tmp_path: Path) -> None:
    """What is recorded of a fabric and its nodes is read again, nodes in the order of their numbers."""
    home = Home("dev", tmp_path)
    assert read_fabric(home) is None
    write_fabric(fabric(tmp_path))
    nodes = [place("b", 1, tmp_path), place("a", 2, tmp_path)]
    for node in reversed(nodes):
        write_place(node)
    found = read_fabric(home)
    assert found == fabric(tmp_path)
    assert read_places(found) == nodes
    forget_fabric(home)
    forget_fabric(home)
    assert read_fabric(home) is None


def test_broken_records_are_none(tmp_path: Path) -> None:
    """A record that says nothing is as good as none."""
    for content in ("", "{}", '{"networks": 1, "mtu": 1400}', '{"networks": {"nodes": "x", "pods": "y"}, "mtu": 1}'):
        (tmp_path / "fabric.json").write_text(content)
        assert read_fabric(Home("dev", tmp_path)) is None
    (tmp_path / "nodes" / "a").mkdir(parents=True)
    (tmp_path / "nodes" / "a" / "place.json").write_text("[]")
    assert read_places(fabric(tmp_path)) == []


def test_sockets_fit() -> None:
    """A socket below the longest home has a path that fits in 108 bytes, its end included."""
    node = place(index=NODES_AT_MOST, path=Path("/" + "h" * 89))
    assert all(len(os.fsencode(path)) < 108 for path in (node.socket, node.socket.with_suffix(".ttrpc")))


def test_everything_lies_in_the_home() -> None:
    """All that a node has on disk is below the cluster's home, which it names."""
    node = place()
    inside = (node.folder, node.containerd, node.socket, node.cni_configuration, node.cni_data, node.kubelet, node.log)
    assert all(path.is_relative_to(node.fabric.home.path) for path in inside)
    assert node.endpoint == f"unix://{node.socket}"
    assert (node.address, node.cgroup) == ("10.243.0.11", "/kubewire/dev/node-1")
    assert str(node.namespace_path) == "/run/netns/kubewire-dev.node-1"
