"""A real kube-proxy of a test's own: a process in a network namespace, ended, killed and started again by its id."""

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
from tests.network_namespaces import NetworkNamespace, relay

START_SECONDS: Final = 60.0
_READY: Final = re.compile(r'"msg":"ready".*')


@dataclass
class KubeProxyProcess:
    """`kubewire-kube-proxy` in a namespace from which the API server can be reached under its own address."""

    folder: Path
    apiserver: ApiServerProcess
    namespace: NetworkNamespace
    flags: Sequence[str] = ()
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What it wrote, one JSON object a line."""
        return self.folder / "kube-proxy.log"

    def start(self) -> None:
        """Start, or start again; returns when it listens."""
        self.folder.mkdir(parents=True, exist_ok=True)
        already = self.log.stat().st_size if self.log.exists() else 0
        self._spawn()
        self._wait_until_ready(already)

    def clean_up(self) -> int:
        """Run it to remove its rules; its exit code."""
        self._spawn("--cleanup")
        assert self.process is not None
        code, self.process = self.process.wait(START_SECONDS), None
        return code

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

    def _spawn(self, *more: str) -> None:
        token = self.folder / "token"
        token.write_text(self.apiserver.token)
        environment = {**os.environ, "KUBEWIRE_KUBE_PROXY_LOG_FORMAT": "json"}
        # exec, so that the process is the proxy's own.
        command = [
            "nsenter", f"--net={self.namespace.path}",
            sys.executable, "-m", "kubewire.kube_proxy.main",
            f"--apiserver={self.apiserver.grpc}",
            f"--ca-file={self.apiserver.ca}",
            f"--token-file={token}",
            "--node-name=n1",
            *self.flags,
            *more,
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)

    def _wait_until_ready(self, already: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            written = self.log.read_bytes()[already:].decode(errors="replace")
            found = _READY.search(written)
            if found:
                self.ports = {name: int(number) for name, number in re.findall(r'"(\w+)":"[\d.]+:(\d+)"', found[0])}
                return
            assert self.process is not None
            code = self.process.poll()
            if code is not None or time.monotonic() > deadline:
                pytest.fail(f"kube-proxy did not become ready (exit code {code}):\n{written[-4000:]}")
            time.sleep(0.02)


@contextmanager
def running_kube_proxy(
    folder: Path, apiserver: ApiServerProcess, namespace: NetworkNamespace, *flags: str
) -> Iterator[KubeProxyProcess]:
    """A kube-proxy of an API server, ended when the block is left however it is left."""
    proxy = KubeProxyProcess(folder, apiserver, namespace, flags)
    with relay(namespace, apiserver.ports["grpc"]):
        try:
            proxy.start()
            yield proxy
        finally:
            proxy.kill()
