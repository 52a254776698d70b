"""A node's place for tests: nothing of it is made."""

from pathlib import Path

from kubewire.cluster.home import Home
from kubewire.cluster.nodes.networks import choose
from kubewire.cluster.nodes.place import Fabric, NodePlace


def fabric(path: Path = Path("/home/user/.kubewire/dev")) -> Fabric:
    """The fabric of a cluster named dev."""
    return Fabric(Home("dev", path), choose([]), 1400)


def place(name: str = "node-1", index: int = 1, path: Path = Path("/home/user/.kubewire/dev")) -> NodePlace:
    """A node of it."""
    return NodePlace(fabric(path), name, index)
