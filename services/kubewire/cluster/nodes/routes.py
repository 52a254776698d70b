"""How pods of one node reach those of another: a route to each node's range of pod addresses, by way of that node.

The host has the same routes, so that it reaches pods under their own addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubewire.cluster.nodes import programs

Routes = Mapping[str, str]
"""Destination (a podCIDR) to gateway (a node's address)."""

_PROTOCOL = "207"  # marks routes as ours; nobody else's number in iproute2's table of protocols


def plan(present: Routes, wanted: Routes, interface: str) -> list[str]:
    """The `ip` commands that lead from one table to the other; `replace` leaves no moment without a route."""
    ours = f"dev {interface} proto {_PROTOCOL}"
    gone = [destination for destination in present if destination not in wanted]
    changed = [item for item in wanted.items() if present.get(item[0]) != item[1]]
    return [
        *(f"route delete {destination} {ours}" for destination in sorted(gone)),
        *(f"route replace {destination} via {gateway} {ours}" for destination, gateway in sorted(changed)),
    ]


@dataclass(frozen=True, slots=True)
class Router:
    """One end of the fabric, whose routes are kept. `namespace` is None for the host, which clusters share."""

    namespace: str | None
    interface: str

    def sync(self, wanted: Routes) -> int:
        """Have exactly these routes over the fabric; how many had to change. Routes that others made stay.

        Raises:
            StartFailed: the kernel refused, or the namespace is gone.
        """
        commands = plan(self.read(), wanted, self.interface)
        programs.ip_batch(commands, self.namespace)
        return len(commands)

    def read(self) -> dict[str, str]:
        """The routes that are ours."""
        arguments = ["-4", "route", "show", "proto", _PROTOCOL, "dev", self.interface]
        rows = programs.ip_json(arguments, self.namespace)
        return {_network(str(row["dst"])): str(row.get("gateway", "")) for row in rows}


def _network(destination: str) -> str:
    """`ip` leaves out the length of a single address's prefix."""
    return destination if "/" in destination else f"{destination}/32"
