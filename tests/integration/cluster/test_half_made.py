"""Starts that were cut off, and clusters that meet: what is there is completed or left alone."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kubewire.cluster.errors import InvalidRequest
from kubewire.cluster.home import Home
from kubewire.cluster.nodes import programs, removal
from kubewire.cluster.nodes.fabric import BRIDGE, create_fabric
from kubewire.cluster.nodes.leftovers import leftovers
from kubewire.cluster.nodes.node import INTERFACE, create_node
from kubewire.cluster.nodes.place import NodePlace
from tests.containerd_process import running_containerd


@pytest.fixture
def home() -> Iterator[Home]:
    """A home of a cluster's own, with nothing of it left on the machine afterwards."""
    home = Home(f"half-{os.getpid()}", Path(tempfile.mkdtemp(prefix="kw-")))
    yield home
    removal.remove_all(home, wipe=True)
    shutil.rmtree(home.path)


def reaches_host(node: NodePlace) -> bool:
    """Whether packets go from a node to the host's address and back."""
    ping = [programs.find("busybox"), "ping", "-c", "1", "-W", "2", node.fabric.host_address]
    return programs.attempt([*programs.enter(node.namespace), *ping]).returncode == 0


def cut_link(node: NodePlace) -> None:
    """The host's link, and its other end with it."""
    programs.run(["ip", "link", "delete", node.fabric.host_interface])


def cut_address(node: NodePlace) -> None:
    """The host's address on its link."""
    programs.run(["ip", "address", "flush", "dev", node.fabric.host_interface])


def cut_bridge(node: NodePlace) -> None:
    """The bridge."""
    programs.run(["ip", "-netns", node.fabric.namespace, "link", "delete", BRIDGE])


def cut_fabric(node: NodePlace) -> None:
    """The fabric's namespace."""
    programs.run(["ip", "netns", "delete", node.fabric.namespace])


def cut_route(node: NodePlace) -> None:
    """The last thing that a node is given."""
    programs.run(["ip", "-netns", node.namespace, "route", "delete", "default"])


def cut_node(node: NodePlace) -> None:
    """The node's namespace."""
    programs.run(["ip", "netns", "delete", node.namespace])


def cut_port(node: NodePlace) -> None:
    """The node's link, and the bridge's end with it."""
    programs.run(["ip", "-netns", node.namespace, "link", "delete", INTERFACE])


def cut_mount(node: NodePlace) -> None:
    """The file of a namespace without the namespace, as `ip netns add` leaves it when killed."""
    programs.run(["umount", str(node.namespace_path)])


CUTS = [cut_link, cut_address, cut_bridge, cut_fabric, cut_route, cut_node, cut_port, cut_mount]


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: cut.__name__)
def test_starting_again_completes(home: Home, cut: Callable[[NodePlace], None]) -> None:
    """Whatever is missing of a node's network, making it again brings it back."""
    node = create_node(create_fabric(home), "node-1", 1)
    assert reaches_host(node)
    cut(node)
    again = create_node(create_fabric(home), "node-1", 1)
    assert again == node
    assert reaches_host(again)


def test_nodes_are_made_side_by_side(home: Home) -> None:
    """Several nodes may be made at once."""
    fabric = create_fabric(home)
    with ThreadPoolExecutor() as pool:
        nodes = list(pool.map(lambda index: create_node(fabric, f"node-{index}", index), range(1, 5)))
    assert all(reaches_host(node) for node in nodes)


def test_a_name_belongs_to_one_home(home: Home, tmp_path: Path) -> None:
    """A second home cannot have a cluster of the same name while the first has; the message says where that is."""
    create_fabric(home)
    with pytest.raises(InvalidRequest, match=str(home.path)):
        create_fabric(Home(home.name, tmp_path))


def test_a_lost_home_holds_no_name(home: Home, tmp_path: Path) -> None:
    """What a cluster left whose home is gone is taken over."""
    create_fabric(home)
    (home.path / "fabric.json").unlink()
    taken = create_fabric(Home(home.name, tmp_path))
    assert reaches_host(create_node(taken, "node-1", 1))
    removal.remove_all(taken.home, wipe=True)


def test_what_killed_tests_left_is_removed() -> None:
    """A test that is killed leaves a node; the next one that needs a node removes it first."""
    script = (
        "import os, signal\nfrom tests.containerd_process import running_containerd\n"
        "with running_containerd(with_images=False) as node:\n"
        "    print(node.node.fabric.cluster, node.node.fabric.home.path, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    cluster, path = killed.stdout.split()
    home = Home(cluster, Path(path))
    assert leftovers(home)
    with running_containerd(with_images=False):
        assert leftovers(home) == []
        assert not home.path.exists()
