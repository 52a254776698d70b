"""The ports that load balancers ask: one for the node, and one for every Service that wants to be asked for itself."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

from kubewire.component.log import Logger
from kubewire.component.probes import Answer, PageServer
from kubewire.kube_proxy.desired.services import HealthCheck
from kubewire.kube_proxy.health.node_health import NodeHealth
from kubewire.kube_proxy.metrics import KubeProxyMetrics

_LOG: Final = Logger("kube_proxy.health")
_NOT_FOUND: Final = Answer(404, b"not found\n")
_NOT_ALLOWED: Final = Answer(405, b"only GET and HEAD\n")


class HealthzServer(PageServer):
    """`/healthz` and `/livez` of the node."""

    def __init__(self, health: NodeHealth, metrics: KubeProxyMetrics) -> None:
        super().__init__(self.answer)
        self._health = health
        self._metrics = metrics

    def answer(self, method: str, target: str) -> Answer:
        """The answer to one request."""
        if method not in {"GET", "HEAD"}:
            return _NOT_ALLOWED
        page = target.partition("?")[0].strip("/")
        if page not in {"healthz", "livez"}:
            return _NOT_FOUND
        answer = self._health.page(with_node=page == "healthz")
        self._metrics.answered(page, answer.code)
        return answer


class ServicePorts:
    """Listens on the health check node ports of Services."""

    def __init__(self, health: NodeHealth, host: str) -> None:
        self._health = health
        self._host = host
        self._checks: dict[int, HealthCheck] = {}
        self._servers: dict[int, PageServer] = {}

    async def serve(self, checks: Iterable[HealthCheck]) -> None:
        """Serve these and no others. A port that cannot be listened on is tried again the next time."""
        self._checks = {check.port: check for check in checks}
        for port in [port for port in self._servers if port not in self._checks]:
            self._servers.pop(port).close()
        for port in self._checks.keys() - self._servers.keys():
            server = PageServer(partial(self._answer, port))
            try:
                await server.start(self._host, port)
            except OSError as error:
                _LOG.warning("cannot listen on a health check node port", port=port, reason=error)
            else:
                self._servers[port] = server

    def close(self) -> None:
        """Listen on none."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()

    def _answer(self, port: int, method: str, _: str) -> Answer:
        check = self._checks.get(port)
        if method not in {"GET", "HEAD"}:
            return _NOT_ALLOWED
        return _NOT_FOUND if check is None else self._health.service_page(check)
