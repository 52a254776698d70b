"""How pods of one node reach those of another: a route to each node's range of pod addresses, by way of that node.

The host has the same routes, so that it reaches pods under their own addresses.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubewire.cluster.nodes import programs

Routes = Mapping[str, str]
"""Destination (a podCIDR) to gateway (a node's address)."""

_PROTOCOL = "207"  # marks routes as ours; nobody else's number in iproute2's table of protocols


def plan(present: Routes, wanted: Routes) -> list[str]:
    """The `ip` commands that lead from one table to the other; `replace` leaves no moment without a route."""
    gone = [destination for destination in present if destination not in wanted]
    changed = [item for item in wanted.items() if present.get(item[0]) != item[1]]
    return [
        *(f"route delete {destination} proto {_PROTOCOL}" for destination in sorted(gone)),
        *(f"route replace {destination} via {gateway} proto {_PROTOCOL}" for destination, gateway in sorted(changed)),
    ]


def sync_routes(namespace: str | None, wanted: Routes) -> int:
    """Give a node (its network namespace) or the host (None) exactly these routes; how many had to change.

    Routes that others have made are left alone.

    Raises:
        StartFailed: the kernel refused, or the namespace is gone.
    """
    commands = plan(read(namespace), wanted)
    programs.ip_batch(commands, namespace)
    return len(commands)


def read(namespace: str | None) -> dict[str, str]:
    """The routes that are ours."""
    rows = programs.ip_json(["-4", "route", "show", "proto", _PROTOCOL], namespace)
    return {_network(str(row["dst"])): str(row.get("gateway", "")) for row in rows}


def _network(destination: str) -> str:
    """`ip` leaves out the length of a single address's prefix."""
    return destination if "/" in destination else f"{destination}/32"
