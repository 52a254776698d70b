"""The components that can share a process, by the names they have on command lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

APISERVER: Final = "apiserver"
SEPARATOR: Final = "--"
"""Stands between the components of one process on its command line."""


@dataclass(frozen=True, slots=True)
class Hosted:
    """One component: where its parts are, and who it is.

    Attributes:
        package: below `kubewire`, with modules `app`, `config`, `connection` and `main`.
        app: the class in its `app` that runs it, made from its configuration and a transport.
        config: the class in its `config`.
        user: who it is to an API server in the same process.
        groups: what it belongs to there.
    """

    package: str
    app: str
    config: str
    user: str = ""
    groups: tuple[str, ...] = ()

    @property
    def main(self) -> str:
        """The module that makes it a process of its own."""
        return f"kubewire.{self.package}.main"


COMPONENTS: Final[Mapping[str, Hosted]] = {
    APISERVER: Hosted("apiserver", "ApiServer", "ApiServerConfig"),
    "controller-manager": Hosted(
        "controller_manager",
        "ControllerManager",
        "ControllerManagerConfig",
        "system:kube-controller-manager",
    ),
    "scheduler": Hosted("scheduler", "Scheduler", "SchedulerConfig", "system:kube-scheduler"),
    "node-network": Hosted("cluster.node_network", "NodeNetwork", "NodeNetworkConfig", "system:kube-proxy"),
    "kubelet": Hosted("kubelet", "Kubelet", "KubeletConfig"),
    "kube-proxy": Hosted("kube_proxy", "KubeProxy", "KubeProxyConfig"),
}
