"""A controller-manager of a test's own: a process on free ports, ended and killed by its process id."""

import re
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

from tests.apiserver_process import ApiServerProcess

START_SECONDS: Final = 30.0
_READY: Final = re.compile(r'"msg":"ready".*')
QUICK_ELECTION: Final = (
    "--leader-elect-lease-seconds=2",
    "--leader-elect-renew-deadline-seconds=1.5",
    "--leader-elect-retry-seconds=0.2",
)


@dataclass
class ControllerManagerProcess:
    """`kubewire-controller-manager` on the loopback address, of an API server."""

    folder: Path
    server: ApiServerProcess
    name: str = "manager"
    flags: Sequence[str] = ()
    addresses: dict[str, str] = field(default_factory=dict)
    identity: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What it wrote, one JSON object a line."""
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start, or start again; returns when all its parts run, which is before it leads."""
        token = self.folder / f"{self.name}.token"
        token.write_text(self.server.token_of("system:kube-controller-manager"))
        already = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command(token), stdout=log, stderr=log, start_new_session=True)
        self._wait_until_ready(already)

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

    def _command(self, token: Path) -> list[str]:
        return [
            sys.executable, "-m", "kubewire.controller_manager.main",
            f"--apiserver={self.server.grpc}",
            f"--ca-file={self.server.ca}",
            f"--token-file={token}",
            "--grpc-port=0",
            "--metrics-port=0",
            "--log-format=json",
            *QUICK_ELECTION,
            *self.flags,
        ]  # fmt: skip

    def _wait_until_ready(self, already: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            written = self.log.read_bytes()[already:].decode(errors="replace")
            found = _READY.search(written)
            if found:
                told = dict(re.findall(r'"(\w+)":"([^"]+)"', found[0]))
                self.identity = told["identity"]
                self.addresses = {name: told[name] for name in ("grpc", "metrics")}
                return
            assert self.process is not None
            code = self.process.poll()
            if code is not None or time.monotonic() > deadline:
                pytest.fail(f"the controller-manager did not start (exit code {code}):\n{written[-4000:]}")
            time.sleep(0.02)


@contextmanager
def running_controller_manager(
    folder: Path, server: ApiServerProcess, *flags: str, name: str = "manager"
) -> Iterator[ControllerManagerProcess]:
    """A controller-manager of an API server, ended when the block is left however it is left."""
    manager = ControllerManagerProcess(folder, server, name, flags)
    try:
        manager.start()
        yield manager
    finally:
        manager.kill()
