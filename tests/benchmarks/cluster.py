"""The cluster under measurement: started by the command users type, in a folder of its own."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.http_load import Target


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster: how to reach it, its processes, and how long `kubewire up` took."""

    home: Path
    target: Target
    grpc: str
    insecure_grpc: str
    token: str
    control_plane: int
    etcd: int
    start_seconds: float

    @property
    def ca(self) -> bytes:
        return (self.home / "pki" / "ca.crt").read_bytes()


def kubewire(home: Path, *arguments: str) -> str:
    """Run the command of this virtual environment; its answer."""
    command = [str(Path(sys.executable).parent / "kubewire"), *arguments]
    environment = {**os.environ, "KUBEWIRE_HOME": str(home)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True, timeout=120).stdout


@contextmanager
def running_cluster(*arguments: str) -> Iterator[Cluster]:
    """A new cluster without nodes of its own; ended and removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="kw-bench-") as folder:
        home = Path(folder) / "home"
        try:
            begun = time.perf_counter()
            ports = ("--secure-port=0", "--grpc-port=0", "--insecure-grpc")
            up = json.loads(kubewire(home, "up", "--runtime=none", *ports, *arguments, "--output=json"))
            cluster = _describe(home, up, time.perf_counter() - begun)
            _await_account(cluster.target)
            yield cluster
        finally:
            kubewire(home, "down")


def _describe(home: Path, up: dict[str, str], seconds: float) -> Cluster:
    host, _, port = up["rest"].removeprefix("https://").rpartition(":")
    token = (home / "token").read_text().strip()
    state = json.loads((home / "cluster.json").read_text())
    components = state["components"]
    server = components.get("control-plane") or components["apiserver"]
    trust = ssl.create_default_context(cafile=str(home / "pki" / "ca.crt"))
    return Cluster(
        home=home,
        target=Target(host, int(port), trust, token),
        grpc=up["grpc"],
        insecure_grpc=up["insecureGrpc"],
        token=token,
        control_plane=server["pid"],
        etcd=components["etcd"]["pid"],
        start_seconds=seconds,
    )


def _await_account(target: Target) -> None:
    """Return when the controllers have made the account that pods run as; without it they are refused."""
    url = f"https://{target.host}:{target.port}/api/v1/namespaces/default/serviceaccounts/default"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {target.token}"})
    for _ in range(300):
        with suppress(urllib.error.HTTPError), urllib.request.urlopen(request, context=target.trust, timeout=10):
            return
        time.sleep(0.1)
    raise RuntimeError("there is no default service account after 30 s")
