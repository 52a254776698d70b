"""What a node looks at before it takes a pod that was bound to it, in order: the first that refuses says why.

The scheduler has looked at the same before; but it may have seen the node as it was, and pods can be bound without it.
"""

from __future__ import annotations

from typing import Final

from kubewire.kubelet.pods.admission import Check, has_free_ports, has_room, matches_node, runs_linux, tolerates_node

CHECKS: Final[tuple[Check, ...]] = (
    runs_linux,
    matches_node,
    tolerates_node,
    has_free_ports,
    has_room,
)
