"""A local cluster of a test's own, driven by the commands that people type."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kubewire.cluster.home import Home
from kubewire.cluster.nodes.leftovers import leftovers
from kubewire.cluster.processes import strays

BIN = Path(sys.executable).parent
SECONDS = 90.0
NAMED = frozenset({"up", "down", "status", "stop", "start", "enter", "trace", "token"})
"""Commands that want to know which cluster is meant."""


class Cluster:
    """One cluster's commands; its home is its own, its name too, since names are the machine's."""

    def __init__(self, home: Path, name: str = "default", runtime: str = "none") -> None:
        self.home = home
        self.name = name
        self.runtime = runtime
        self.environment = {**os.environ, "KUBEWIRE_HOME": str(home), "KUBECONFIG": str(home / "kubeconfig")}

    def run(self, *arguments: str, program: str = "kubewire", **environment: str) -> subprocess.CompletedProcess[str]:
        """One command, both outputs as text."""
        command = [str(BIN / program), *arguments]
        if program == "kubewire" and arguments[0] in (
            "up",
            "down",
            "status",
            "stop",
            "start",
            "enter",
            "trace",
            "token",
        ):
            command[2:2] = [f"--name={self.name}"]
        return subprocess.run(
            command,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def up(self, *arguments: str) -> dict[str, str]:
        """Start it; what `up` answers."""
        shape = (f"--runtime={self.runtime}", "--secure-port=0", "--grpc-port=0", "-o", "json")
        done = self.run("up", *shape, *arguments)
        assert done.returncode == 0, done.stderr
        answer: dict[str, str] = json.loads(done.stdout)
        return answer

    def state(self) -> dict[str, Any]:
        """The state file."""
        found: dict[str, Any] = json.loads((self.home / "cluster.json").read_text())
        return found

    def pid(self, process: str) -> int:
        """The id of a component's process, or of the `supervisor`, as the state file has it; 0 if it does not run."""
        state = self.state()
        found = {**state["components"], "supervisor": state["supervisor"]}
        return int(found[process]["pid"] or 0)

    def pids(self) -> dict[str, int]:
        """All of them."""
        return {name: self.pid(name) for name in ("supervisor", *self.state()["components"])}

    def kubectl(self, *arguments: str) -> str:
        """What kubectl answers; it must succeed."""
        done = self.run(*arguments, program="kubectl")
        assert done.returncode == 0, done.stderr
        return done.stdout


def is_alive(pid: int) -> bool:
    """Whether a process runs and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def eventually(holds: Callable[[], bool], what: str, *, seconds: float = SECONDS) -> None:
    """Wait until something holds; fail when it never does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.1)


def without(pids: dict[str, int], name: str) -> dict[str, int]:
    """All but one."""
    return {other: pid for other, pid in pids.items() if other != name}


def remains(cluster: Cluster) -> list[str]:
    """Everything of a cluster that is still on the machine."""
    processes = [f"process {one.pid}" for one in strays(cluster.home)]
    return [*leftovers(Home(cluster.name, cluster.home)), *processes]
