"""A real scheduler of a test's own: a process on free ports, ended, killed and started again by its process id."""

import os
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

START_SECONDS: Final = 60.0
_READY: Final = re.compile(r'"msg":"ready".*')


@dataclass
class SchedulerProcess:
    """`kubewire-scheduler` of an API server, on the loopback address."""

    folder: Path
    apiserver: ApiServerProcess
    flags: Sequence[str] = ()
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What it wrote, one JSON object a line."""
        return self.folder / "scheduler.log"

    @property
    def grpc(self) -> str:
        """`host:port` of its own service."""
        return f"127.0.0.1:{self.ports['grpc']}"

    @property
    def metrics(self) -> str:
        """`http://host:port`."""
        return f"http://127.0.0.1:{self.ports['metrics']}"

    def start(self) -> None:
        """Start, or start again; returns when it runs for the lead."""
        self.folder.mkdir(parents=True, exist_ok=True)
        token = self.folder / "token"
        token.write_text(self.apiserver.token_of("system:kube-scheduler"))
        already = self.log.stat().st_size if self.log.exists() else 0
        environment = {**os.environ, "KUBEWIRE_SCHEDULER_LOG_FORMAT": "json"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command(token), stdout=log, stderr=log, env=environment, start_new_session=True
            )
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
            sys.executable, "-m", "kubewire.scheduler.main",
            f"--apiserver={self.apiserver.grpc}",
            f"--ca-file={self.apiserver.ca}",
            f"--token-file={token}",
            "--grpc-port=0",
            "--metrics-port=0",
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
                pytest.fail(f"the scheduler did not become ready (exit code {code}):\n{written[-4000:]}")
            time.sleep(0.02)


@contextmanager
def running_scheduler(folder: Path, apiserver: ApiServerProcess, *flags: str) -> Iterator[SchedulerProcess]:
    """A scheduler of an API server, ended when the block is left however it is left."""
    scheduler = SchedulerProcess(folder, apiserver, flags)
    try:
        scheduler.start()
        yield scheduler
    finally:
        scheduler.kill()
