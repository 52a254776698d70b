"""What a local cluster calls its things on the machine, so that they can be found again by name alone.

A cluster's name has no dot and a node's may have one: everything up to the first dot says whose it is. A prefix
alone would take the node `c` of a cluster `a-b` for the node `b-c` of a cluster `a`.
"""

from __future__ import annotations

import hashlib

_LONGEST_INTERFACE = 15  # IFNAMSIZ, without its end
_PREFIX = "kubewire-"


def fabric_namespace(cluster: str) -> str:
    """The network namespace that holds a cluster's bridge."""
    return f"{_PREFIX}{cluster}"


def node_namespace(cluster: str, node: str) -> str:
    """The network namespace that is a node."""
    return f"{_PREFIX}{cluster}.{node}"


def is_namespace_of(cluster: str, namespace: str) -> bool:
    """Whether a network namespace belongs to a cluster."""
    return namespace == fabric_namespace(cluster) or namespace.startswith(f"{fabric_namespace(cluster)}.")


def host_interface(cluster: str) -> str:
    """The cluster's one link in the host's own namespace; cut and hashed where the name is too long for one."""
    name = f"kw-{cluster}"
    if len(name) <= _LONGEST_INTERFACE:
        return name
    return f"kw-{cluster[:5]}-{hashlib.sha256(cluster.encode()).hexdigest()[:6]}"


def egress_table(cluster: str) -> str:
    """The cluster's one nftables table on the host."""
    return f"{_PREFIX}{cluster}"


def cluster_cgroup(cluster: str) -> str:
    """The cgroup above everything that the cluster's nodes run, from the hierarchy's root."""
    return f"/kubewire/{cluster}"


def node_cgroup(cluster: str, node: str) -> str:
    """The cgroup above everything that a node runs."""
    return f"{cluster_cgroup(cluster)}/{node}"


def pod_network(cluster: str, node: str) -> str:
    """The name of a node's pod network, as CNI plugins know it."""
    return node_namespace(cluster, node)
