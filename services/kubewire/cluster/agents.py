"""What runs on each node besides its containerd, and the settings of each: kubelet and kube-proxy.

Pure, like `components`: what to start follows from the settings and from where the nodes are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from kubewire.cluster.components import KUBE_PROXY, LOOPBACK, Flags, alone, client, hosting
from kubewire.cluster.home import Home
from kubewire.cluster.supervision.component import Component
from kubewire.cluster.wanted import TOGETHER, Settings

if TYPE_CHECKING:
    from kubewire.cluster.nodes.place import NodePlace

AGENT: Final = "agent"
KUBELET: Final = "kubelet"
_METRICS: Final = {KUBELET: 10250, KUBE_PROXY: 10249}


def simulated(home: Home, settings: Settings) -> list[Component]:
    """Kubelets that run nothing; no proxy, since there are no pods to reach."""
    given = {name: _simulated_kubelet(home, settings, name) for name in settings.nodes}
    if settings.processes == TOGETHER:
        return [hosting("kubelets", [(KUBELET, flags) for flags in given.values()])]
    return [alone(f"{name}/{KUBELET}", KUBELET, flags) for name, flags in given.items()]


def on_containerd(
    home: Home, settings: Settings, places: Sequence[NodePlace], enter: Callable[[str], Sequence[str]]
) -> list[Component]:
    """The agents of each node; `enter` tells the words before a command that make it run inside a namespace."""
    found = []
    for place in places:
        prefix = enter(place.namespace)
        parts = [(KUBELET, _kubelet(home, settings, place)), (KUBE_PROXY, _kube_proxy(home, settings, place))]
        if settings.processes == TOGETHER:
            found.append(hosting(f"{place.name}/{AGENT}", parts, prefix))
        else:
            found += [alone(f"{place.name}/{role}", role, flags, prefix) for role, flags in parts]
    return found


def metrics(place: NodePlace) -> dict[str, str]:
    """Where a node's agents serve metrics and health, `host:port` by name; whoever scrapes them is outside the node."""
    return {role: f"{place.address}:{port}" for role, port in _METRICS.items()}


def _simulated_kubelet(home: Home, settings: Settings, name: str) -> Flags:
    return {
        **client(home, settings.grpc, f"{KUBELET}-{name}"),
        "node_name": name,
        "node_ip": LOOPBACK,
        "runtime": "simulated",
        "root_dir": home.nodes / name / "kubelet",
        "bind_address": LOOPBACK,
        "grpc_port": 0,
        "metrics_port": 0,
    }


def _kubelet(home: Home, settings: Settings, place: NodePlace) -> Flags:
    return {
        **client(home, _server(settings), f"{KUBELET}-{place.name}"),
        "node_name": place.name,
        "node_ip": place.address,
        "root_dir": place.kubelet,
        "container_runtime_endpoint": place.socket,
        "cgroup_root": place.cgroup,
        "bind_address": place.address,
        "metrics_port": _METRICS[KUBELET],
        "serving_cert_file": home.pki / f"{KUBELET}-{place.name}.crt",
        "serving_key_file": home.pki / f"{KUBELET}-{place.name}.key",
        "client_ca_file": home.pki / "ca.crt",
    }


def _kube_proxy(home: Home, settings: Settings, place: NodePlace) -> Flags:
    return {
        **client(home, _server(settings), KUBE_PROXY),
        "node_name": place.name,
        "cluster_cidr": settings.pod_addresses,
        "metrics_bind_address": place.address,
        "metrics_port": _METRICS[KUBE_PROXY],
    }


def _server(settings: Settings) -> str:
    """Where nodes reach the API server's gRPC port."""
    return f"{settings.host_address}:{settings.grpc.rpartition(':')[2]}"
