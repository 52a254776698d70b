"""The control plane of a local cluster as one process: `python -m kubewire.cluster.control_plane NAME HOME ...`.

It is started by `up`, which waits for its reports. etcd starts before anything heavy is imported, so that both take
their time together; once the API answers, the state file and the kubeconfig are written, and `up` is told.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kubewire.cluster import state
from kubewire.cluster.errors import ClusterError
from kubewire.cluster.etcd_child import EtcdChild
from kubewire.cluster.home import Home
from kubewire.cluster.kubeconfig import render
from kubewire.cluster.ports import choose
from kubewire.cluster.processes import identify
from kubewire.cluster.reports import Reports
from kubewire.component.files import write_private

if TYPE_CHECKING:
    from kubewire.apiserver.app import ApiServer
    from kubewire.apiserver.config import ApiServerConfig

_ADDRESS = "127.0.0.1"
_USUAL_PORTS = {"secure-port": 6443, "grpc-port": 6444, "insecure-grpc-port": 6445}


class ControlPlane:
    """etcd and the API server of one local cluster."""

    def __init__(self, home: Home, runtime: str, etcd: EtcdChild, reports: Reports) -> None:
        self._home = home
        self._runtime = runtime
        self._etcd = etcd
        self._reports = reports
        self._server: ApiServer | None = None

    async def run(self, config: ApiServerConfig, stop: asyncio.Event) -> None:
        """Serve until `stop` is set."""
        from kubewire.apiserver.app import ApiServer  # noqa: PLC0415  # etcd starts while this is imported

        self._reports.step("starting the API server")
        self._server = ApiServer(config)
        async with asyncio.TaskGroup() as group:
            supervision = group.create_task(self._etcd.supervise(self._publish))
            try:
                await self._server.run(stop, self._on_up)
            finally:
                supervision.cancel()

    def _on_up(self) -> None:
        """The API answers: leave what others need on disk, then say so."""
        authority = (self._home.pki / "ca.crt").read_bytes()
        token = self._home.token_table.read_text().partition(",")[0]
        assert self._server is not None
        server = f"https://{self._server.addresses.rest}"
        write_private(self._home.token, token.encode() + b"\n")
        write_private(self._home.kubeconfig, render(cluster=self._home.name, server=server, ca=authority, token=token))
        self._publish()
        self._reports.ready()

    def _publish(self) -> None:
        """Write the state file; without both processes there is nothing to say yet."""
        own, etcd = identify(os.getpid()), self._etcd.process
        if own is None or etcd is None or self._server is None or not self._server.addresses.rest:
            return
        addresses = self._server.addresses
        state.write(
            self._home,
            state.ClusterState(
                name=self._home.name,
                runtime=self._runtime,
                control_plane=own,
                etcd=etcd,
                rest=addresses.rest,
                grpc=addresses.grpc,
                insecure_grpc=addresses.insecure_grpc,
                etcd_version=self._etcd.version(),
            ),
        )


def main(arguments: list[str]) -> int:
    """Exit code 0 after SIGTERM, 1 if a part failed, 2 if it could not start."""
    options = _parse(arguments)
    home, reports = Home(options.name, options.home), Reports()
    try:
        etcd = EtcdChild(home)
    except ClusterError as error:
        reports.failed(str(error))
        return 2
    try:
        return _serve(home, options, etcd, reports)
    except ClusterError as error:
        reports.failed(str(error))
        return 2
    finally:
        etcd.stop()


def _serve(home: Home, options: argparse.Namespace, etcd: EtcdChild, reports: Reports) -> int:
    from kubewire.component import log  # noqa: PLC0415  # etcd starts while this is imported
    from kubewire.component.lifecycle import run_process  # noqa: PLC0415  # likewise

    release = " (the bundled release, which can lose data in a crash)" if etcd.program.may_lose_data else ""
    reports.step(f"etcd started{release}")
    log.configure(level="info", form="text")  # people read it, in a file
    config = _config(home, options, etcd)
    plane = ControlPlane(home, options.runtime, etcd, reports)
    return run_process(lambda stop: plane.run(config, stop))


def _config(home: Home, options: argparse.Namespace, etcd: EtcdChild) -> ApiServerConfig:
    """The API server's settings: this machine only, certificates and token in the cluster's folder."""
    from kubewire.apiserver.config import ApiServerConfig  # noqa: PLC0415  # etcd starts while this is imported

    wanted = {"secure-port": options.secure_port, "grpc-port": options.grpc_port, "insecure-grpc-port": None}
    ports = choose(_ADDRESS, wanted, _USUAL_PORTS)
    return ApiServerConfig(
        etcd_servers=(etcd.url,),
        bind_address=_ADDRESS,
        secure_port=ports["secure-port"],
        grpc_port=ports["grpc-port"],
        insecure_grpc=options.insecure_grpc,
        insecure_grpc_port=ports["insecure-grpc-port"],
        cert_dir=home.pki,
    )


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m kubewire.cluster.control_plane", description=__doc__)
    parser.add_argument("name", help="the cluster's name")
    parser.add_argument("home", type=Path, help="its folder")
    parser.add_argument("--runtime", default="none", help="what runs pods")
    parser.add_argument("--secure-port", type=int, help="REST over TLS; 0: any free port")
    parser.add_argument("--grpc-port", type=int, help="gRPC over TLS; 0: any free port")
    parser.add_argument("--insecure-grpc", action="store_true", help="also serve gRPC without TLS on loopback")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
