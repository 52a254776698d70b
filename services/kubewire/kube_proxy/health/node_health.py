"""Whether the node should get connections: what is desired is programmed soon, and the node is to stay. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.component.probes import Answer
from kubewire.kube_proxy.desired.services import HealthCheck

_JSON: Final = "application/json"
_ON_ITS_WAY_OUT: Final = "ToBeDeletedByClusterAutoscaler"


class Progress(Protocol):
    """How far programming is."""

    @property
    def last_synced(self) -> float:
        """When all was last programmed, Unix time; 0: never."""
        ...

    @property
    def waiting_since(self) -> float | None:
        """Since when a change waits, by the clock; None: none does."""
        ...


class NodeHealth:
    """Answers load balancers."""

    def __init__(
        self,
        progress: Callable[[], Progress | None],
        node: Callable[[], Node | None],
        unhealthy_seconds: float,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._progress = progress
        self._node = node
        self._unhealthy_seconds = unhealthy_seconds
        self._clock = clock
        self._wall_clock = wall_clock

    def problem(self) -> str:
        """Why programming is not healthy; empty if it is."""
        progress = self._progress()
        if progress is None or not progress.last_synced:
            return "nothing was programmed yet"
        since = progress.waiting_since
        if since is not None and self._clock() - since > self._unhealthy_seconds:
            return f"changes wait for {self._clock() - since:.0f} s to be programmed"
        return ""

    def is_eligible(self) -> bool:
        """Whether the node is to stay, as far as is known."""
        node = self._node()
        if node is None:
            return True
        is_leaving = any(taint.key == _ON_ITS_WAY_OUT for taint in node.spec.taints)
        return not is_leaving and not node.metadata.HasField("deletionTimestamp")

    def page(self, *, with_node: bool) -> Answer:
        """`/healthz`, or `/livez` which leaves the node's future out."""
        progress = self._progress()
        problem, is_eligible = self.problem(), self.is_eligible()
        told: dict[str, object] = {
            "lastUpdated": _time(progress.last_synced if progress is not None else 0.0),
            "currentTime": _time(self._wall_clock()),
        }
        if with_node:
            told["nodeEligible"] = is_eligible
        is_healthy = not problem and (is_eligible or not with_node)
        return Answer(200 if is_healthy else 503, json.dumps(told).encode(), _JSON)

    def service_page(self, check: HealthCheck) -> Answer:
        """What a load balancer is told that asks for one Service."""
        is_healthy = not self.problem()
        told = {
            "service": {"namespace": check.namespace, "name": check.name},
            "localEndpoints": check.local_targets,
            "serviceProxyHealthy": is_healthy,
        }
        return Answer(200 if is_healthy and check.local_targets else 503, json.dumps(told).encode(), _JSON)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
