"""The modes of kube-proxy: how each opens what it programs. Later ones (IPVS, iptables) are lines of this table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from kubewire.kube_proxy.backends.contracts import Backend
from kubewire.kube_proxy.backends.memory import NAME as MEMORY
from kubewire.kube_proxy.backends.memory import MemoryBackend
from kubewire.kube_proxy.backends.nftables.backend import NAME as NFTABLES
from kubewire.kube_proxy.backends.nftables.backend import NftablesBackend
from kubewire.kube_proxy.backends.nftables.kernel import Kernel
from kubewire.kube_proxy.backends.nftables.layout import Options
from kubewire.kube_proxy.config import KubeProxyConfig
from kubewire.kube_proxy.errors import BackendNotUsable
from kubewire.kube_proxy.flows.contracts import Flows, NoFlows
from kubewire.kube_proxy.flows.kernel import KernelFlows
from kubewire.kube_proxy.netlink.conntrack import ConnectionTable


class Edge(NamedTuple):
    """What a mode acts through; of the network namespace in which it was opened."""

    backend: Backend
    flows: Flows

    def close(self) -> None:
        """Give back what is held; rules stay."""
        self.backend.close()
        self.flows.close()


def _nftables(config: KubeProxyConfig) -> Edge:
    options = Options(config.pod_networks, 1 << config.masquerade_bit)
    try:
        return Edge(NftablesBackend(Kernel(), options), KernelFlows(ConnectionTable()))
    except OSError as error:
        raise BackendNotUsable(f"mode nftables: {error.strerror}; want root, and a kernel with nf_tables") from error


def _memory(_: KubeProxyConfig) -> Edge:
    return Edge(MemoryBackend(), NoFlows())


MODES: Final[Mapping[str, Callable[[KubeProxyConfig], Edge]]] = {NFTABLES: _nftables, MEMORY: _memory}


def open_edge(config: KubeProxyConfig) -> Edge:
    """The edge of the mode that is configured.

    Raises:
        BackendNotUsable: it cannot work here.
    """
    return MODES[config.mode](config)
