"""Someone with kubectl and a cluster without containers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

BIN = Path(sys.executable).parent
_SECONDS = 60.0


class Failed(Exception):
    """kubectl ended with an error; the text is what it said."""


class KubectlUser:
    """Runs commands against one cluster, in one namespace."""

    def __init__(self, home: Path, namespace: str = "default") -> None:
        self.home = home
        self.namespace = namespace
        self.environment = {**os.environ, "KUBEWIRE_HOME": str(home), "KUBECONFIG": str(home / "kubeconfig")}

    def kubewire(self, *arguments: str) -> str:
        """What kubewire answers; it must succeed."""
        done = subprocess.run(
            [str(BIN / "kubewire"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, *arguments: str, text: str | None = None) -> str:
        """What kubectl says on both outputs.

        Raises:
            Failed: it ended with an error.
        """
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment,
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode:
            raise Failed(done.stdout)
        return done.stdout

    def command(self, *arguments: str) -> list[str]:
        """The command line."""
        cache = ["--cache-dir", str(self.home.parent / "kubectl-cache")]
        return [str(BIN / "kubectl"), *cache, "--namespace", self.namespace, *arguments]

    def read(self, *arguments: str) -> dict[str, Any]:
        """An object or a list, as JSON."""
        return cast("dict[str, Any]", json.loads(self.run("get", *arguments, "-o", "json")))


@contextmanager
def cluster(home: Path) -> Iterator[KubectlUser]:
    """A cluster of etcd and the API server, on free ports, ended and removed afterwards."""
    user = KubectlUser(home)
    try:
        user.kubewire("up", "--runtime", "none", "--secure-port", "0", "--grpc-port", "0")
        yield user
    finally:
        user.kubewire("down", "--purge")
