"""A real etcd of a test's own: started on free ports, killed, paused, restarted, and ended by its process id.

Everything it writes lies in the folder the test gives it.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

START_SECONDS: Final = 30.0


def find_free_ports(count: int) -> list[int]:
    """`count` different TCP ports on the loopback address that nobody listens on at this moment."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def find_free_port() -> int:
    """One of `find_free_ports`."""
    return find_free_ports(1)[0]


@dataclass
class EtcdProcess:
    """A single etcd member on the loopback address: killed, restarted and ended by the test that owns it.

    It does not wait for the disk (`--unsafe-no-fsync`), which keeps what it wrote through a SIGKILL of the
    process, though not through a loss of power.
    """

    folder: Path
    client_port: int = field(default_factory=find_free_port)
    peer_port: int = field(default_factory=find_free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Where clients reach it: `host:port`, as gRPC takes it."""
        return f"127.0.0.1:{self.client_port}"

    def start(self) -> None:
        """Start, or start again on the same data; returns when it is healthy."""
        with (self.folder / "etcd.log").open("ab") as log:
            self.process = subprocess.Popen(self._command(), stdout=log, stderr=log, start_new_session=True)
        self._wait_until_healthy()

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and wait until it did."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Hold it: connections stay open and nothing is answered, until `resume`."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused member go on."""
        self._running().send_signal(signal.SIGCONT)

    def _command(self) -> list[str]:
        client, peer = f"http://{self.endpoint}", f"http://127.0.0.1:{self.peer_port}"
        return [
            _etcd_binary(),
            "--name=test",
            f"--data-dir={self.folder / 'data'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=test={peer}",
            # A lone member waits one election timeout before it leads: a tenth of the default is safe on loopback.
            "--heartbeat-interval=10",
            "--election-timeout=100",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]

    def _running(self) -> subprocess.Popen[bytes]:
        assert self.process is not None, "etcd is not running: call start() first"
        return self.process

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.send_signal(signal.SIGCONT)
            self.process.wait(START_SECONDS)
            self.process = None

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_healthy():
            code = self._running().poll()
            if code is not None or time.monotonic() > deadline:
                log = (self.folder / "etcd.log").read_text(errors="replace")
                pytest.fail(f"etcd did not become healthy (exit code {code}):\n{log[-2000:]}")
            time.sleep(0.02)

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.endpoint}/health", timeout=1) as answer:
                return b'"true"' in answer.read()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


def _etcd_binary() -> str:
    binary = os.environ.get("KUBEWIRE_ETCD") or shutil.which("etcd")
    if binary is None:
        pytest.fail("this test needs an etcd on PATH (Debian: etcd-server) or in KUBEWIRE_ETCD")
    return binary


@contextmanager
def running_etcd(folder: Path) -> Iterator[EtcdProcess]:
    """An etcd that keeps its data in `folder`, ended when the block is left however it is left."""
    folder.mkdir(parents=True, exist_ok=True)
    member = EtcdProcess(folder)
    try:
        member.start()
        yield member
    finally:
        member.kill()
