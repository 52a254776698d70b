"""Which connections are still to be looked through, until that has been done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from kubewire.component.log import Logger
from kubewire.kube_proxy.desired.model import Frontend, Rules
from kubewire.kube_proxy.errors import BackendFailed
from kubewire.kube_proxy.flows.contracts import Flows
from kubewire.kube_proxy.flows.stale import Place, udp_frontends
from kubewire.kube_proxy.metrics import KubeProxyMetrics

_LOG: Final = Logger("kube_proxy.flows")


class Forgetting:
    """Rules are programmed whether or not old connections can be forgotten: what cannot be is tried again."""

    def __init__(self, flows: Flows, metrics: KubeProxyMetrics, clock: Callable[[], float]) -> None:
        self._flows = flows
        self._metrics = metrics
        self._clock = clock
        self._due: frozenset[Place] = frozenset()

    def note(self, frontends: Iterable[Frontend]) -> None:
        """Rules of these have changed, or may have while nobody looked."""
        self._due |= udp_frontends(frontends)

    async def forget(self, rules: Rules) -> None:
        """Forget what is due and goes where rules would not send it."""
        if not self._due:
            return
        started, due = self._clock(), self._due
        try:
            count = await self._flows.forget_stale(due, rules)
        except BackendFailed as error:
            _LOG.warning("connections cannot be forgotten, trying again", reason=error)
            return
        self._due -= due
        self._metrics.forgot(count, self._clock() - started)
