"""The network that joins a cluster's nodes: a bridge in a namespace of its own, and one link from it to the host.

The bridge is not in the host's namespace, because there the host's bridge netfilter and foreign FORWARD rules (a
container engine's, a firewall's) would cut it off. What can happen twice is harmless: whatever is there stays.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path

from kubewire.cluster.errors import InvalidRequest
from kubewire.cluster.home import Home
from kubewire.cluster.nodes import networks, place, programs
from kubewire.cluster.nodes.place import NETWORK_NAMESPACES, Fabric
from kubewire.cluster.nodes.programs import one_at_a_time

BRIDGE = "bridge"
_UPLINK = "host"
_USUAL_MTU = 1500
_SMALLEST_MTU = 1280


def create_fabric(home: Home) -> Fabric:
    """Make the fabric of a cluster, or complete one that is half there.

    Its networks stay the same as long as the home has a record of them.

    Raises:
        InvalidRequest: we are not root, no network is left, or a cluster of the same name lives in another home.
        MissingProgram: the system's network tools are not installed.
        StartFailed: the kernel refused.
    """
    if os.geteuid() != 0:
        raise InvalidRequest("nodes that run containers need root: they are network namespaces of this machine")
    home.create()
    with one_at_a_time():
        links = {str(link["ifname"]): link for link in programs.ip_json(["link", "show"])}
        fabric = place.read_fabric(home) or Fabric(home, networks.choose(_taken()), _uplink_mtu(links))
        _check_owner(fabric, links)
        place.write_fabric(fabric)
        _make(fabric, has_link=fabric.host_interface in links)
    return fabric


def _make(fabric: Fabric, *, has_link: bool) -> None:
    """Namespace, bridge and link."""
    namespace, mtu = fabric.namespace, fabric.mtu
    if has_link and has_namespace(namespace) and _is_complete(fabric):
        return
    _unmake(fabric, has_link=has_link)
    link, prefix = fabric.host_interface, fabric.networks.nodes.prefixlen
    programs.ip_batch(
        [
            f"netns add {namespace}",
            f"link add {link} mtu {mtu} type veth peer name {_UPLINK} mtu {mtu} netns {namespace}",
            f"link set {link} alias {fabric.home.path} up",
            f"address add {fabric.host_address}/{prefix} dev {link}",
        ]
    )
    programs.ip_batch(
        [
            f"link add {BRIDGE} mtu {mtu} type bridge",
            f"link set {_UPLINK} master {BRIDGE} up",
            f"link set {BRIDGE} up",
        ],
        namespace,
    )


def _unmake(fabric: Fabric, *, has_link: bool) -> None:
    """Remove what a start that was cut off has left."""
    if has_link:
        programs.attempt(["ip", "link", "delete", fabric.host_interface])
    if (NETWORK_NAMESPACES / fabric.namespace).exists():
        programs.attempt(["ip", "netns", "delete", fabric.namespace])


def has_namespace(name: str) -> bool:
    """Whether a network namespace is there for use: a file that was never mounted, or no longer is, is not enough."""
    path = NETWORK_NAMESPACES / name
    try:
        return path.stat().st_dev != path.parent.stat().st_dev
    except FileNotFoundError:
        return False


def _is_complete(fabric: Fabric) -> bool:
    """Whether the last steps of making it were done: the link is on the bridge, and has its address.

    It has another one if what is there is an earlier cluster's, whose home is gone.
    """
    bridged = programs.ip_json(["link", "show", "master", BRIDGE], fabric.namespace)
    shown = programs.ip_json(["-4", "address", "show", "dev", fabric.host_interface])
    addresses = [entry["local"] for link in shown for entry in _entries(link.get("addr_info"))]
    return any(link.get("ifname") == _UPLINK for link in bridged) and addresses == [fabric.host_address]


def _check_owner(fabric: Fabric, links: dict[str, dict[str, object]]) -> None:
    """Refuse to touch what another home's cluster of the same name has made.

    Raises:
        InvalidRequest: naming that home.
    """
    owner = str(links.get(fabric.host_interface, {}).get("ifalias", fabric.home.path))
    if owner != str(fabric.home.path) and (Path(owner) / "fabric.json").exists():
        raise InvalidRequest(
            f"a cluster named {fabric.cluster!r} is at {owner} already: end it (KUBEWIRE_HOME={owner} kubewire down "
            f"--name {fabric.cluster}), or choose another --name"
        )


def _taken() -> list[IPv4Network]:
    """What the host has addresses and routes for."""
    routes = [str(route.get("dst", "")) for route in programs.ip_json(["-4", "route", "show", "table", "all"])]
    addresses = [
        f"{entry['local']}/{entry['prefixlen']}"
        for link in programs.ip_json(["-4", "address", "show"])
        for entry in _entries(link.get("addr_info"))
    ]
    return [IPv4Interface(text).network for text in [*routes, *addresses] if text[:1].isdigit()]


def _entries(value: object) -> list[dict[str, object]]:
    return [entry for entry in value if isinstance(entry, dict) and "local" in entry] if isinstance(value, list) else []


def _uplink_mtu(links: dict[str, dict[str, object]]) -> int:
    """The largest packet that leaves the machine whole: nodes that send larger ones would lose them on the way out."""
    default = programs.ip_json(["-4", "route", "show", "default"])
    device = str(default[0].get("dev", "")) if default else ""
    found = links.get(device, {}).get("mtu", _USUAL_MTU)
    return min(_USUAL_MTU, max(_SMALLEST_MTU, found if isinstance(found, int) else _USUAL_MTU))
