"""Which processes a cluster consists of, and the command of each. Pure: what to start follows from the settings."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from kubewire.cluster import etcd_program
from kubewire.cluster.etcd_program import CLIENT_SOCKET, PEER_SOCKET, EtcdProgram
from kubewire.cluster.home import Home
from kubewire.cluster.hosting.table import APISERVER, COMPONENTS, SEPARATOR
from kubewire.cluster.supervision.component import Component
from kubewire.cluster.tokens import token_file
from kubewire.cluster.wanted import TOGETHER, Settings

LOOPBACK: Final = "127.0.0.1"
ETCD: Final = "etcd"
CONTROL_PLANE: Final = "control-plane"
CONTROLLER_MANAGER: Final = "controller-manager"
SCHEDULER: Final = "scheduler"
NODE_NETWORK: Final = "node-network"
KUBE_PROXY: Final = "kube-proxy"

Flags = Mapping[str, object]


def etcd(home: Home, program: EtcdProgram) -> Component:
    """The one member; it listens on sockets in the cluster's folder, which only its owner may open."""
    command = etcd_program.arguments(program, home.etcd_data)
    return Component(ETCD, tuple(command), stale=(CLIENT_SOCKET, PEER_SOCKET))


def first(home: Home, settings: Settings) -> Component:
    """What makes the API answer: the API server, or the process that hosts the whole control plane."""
    if settings.processes == TOGETHER:
        names = (APISERVER, *_managers(settings))
        return hosting(CONTROL_PLANE, [(name, flags(home, settings, name)) for name in names])
    return alone(APISERVER, APISERVER, flags(home, settings, APISERVER))


def second(home: Home, settings: Settings) -> list[Component]:
    """What the control plane has besides, and can come up once the API answers."""
    if settings.processes == TOGETHER:
        return []
    return [alone(name, name, flags(home, settings, name)) for name in _managers(settings)]


def _managers(settings: Settings) -> tuple[str, ...]:
    """What the control plane consists of besides the API server; a network only where nodes have one."""
    return (CONTROLLER_MANAGER, SCHEDULER, *([NODE_NETWORK] if settings.host_address else []))


def flags(home: Home, settings: Settings, name: str) -> Flags:
    """The settings of a component of the control plane."""
    if name == APISERVER:
        return _apiserver(home, settings)
    if name == NODE_NETWORK:  # it reads what every node's proxy reads
        return {**client(home, settings.grpc, KUBE_PROXY), "cluster": home.name, "home": home.path}
    own: dict[str, object] = {}
    if name == CONTROLLER_MANAGER:
        own = {"root_ca_file": home.pki / "ca.crt"}
        if settings.pod_addresses:
            own["cluster_cidr"] = settings.pod_addresses
    address, _, port = settings.services[name].rpartition(":")
    return {
        **client(home, settings.grpc, name),
        **own,
        "bind_address": address,
        "grpc_port": port,
        "metrics_port": settings.metrics[name].rpartition(":")[2],
    }


def client(home: Home, server: str, owner: str) -> Flags:
    """How a component reaches the API server, and as whom."""
    return {"apiserver": server, "ca_file": home.pki / "ca.crt", "token_file": token_file(home, owner)}


def hosting(name: str, parts: Sequence[tuple[str, Flags]], prefix: Sequence[str] = ()) -> Component:
    """One process for several components; `prefix` is a command that runs it."""
    command = [*prefix, sys.executable, "-m", "kubewire.cluster.hosting.host"]
    for index, (part, given) in enumerate(parts):
        command += [*([SEPARATOR] if index else []), part, *_texts(given)]
    return Component(name, tuple(command))


def alone(name: str, part: str, given: Flags, prefix: Sequence[str] = ()) -> Component:
    """One process for one component, with its log as text, for people."""
    command = [*prefix, sys.executable, "-m", COMPONENTS[part].main, *_texts({**given, "log_format": "text"})]
    return Component(name, tuple(command))


def _apiserver(home: Home, settings: Settings) -> Flags:
    """This machine only, certificates and tokens in the cluster's folder."""
    given: dict[str, object] = {
        "etcd_servers": f"unix://{home.path / CLIENT_SOCKET}",
        "bind_address": LOOPBACK,
        "secure_port": settings.rest.rpartition(":")[2],
        "grpc_port": settings.grpc.rpartition(":")[2],
        "cert_dir": home.pki,
    }
    if settings.host_address:
        given |= {"more_bind_addresses": settings.host_address, "advertise_address": settings.host_address}
    if settings.insecure_grpc:
        given |= {"insecure_grpc": "true", "insecure_grpc_port": settings.insecure_grpc.rpartition(":")[2]}
    return given


def _texts(given: Flags) -> list[str]:
    return [f"--{name.replace('_', '-')}={_text(value)}" for name, value in given.items()]


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int | float | Path) else ",".join(map(str, value))  # type: ignore[call-overload]  # tuples
