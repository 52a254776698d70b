"""Someone with kubectl, and a node whose pods they look into."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from kubewire.cluster import kubeconfig
from tests.apiserver_process import ApiServerProcess
from tests.containerd_process import DEMO_IMAGE, ContainerdProcess
from tests.kubelet_process import KubeletProcess

BIN: Final = Path(sys.executable).parent
SECONDS: Final = 60.0


@dataclass
class PodsUser:
    """Runs kubectl against one API server with one node."""

    folder: Path
    apiserver: ApiServerProcess
    kubelet: KubeletProcess
    node: ContainerdProcess

    @property
    def environment(self) -> dict[str, str]:
        """What kubectl finds its server by."""
        return {**os.environ, "KUBECONFIG": str(self.folder / "kubeconfig")}

    def write_kubeconfig(self) -> None:
        """Once the server runs."""
        ca = self.apiserver.ca.read_bytes()
        text = kubeconfig.render(cluster="test", server=self.apiserver.rest, ca=ca, token=self.apiserver.token)
        (self.folder / "kubeconfig").write_bytes(text)

    def command(self, *arguments: str) -> list[str]:
        """kubectl with these arguments."""
        return [str(BIN / "kubectl"), *arguments]

    def run(self, *arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """A command, run to its end."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            input=data,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )

    def ok(self, *arguments: str, data: bytes = b"") -> str:
        """The output of a command that has to succeed."""
        done = self.run(*arguments, data=data)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def fails(self, *arguments: str, data: bytes = b"") -> str:
        """What a command that has to fail says."""
        done = self.run(*arguments, data=data)
        assert done.returncode != 0, done.stdout.decode()
        return done.stderr.decode()

    def start(self, name: str, *command: str, container: str = "", spec: str = "") -> None:
        """A pod on the node whose container runs a command; `container` and `spec` add to what JSON says of them."""
        words = ", ".join(f'"{word}"' for word in command)
        container_text = f'{{"name": "app", "image": "{DEMO_IMAGE}", "command": [{words}]{container}}}'
        text = (
            f'{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "{name}"}}, "spec": {{"nodeName": '
            f'"{self.node.node.name}", "terminationGracePeriodSeconds": 0, "containers": [{container_text}]{spec}}}}}'
        )
        self.ok("create", "-f", "-", data=text.encode())

    def start_ready(self, name: str, *command: str, container: str = "", spec: str = "") -> None:
        """The same, and wait until it runs."""
        self.start(name, *command, container=container, spec=spec)
        self.ok("wait", "--for=condition=Ready", f"--timeout={SECONDS:.0f}s", f"pod/{name}")

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """A command that goes on meanwhile; killed at the end."""
        process = subprocess.Popen(
            self.command(*arguments),
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def sees(self, pod: str, words: str) -> bool:
        """Whether a process with these words runs in a pod."""
        return words in self.ok("exec", pod, "--", "ps", "-o", "args")


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Return when it holds."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {SECONDS:.0f} s: {what}")
        time.sleep(0.05)


class Terminal:
    """kubectl in a terminal of a person's."""

    def __init__(self, user: PodsUser, *arguments: str, rows: int = 24, columns: int = 80) -> None:
        self._seen = b""
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.execve(str(BIN / "kubectl"), user.command(*arguments), user.environment)
        self.resize(rows, columns)

    def resize(self, rows: int, columns: int) -> None:
        """Drag the window's corner."""
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(self._pid, signal.SIGWINCH)

    def type(self, text: str) -> None:
        """Type it."""
        os.write(self._fd, text.encode())

    def type_until(self, text: str, answer: str) -> None:
        """Type it again and again until an answer is seen, as a person does who waits for something."""

        def asked() -> bool:
            self.type(text)
            return self._appears(answer, 1.0)

        eventually(asked, f"{answer!r} in the terminal: {self._seen!r}")

    def expect(self, text: str) -> None:
        """Read on until a text has appeared."""
        assert self._appears(text, SECONDS), self._seen

    def end(self) -> int:
        """Wait for kubectl's end; its exit code."""
        with suppress(OSError):  # how Linux says that the other end was closed
            while data := os.read(self._fd, 4096):
                self._seen += data
        os.close(self._fd)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _appears(self, text: str, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while text.encode() not in self._seen:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._fd], [], [], left)[0]:
                return False
            self._seen += os.read(self._fd, 4096)
        self._seen = self._seen.partition(text.encode())[2]
        return True
