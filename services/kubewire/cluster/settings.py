"""What a cluster is started as: from what was asked for, what is installed, and which ports are free."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kubewire.cluster.components import CONTROLLER_MANAGER, LOOPBACK, SCHEDULER
from kubewire.cluster.errors import InvalidRequest, MissingProgram
from kubewire.cluster.ports import Claim, choose
from kubewire.cluster.wanted import CONTAINERD, NONE, SIMULATED, TOGETHER, Settings

_MOST_NODES: Final = 100
_NEEDED: Final = ("containerd", "containerd-shim-runc-v2", "runc", "ip", "nft", "iptables", "nsenter", "busybox")
_USUAL: Final = {
    "secure-port": 6443,
    "grpc-port": 6444,
    "insecure-grpc-port": 6445,
    CONTROLLER_MANAGER: 10357,
    f"{CONTROLLER_MANAGER} metrics": 10257,
    SCHEDULER: 10359,
    f"{SCHEDULER} metrics": 10259,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for; None leaves the choice to us. A port of None is the usual one, or any if it is taken."""

    runtime: str | None = None
    processes: str | None = None
    nodes: int | None = None
    secure_port: int | None = None
    grpc_port: int | None = None
    insecure_grpc: bool = False
    egress: bool = True


def chosen(name: str, asked: Asked, progress: Callable[[str], None]) -> tuple[Settings, list[Claim]]:
    """The settings of a cluster that is about to start, and the claims of its ports.

    Raises:
        InvalidRequest: something asked for does not go together, or a port is taken.
        MissingProgram: the runtime asked for cannot be had here.
    """
    runtime = _runtime(asked.runtime, progress)
    ports, claims = choose(LOOPBACK, {**dict.fromkeys(_USUAL), **_ports(asked)}, _USUAL)
    at = {usual: f"{LOOPBACK}:{port}" for usual, port in ports.items()}
    hosted = (CONTROLLER_MANAGER, SCHEDULER)
    settings = Settings(
        name=name,
        runtime=runtime,
        processes=asked.processes or TOGETHER,
        nodes=node_names(runtime, asked.nodes),
        rest=at["secure-port"],
        grpc=at["grpc-port"],
        insecure_grpc=at["insecure-grpc-port"] if asked.insecure_grpc else "",
        etcd_version="",
        services={one: at[one] for one in hosted},
        metrics={one: at[f"{one} metrics"] for one in hosted},
        egress=asked.egress,
    )
    return settings, claims


def ports_of(settings: Settings) -> list[int]:
    """The ports of this machine that a cluster has."""
    addresses = (settings.rest, settings.grpc, settings.insecure_grpc, *settings.services.values())
    return [int(one.rpartition(":")[2]) for one in (*addresses, *settings.metrics.values()) if one]


def require_same(settings: Settings, asked: Asked) -> None:
    """Returns if a running cluster is what was asked for.

    Raises:
        InvalidRequest: it is another one.
    """
    compared = (
        ("--runtime", asked.runtime, settings.runtime),
        ("--processes", asked.processes, settings.processes),
        ("--nodes", asked.nodes, len(settings.nodes)),
    )
    for flag, want, have in compared:
        if want is not None and want != have:
            raise InvalidRequest(
                f"{flag} {want}: cluster {settings.name!r} runs with {flag} {have}; end it first: "
                f"kubewire down --name {settings.name}"
            )


def node_names(runtime: str, count: int | None) -> tuple[str, ...]:
    """The names of a cluster's nodes.

    Raises:
        InvalidRequest: so many cannot be had.
    """
    if runtime == NONE:
        if count:
            raise InvalidRequest(f"--nodes {count}: with --runtime none there are no nodes")
        return ()
    wanted_count = 1 if count is None else count
    if not 1 <= wanted_count <= _MOST_NODES:
        raise InvalidRequest(f"--nodes {wanted_count}: want 1 to {_MOST_NODES}")
    return tuple(f"node-{number}" for number in range(1, wanted_count + 1))


def _runtime(asked: str | None, progress: Callable[[str], None]) -> str:
    if asked not in (None, CONTAINERD):
        return str(asked)
    problem = _containerd_problem()
    if asked == CONTAINERD and problem:
        raise MissingProgram(f"--runtime containerd: {problem}")
    if problem:
        progress(f"nodes are simulated, pods go through their life cycle and nothing runs: {problem}")
        return SIMULATED
    return CONTAINERD


def _containerd_problem() -> str:
    """Why pods cannot run in containers here; empty if they can."""
    from kubewire.cluster.nodes import cni, programs  # noqa: PLC0415  # where nodes are asked for only

    if os.geteuid() != 0:
        return "network namespaces and containers need root"
    try:
        for program in _NEEDED:
            programs.find(program)
        cni.find_plugins()
    except MissingProgram as error:
        return str(error)
    return ""


def _ports(asked: Asked) -> dict[str, int | None]:
    return {"secure-port": asked.secure_port, "grpc-port": asked.grpc_port}
