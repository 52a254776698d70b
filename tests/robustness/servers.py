"""The processes of a run: one etcd and API servers over it, on ports that stay the same through every restart.

Each can be ended, held and started again at any moment; whatever is left is ended by its process id.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import pytest

from tests.apiserver_process import ApiServerProcess
from tests.etcd_process import EtcdProcess
from tests.robustness.api import Access
from tests.robustness.wire import Wire

_ROOT: Final = Path(__file__).resolve().parents[2]
_PORTS: Final = range(15_000, 30_000)
"""Below what the kernel gives to outgoing connections: one that tries a port nobody listens on may connect to itself,
and would then hold the port that a restarting server wants back."""

_PORT_NAMES: Final = ("rest", "grpc", "grpc_client_certificate", "insecure_grpc")
_START: Final = (
    "import sys; sys.path.insert(0, {root!r}); from tests.robustness.small_server import main; main({defect!r})"
)


def free_ports() -> Iterator[int]:
    """Ports nobody listens on at this moment, beginning where other processes hardly begin."""
    start = os.getpid() * 37 % len(_PORTS)
    for port in (*_PORTS[start:], *_PORTS[:start]):
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port


_LEFT_CLIENTS: Final = (
    ("ExecuteBatchError raised in core", "asyncio.exceptions.CancelledError"),
    ('"logger":"aiohttp.server"', "asyncio.exceptions.InvalidStateError", "_handler_waiter.set_result"),
)
"""What grpcio and aiohttp log themselves when a client leaves in the instant in which it is answered: the call is over,
nothing of ours went wrong, and the recorded history is judged all the same. Words that must all be in the line."""


class NotStarted(Exception):
    """A server did not become ready. Its message ends with what it logged."""


@dataclass
class SmallApiServer(ApiServerProcess):
    """An API server with small bounds (`small_server.py`), and with a defect if one is named."""

    defect: str = ""

    def start(self) -> None:
        """See `ApiServerProcess.start`. Raises NotStarted, which says why."""
        try:
            super().start()
        except pytest.fail.Exception as failure:
            raise NotStarted(str(failure)) from None

    def _command(self) -> list[str]:
        python, *command = super()._command()
        return [python, "-c", _START.format(root=str(_ROOT), defect=self.defect), *command[2:]]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)


@dataclass
class Cluster:
    """One etcd, and API servers called a, b ... The last one reaches etcd over a wire, the others directly."""

    folder: Path
    etcd: EtcdProcess
    wire: Wire
    servers: dict[str, SmallApiServer] = field(default_factory=dict)

    @classmethod
    def prepare(cls, folder: Path, count: int, *, flags: Sequence[str] = (), defect: str = "") -> Cluster:
        """Choose ports; nothing runs yet. The servers believe the same token."""
        ports = free_ports()
        etcd = EtcdProcess(folder / "etcd", next(ports), next(ports))
        etcd.folder.mkdir(parents=True, exist_ok=True)
        cluster = cls(folder, etcd, Wire(next(ports), etcd.client_port))
        names = "abcdef"[:count]
        for name in names:
            its_ports = dict(zip(_PORT_NAMES, islice(ports, len(_PORT_NAMES)), strict=True))
            settings = ("--shutdown-grace-seconds=0.5", f"--token-file={folder / 'tokens.csv'}", *flags)
            endpoint = cluster.wire.endpoint if name == names[-1] else etcd.endpoint
            cluster.servers[name] = SmallApiServer(folder / name, endpoint, settings, its_ports, defect=defect)
        (folder / "tokens.csv").write_text('robust,admin,admin,"system:masters"\n')
        return cluster

    async def start(self) -> None:
        """Start everything, one after another: a fresh cluster is set up by its first server alone."""
        for start in (self.etcd.start, *(server.start for server in self.servers.values())):
            await asyncio.to_thread(start)

    def access(self, name: str) -> Access:
        """How to reach a server."""
        server = self.servers[name]
        trust = ssl.create_default_context(cafile=str(server.ca))
        return Access(name, server.rest, server.insecure_grpc, "robust", trust)

    def ended_by_themselves(self) -> list[str]:
        """Servers that are not running although nobody ended them, with the end of what they said."""
        return [
            f"API server {name} ended by itself with {server.process.returncode}: {server.log.read_text()[-2000:]}"
            for name, server in self.servers.items()
            if server.process is not None and server.process.poll() is not None
        ]

    def complaints(self) -> list[str]:
        """What the servers logged that should never happen: defects of their own."""
        return [
            f"API server {name} logged: {line[:2000]}"
            for name, server in self.servers.items()
            if server.log.exists()
            for line in server.log.read_text(errors="replace").splitlines()
            if ("Traceback (most recent call last)" in line or '"level":"critical"' in line)
            and not any(all(word in line for word in words) for words in _LEFT_CLIENTS)
        ]

    def end(self) -> None:
        """End every process that is left."""
        for server in self.servers.values():
            server.kill()
        self.etcd.kill()
