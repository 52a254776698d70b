"""A node's pod network as CNI plugins are told: a bridge in the node, addresses from its own range, host ports.

On a bridge, a pod's answer to a neighbour that called it through a Service goes straight back, past the rules that have
to restore the Service's address, unless the kernel shows them bridged packets too (br_netfilter). Where it cannot,
every pod has a link of its own to the node instead, and all packets are routed.
"""

from __future__ import annotations

import json
import os
from ipaddress import IPv4Network
from pathlib import Path

from kubewire.cluster.errors import MissingProgram
from kubewire.cluster.nodes import names
from kubewire.cluster.nodes.place import NodePlace

_VERSION = "0.4.0"
_PLUGINS = ("bridge", "ptp", "host-local", "portmap", "loopback")
_FOLDERS = ("/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni")
_BRIDGE_NETFILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
_FILE = "10-kubewire.conflist"


def find_plugins() -> str:
    """The folder that has all the plugins we need.

    Raises:
        MissingProgram: there is none.
    """
    for folder in _FOLDERS:
        if all(os.access(Path(folder, plugin), os.X_OK) for plugin in _PLUGINS):
            return folder
    raise MissingProgram(
        f"CNI plugins ({', '.join(_PLUGINS)}) are not in {', '.join(_FOLDERS)}: install them "
        "(Debian and Ubuntu: apt-get install containernetworking-plugins)"
    )


def render(node: NodePlace, pods: IPv4Network, *, bridged: bool) -> bytes:
    """The network's configuration list for a node whose pods have addresses in `pods` (its podCIDR)."""
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": str(pods)}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(node.cni_data),
    }
    # In hairpin mode a pod reaches itself through a Service.
    link: dict[str, object] = {"type": "bridge", "bridge": "pods", "isGateway": True, "hairpinMode": True}
    link = {**(link if bridged else {"type": "ptp"}), "mtu": node.fabric.mtu, "ipam": addresses}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    network = names.pod_network(node.fabric.cluster, node.name)
    content = {"cniVersion": _VERSION, "name": network, "plugins": [link, ports]}
    return json.dumps(content, indent=2).encode() + b"\n"


def configure(node: NodePlace, pods: IPv4Network) -> bool:
    """Give the node its pods' network; containerd notices by itself. False if it has it already.

    The folder is on watch, so the file must appear whole.
    """
    target, content = node.cni_configuration / _FILE, render(node, pods, bridged=_BRIDGE_NETFILTER.exists())
    if target.exists() and target.read_bytes() == content:
        return False
    node.cni_configuration.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = node.cni_configuration / f".{_FILE}.draft"  # no ending that containerd takes for a configuration
    draft.write_bytes(content)
    draft.replace(target)
    return True
