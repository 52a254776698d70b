"""The kernel's connections."""

from __future__ import annotations

from kubewire.kube_proxy.desired.model import Rules
from kubewire.kube_proxy.errors import BackendFailed
from kubewire.kube_proxy.flows.stale import Place, stale
from kubewire.kube_proxy.netlink.conntrack import UDP, ConnectionTable
from kubewire.kube_proxy.netlink.threads import WorkerThread


class KernelFlows:
    """Fills `Flows`; `table` is its own to close."""

    def __init__(self, table: ConnectionTable) -> None:
        self._table = table
        self._thread = WorkerThread("conntrack")

    async def forget_stale(self, places: frozenset[Place], rules: Rules) -> int:
        """See `Flows`."""
        # Others go on changing rules while the thread works.
        relevant = {frontend: rule for frontend, rule in rules.items() if (frontend.address, frontend.port) in places}
        try:
            return await self._thread.do(lambda: self._forget(places, relevant))
        except OSError as error:
            raise BackendFailed(f"conntrack: {error.strerror or error}") from error

    def close(self) -> None:
        """See `Flows`."""
        self._thread.close()
        self._table.close()

    def _forget(self, places: frozenset[Place], rules: Rules) -> int:
        found = list(stale(self._table.flows(UDP), places, rules))
        return sum(self._table.forget(flow) for flow in found)
