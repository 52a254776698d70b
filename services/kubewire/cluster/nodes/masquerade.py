"""Which packets of pods leave a node under the node's own address: those to whom a pod's address means nothing.

Pods and nodes of the cluster know the way back to a pod; the host's network and the world do not.
"""

from __future__ import annotations

from kubewire.cluster.nodes.place import Fabric

_TABLE = "kubewire-pods"


def rules(fabric: Fabric) -> str:
    """The table, as `nft` reads it; read twice it is the same table."""
    networks = fabric.networks
    return f"""table ip {_TABLE} {{}}
flush table ip {_TABLE}
table ip {_TABLE} {{
  chain leaving {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr != {networks.pods} return
    ip daddr {networks.pods} return
    ip daddr {networks.nodes} ip daddr != {networks.host} return
    masquerade
  }}
}}
"""
