"""Makes a probe, whichever kind its handler is of."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.kubelet.contracts import ContainerExec
from kubewire.kubelet.probes.exec_command import exec_command
from kubewire.kubelet.probes.http_get import http_get
from kubewire.kubelet.probes.reply import ProbeError, Reply
from kubewire.kubelet.probes.spec import ProbeSpec
from kubewire.kubelet.probes.tcp_socket import tcp_socket


class Target(NamedTuple):
    """What is probed."""

    container: Container
    container_id: str
    pod_ip: str


class Check(Protocol):
    """Makes one probe."""

    async def __call__(self, spec: ProbeSpec, target: Target) -> Reply:
        """What it came to.

        Raises:
            ProbeError: it could not be made.
        """
        ...


class Checks:
    """Probes over the network, and in containers by `runs`."""

    def __init__(self, runs: ContainerExec) -> None:
        self._runs = runs

    async def __call__(self, spec: ProbeSpec, target: Target) -> Reply:
        """Make it.

        Raises:
            ProbeError: it could not be made.
        """
        handler, container = spec.handler, target.container
        if handler.HasField("exec"):
            return await exec_command(handler.exec, container, target.container_id, spec.timeout, self._runs)
        if handler.HasField("httpGet"):
            return await http_get(handler.httpGet, container, target.pod_ip, spec.timeout)
        if handler.HasField("tcpSocket"):
            return await tcp_socket(handler.tcpSocket, container, target.pod_ip, spec.timeout)
        if handler.HasField("grpc"):
            # Brings a megabyte of its own; most nodes never need it.
            from kubewire.kubelet.probes.grpc_check import grpc_check  # noqa: PLC0415

            return await grpc_check(handler.grpc, target.pod_ip, spec.timeout)
        raise ProbeError("want one of exec, httpGet, tcpSocket and grpc")
