"""A real kubelet of a test's own: a process in a node's network, ended, killed and started again by its process id."""

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
from tests.containerd_process import ContainerdProcess

START_SECONDS: Final = 60.0
_READY: Final = re.compile(r'"msg":"ready".*')


@dataclass
class KubeletProcess:
    """`kubewire-kubelet` of a node; the API server has to listen on the host's address as the node sees it."""

    folder: Path
    apiserver: ApiServerProcess
    node: ContainerdProcess
    flags: Sequence[str] = ()
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What it wrote, one JSON object a line."""
        return self.folder / "kubelet.log"

    @property
    def root(self) -> Path:
        """Its folder of pods."""
        return self.folder / "root"

    @property
    def grpc(self) -> str:
        """`host:port` of its own services."""
        return f"{self.node.address}:{self.ports['grpc']}"

    @property
    def metrics(self) -> str:
        """`http://host:port`."""
        return f"http://{self.node.address}:{self.ports['metrics']}"

    def start(self) -> None:
        """Start, or start again; returns when it is ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        token = self.folder / "token"
        token.write_text(self.apiserver.token)
        already = self.log.stat().st_size if self.log.exists() else 0
        environment = {**os.environ, "KUBEWIRE_KUBELET_LOG_FORMAT": "json"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command(token), stdout=log, stderr=log, env=environment, start_new_session=True
            )
        self._wait_until_ready(already)

    def kill(self) -> None:
        """End it at once, as a crash does; containers run on."""
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
        port = self.apiserver.grpc.rpartition(":")[2]
        return self.node.inside(
            sys.executable, "-m", "kubewire.kubelet.main",
            f"--apiserver={self.node.host_address}:{port}",
            f"--ca-file={self.apiserver.ca}",
            f"--token-file={token}",
            f"--node-name={self.node.node.name}",
            f"--node-ip={self.node.address}",
            f"--bind-address={self.node.address}",
            f"--root-dir={self.root}",
            f"--container-runtime-endpoint={self.node.socket}",
            f"--cgroup-root={self.node.cgroup_parent}",
            "--grpc-port=0",
            "--metrics-port=0",
            *self.flags,
        )  # fmt: skip

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
                pytest.fail(f"the kubelet did not become ready (exit code {code}):\n{written[-4000:]}")
            time.sleep(0.02)


@contextmanager
def running_kubelet(
    folder: Path, apiserver: ApiServerProcess, node: ContainerdProcess, *flags: str
) -> Iterator[KubeletProcess]:
    """A kubelet of a node, ended when the block is left however it is left; its containers are the node's to remove."""
    kubelet = KubeletProcess(folder, apiserver, node, flags)
    try:
        kubelet.start()
        yield kubelet
    finally:
        kubelet.kill()
        _unmount(kubelet.root)


def _unmount(root: Path) -> None:
    """Let go of what pods had mounted; processes that still see it keep their own view."""
    places = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((place for place in places if place.startswith(f"{root}/")), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=False)
