"""What of a cluster is still on the machine, outside of its home: after `down` nothing may be."""

from __future__ import annotations

import os

from kubewire.cluster.home import Home
from kubewire.cluster.nodes import egress, kernel_state, names, programs, removal, tenants
from kubewire.cluster.nodes.place import NETWORK_NAMESPACES
from kubewire.cluster.nodes.tenants import Premises


def leftovers(home: Home) -> list[str]:
    """One line for each thing: its kind and its name. Empty after `remove_all`."""
    return [
        *_processes(home),
        *(f"mount {path}" for path in kernel_state.mounts_below(home.path)),
        *(f"namespace {name}" for name in _namespaces(home)),
        *(f"cgroup {path}" for path in kernel_state.cgroups_below(names.cluster_cgroup(home.name))),
        *_interfaces(home),
        *([f"nftables table {names.egress_table(home.name)}"] if egress.is_open(home.name) else []),
        *(f"file {path}" for path in removal.cached_networks(home)),
    ]


def _processes(home: Home) -> list[str]:
    """Processes of nodes, and any below the cluster's cgroup or the home's folder of nodes."""
    anywhere = Premises("", str(home.path / "nodes"), names.cluster_cgroup(home.name))
    places = [anywhere, *(removal.premises(home, node) for node in removal.known_nodes(home))]
    return [f"process {one.name} ({one.pid})" for one in tenants.select(tenants.survey(), places, os.getpid())]


def _namespaces(home: Home) -> list[str]:
    if not NETWORK_NAMESPACES.exists():
        return []
    return sorted(path.name for path in NETWORK_NAMESPACES.iterdir() if names.is_namespace_of(home.name, path.name))


def _interfaces(home: Home) -> list[str]:
    link = names.host_interface(home.name)
    return [f"interface {link}" for row in programs.ip_json(["link", "show"]) if row.get("ifname") == link]
