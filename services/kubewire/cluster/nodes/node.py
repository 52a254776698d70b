"""A node's network: a namespace with one link to the fabric's bridge, and the settings that a router of pods needs."""

from __future__ import annotations

from kubewire.cluster.errors import StartFailed
from kubewire.cluster.nodes import masquerade, place, programs
from kubewire.cluster.nodes.fabric import BRIDGE, has_namespace
from kubewire.cluster.nodes.place import Fabric, NodePlace

INTERFACE = "eth0"
# What a node must have, and what helps where the kernel has it and lets us.
_FORWARDING = "net/ipv4/ip_forward"
_SETTINGS = {
    _FORWARDING: 1,
    "net/ipv4/conf/all/route_localnet": 1,  # node ports on 127.0.0.1
    "net/ipv4/conf/all/rp_filter": 0,  # answers may come back another way than the question went
    "net/ipv4/conf/default/rp_filter": 0,
    "net/bridge/bridge-nf-call-iptables": 1,  # Services between two pods of one node
    "net/ipv4/vs/conntrack": 1,  # masquerading of what IPVS sends on
}


def create_node(fabric: Fabric, name: str, index: int) -> NodePlace:
    """Make a node's folders and network, or complete one that is half there. `index` counts from 1.

    Raises:
        InvalidRequest: the number is too large.
        MissingProgram: the system's network tools are not installed.
        StartFailed: the kernel refused, or the fabric is not there.
    """
    node = NodePlace(fabric, name, index)
    for folder in (node.containerd, node.cni_configuration, node.cni_data, node.kubelet, node.socket.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.write_place(node)
    if has_namespace(node.namespace) and _is_complete(node):
        return node
    if node.namespace_path.exists():
        programs.attempt(["ip", "netns", "delete", node.namespace])  # of a start that was cut off
    _make(node)
    return node


def _make(node: NodePlace) -> None:
    """Namespace, link and settings. The kernel takes its time with a namespace that was deleted, and its link."""
    fabric, port = node.fabric, _port(node)
    programs.attempt(["ip", "-netns", fabric.namespace, "link", "delete", port])
    with programs.one_at_a_time():
        programs.ip_batch([f"netns add {node.namespace}"])
    programs.ip_batch(
        [
            f"link add {port} mtu {fabric.mtu} type veth peer name {INTERFACE} mtu {fabric.mtu} netns {node.namespace}",
            f"link set {port} master {BRIDGE} up",
        ],
        fabric.namespace,
    )
    _configure(node)


def _configure(node: NodePlace) -> None:
    """Settings, rules, then addresses and, as the last step, the default route. One shell in the namespace does it.

    Raises:
        StartFailed: the node may not forward packets, without which no pod is reached.
    """
    settings = "\n".join(f"echo {value} 2>/dev/null >/proc/sys/{name}" for name, value in _SETTINGS.items())
    prefix = node.fabric.networks.nodes.prefixlen
    script = f"""{settings}
{programs.find("nft")} -f - &&
ip link set lo up &&
ip address add {node.address}/{prefix} dev {INTERFACE} &&
ip link set {INTERFACE} up &&
ip route add default via {node.fabric.host_address} && cat /proc/sys/{_FORWARDING}"""
    told = programs.run([*programs.enter(node.namespace), "sh", "-c", script], masquerade.rules(node.fabric))
    if told.strip() != "1":
        raise StartFailed(f"node {node.name}: the kernel does not let it forward packets (/proc/sys/{_FORWARDING})")


def _is_complete(node: NodePlace) -> bool:
    """Whether the last step of making it was done, on the fabric that is there now.

    When a fabric goes, the kernel takes its time to take the nodes' ends of its links away, and their routes.
    """
    port = programs.ip_json(["link", "show", "dev", _port(node)], node.fabric.namespace)
    return bool(port) and bool(programs.ip_json(["-4", "route", "show", "default"], node.namespace))


def _port(node: NodePlace) -> str:
    """The bridge's end of a node's link."""
    return f"node{node.index}"
