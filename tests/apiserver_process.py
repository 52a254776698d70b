"""A real API server of a test's own: a process on free ports, ended, killed and started again by its process id."""

import csv
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

START_SECONDS: Final = 60.0
COMPONENTS: Final = {
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
    "system:kube-proxy": "",
    "system:node:n1": "system:nodes",
    "system:node:n2": "system:nodes",
    "joe": "",
}
"""Users of components, and one with no rights at all, with their groups."""

_READY: Final = re.compile(r'"msg":"ready".*')


@dataclass
class ApiServerProcess:
    """`kubewire-apiserver` on the loopback address. Ports are chosen at the first start and kept at later ones.

    Nobody makes service accounts beside a bare server, so pods need none unless `needs_accounts` is set.
    """

    folder: Path
    etcd: str
    flags: Sequence[str] = ()
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    needs_accounts: bool = False

    @property
    def log(self) -> Path:
        """What it wrote, one JSON object a line."""
        return self.folder / "apiserver.log"

    @property
    def ca(self) -> Path:
        """The authority its certificate is signed by."""
        return self.folder / "pki" / "ca.crt"

    @property
    def token(self) -> str:
        """The admin's."""
        return self.token_of("admin")

    def token_of(self, user: str) -> str:
        """That of one of the users the server knows: the admin, and `COMPONENTS`."""
        rows = csv.reader((self.folder / "pki" / "tokens.csv").read_text().splitlines())
        return next(row[0] for row in rows if row[1] == user)

    @property
    def rest(self) -> str:
        """`https://host:port`."""
        return f"https://127.0.0.1:{self.ports['rest']}"

    @property
    def grpc(self) -> str:
        """`host:port` with TLS."""
        return f"127.0.0.1:{self.ports['grpc']}"

    @property
    def client_certificate_grpc(self) -> str:
        """`host:port` that knows callers by certificates."""
        return f"127.0.0.1:{self.ports['grpc_client_certificate']}"

    @property
    def insecure_grpc(self) -> str:
        """`host:port` without TLS."""
        return f"127.0.0.1:{self.ports['insecure_grpc']}"

    def start(self) -> None:
        """Start, or start again; returns when it is ready."""
        self._know_components()
        already = self.log.stat().st_size if self.log.exists() else 0
        environment = {**os.environ, "KUBEWIRE_APISERVER_LOG_FORMAT": "json"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command(), stdout=log, stderr=log, env=environment, start_new_session=True
            )
        self._wait_until_ready(already)

    def _know_components(self) -> None:
        """Give each component a token of its own, beside the admin's; the server reads them when it starts."""
        table = self.folder / "pki" / "tokens.csv"
        if not table.exists():
            table.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            users = {"admin": "system:masters", **COMPONENTS}
            rows = (f'{secrets.token_urlsafe(16)},{user},{user},"{groups}"\n' for user, groups in users.items())
            table.write_text("".join(rows))

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(START_SECONDS)
        self.process = None
        return code

    def _command(self) -> list[str]:
        port = self.ports.get
        return [
            sys.executable, "-m", "kubewire.apiserver.main",
            f"--etcd-servers=http://{self.etcd}",
            "--bind-address=127.0.0.1",
            f"--secure-port={port('rest', 0)}",
            f"--grpc-port={port('grpc', 0)}",
            f"--grpc-client-certificate-port={port('grpc_client_certificate', 0)}",
            "--insecure-grpc",
            f"--insecure-grpc-port={port('insecure_grpc', 0)}",
            f"--cert-dir={self.folder / 'pki'}",
            *(() if self.needs_accounts else ("--disable-admission-plugins=ServiceAccount",)),
            *self.flags,
        ]  # fmt: skip

    def _wait_until_ready(self, already: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            written = self.log.read_bytes()[already:].decode(errors="replace")
            found = _READY.search(written)
            if found:
                self.ports = {name: int(number) for name, number in re.findall(r'"(\w+)":"127.0.0.1:(\d+)"', found[0])}
                return
            assert self.process is not None
            code = self.process.poll()
            if code is not None or time.monotonic() > deadline:
                pytest.fail(f"the API server did not become ready (exit code {code}):\n{written[-4000:]}")
            time.sleep(0.02)


@contextmanager
def running_apiserver(folder: Path, etcd: str, *flags: str, needs_accounts: bool = False) -> Iterator[ApiServerProcess]:
    """An API server on an etcd (`host:port`), ended when the block is left however it is left."""
    server = ApiServerProcess(folder, etcd, flags, needs_accounts=needs_accounts)
    try:
        server.start()
        yield server
    finally:
        server.kill()
