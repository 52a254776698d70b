"""What there is of a local cluster on the machine, as data: the fabric that joins its nodes, and each node's place.

Both are made from the cluster's home and a few chosen values alone, so that whoever has the home (another process,
`down` after a crash) has the same. The record of those values is `fabric.json` and `nodes/<name>/place.json`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from kubewire.cluster.home import Home
from kubewire.cluster.nodes import names
from kubewire.cluster.nodes.networks import Networks
from kubewire.component.files import write_private

NETWORK_NAMESPACES = Path("/run/netns")


@dataclass(frozen=True, slots=True)
class Fabric:
    """The network that joins a cluster's nodes and the host. `mtu` is in bytes, that of the way out."""

    home: Home
    networks: Networks
    mtu: int

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        return self.home.name

    @property
    def host_address(self) -> str:
        """Where nodes and pods reach what the host serves: the API server listens here too."""
        return str(self.networks.host)

    @property
    def namespace(self) -> str:
        """The network namespace that holds the bridge, as `ip netns` lists it."""
        return names.fabric_namespace(self.cluster)

    @property
    def host_interface(self) -> str:
        """The host's end of the one link between host and bridge."""
        return names.host_interface(self.cluster)


@dataclass(frozen=True, slots=True)
class NodePlace:
    """Where one node lives. Nothing here says whether it runs."""

    fabric: Fabric
    name: str
    index: int

    @property
    def address(self) -> str:
        """The node's own address (its InternalIP)."""
        return str(self.fabric.networks.node(self.index))

    @property
    def namespace(self) -> str:
        """Its network namespace, as `ip netns` lists it."""
        return names.node_namespace(self.fabric.cluster, self.name)

    @property
    def namespace_path(self) -> Path:
        """The same as a file: enter it with `nsenter --net=<this>`, never `ip netns exec` (which hides the cgroups)."""
        return NETWORK_NAMESPACES / self.namespace

    @property
    def folder(self) -> Path:
        """Everything that the node has on disk; the kubelet's folder is one of these."""
        return self.fabric.home.path / "nodes" / self.name

    @property
    def containerd(self) -> Path:
        """containerd's own folder: `root` is kept from one start to the next, `state` ends with the machine's boot."""
        return self.folder / "containerd"

    @property
    def socket(self) -> Path:
        """Where containerd listens. Its path is short, because a socket's path must fit in 108 bytes."""
        return self.fabric.home.path / "run" / f"{self.index}.sock"

    @property
    def endpoint(self) -> str:
        """The same as gRPC and CRI take it."""
        return f"unix://{self.socket}"

    @property
    def cni_configuration(self) -> Path:
        """The folder that containerd reads the pod network from; empty until the node has a range for its pods."""
        return self.folder / "cni" / "conf"

    @property
    def cni_data(self) -> Path:
        """Which pod has which address."""
        return self.folder / "cni" / "addresses"

    @property
    def kubelet(self) -> Path:
        """The kubelet's folder: volumes, logs of pods."""
        return self.folder / "kubelet"

    @property
    def log(self) -> Path:
        """What containerd says."""
        return self.fabric.home.logs / f"containerd-{self.name}.log"

    @property
    def cgroup(self) -> str:
        """The cgroup, from each hierarchy's root, below which all cgroups of pods belong."""
        return names.node_cgroup(self.fabric.cluster, self.name)

    @property
    def record(self) -> Path:
        """The file that says that this node is (or was being) made."""
        return self.folder / "place.json"


def write_fabric(fabric: Fabric) -> None:
    """Record a fabric, before anything of it is made."""
    networks = {"nodes": str(fabric.networks.nodes), "pods": str(fabric.networks.pods)}
    write_private(_fabric_record(fabric.home), json.dumps({"networks": networks, "mtu": fabric.mtu}).encode())


def read_fabric(home: Home) -> Fabric | None:
    """The recorded fabric; None if there is none or if it cannot be read."""
    try:
        fields = json.loads(_fabric_record(home).read_bytes())
        networks = Networks(*(IPv4Network(fields["networks"][name]) for name in ("nodes", "pods")))
        return Fabric(home, networks, int(fields["mtu"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def forget_fabric(home: Home) -> None:
    """Remove the record, after everything of it is gone."""
    _fabric_record(home).unlink(missing_ok=True)


def write_place(place: NodePlace) -> None:
    """Record a node, before anything of it is made."""
    place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(place.record, json.dumps({"index": place.index}).encode())


def read_places(fabric: Fabric) -> list[NodePlace]:
    """All recorded nodes, in the order of their numbers."""
    places = []
    for record in (fabric.home.path / "nodes").glob("*/place.json"):
        try:
            places.append(NodePlace(fabric, record.parent.name, int(json.loads(record.read_bytes())["index"])))
        except (OSError, ValueError, TypeError, KeyError):
            continue
    return sorted(places, key=lambda place: place.index)


def _fabric_record(home: Home) -> Path:
    return home.path / "fabric.json"
