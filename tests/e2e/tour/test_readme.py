"""The README's tour, run as it stands: what it shows must work."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECONDS = 300


def tour() -> list[str]:
    """The tour's code blocks in order."""
    text = (PROJECT / "README.md").read_text()
    section = text[text.index("## Tour") : text.index("## Where things are")]
    return [found[1] for found in _BLOCK.finditer(section)]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A cluster's folder of its own, and this project's commands first."""
    return {
        **os.environ,
        "KUBEWIRE_HOME": str(tmp_path / "home"),
        "PATH": f"{PROJECT / '.venv' / 'bin'}:{os.environ['PATH']}",
    }


def run(script: str, environment: dict[str, str]) -> str:
    """What a script says on both outputs; it must succeed to its last line."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_tour_works_from_top_to_bottom(environment: dict[str, str]) -> None:
    """Every line of the tour succeeds, in one shell, and shows what the text says it shows."""
    blocks = tour()
    assert len(blocks) >= 8
    try:
        run(
            "python -m tools.demo -- --secure-port 0 --grpc-port 0", environment
        )  # what `make demo` runs, on free ports
        said = run("\n".join(blocks), environment)
    finally:
        subprocess.run(["kubewire", "down", "--purge"], env=environment, check=False, timeout=_SECONDS)
    expected = (
        "Hello from web-",
        "configmap/settings created",
        "configmap/settings replaced",
        "replicaset.apps/web created",
        "replicaset.apps/web scaled",
        "bound to node-1",
        "readyz check passed",
        'replicaset.apps "web" deleted',
        'unknown field "dato"',
        "kubewire.rpc.core.v1.PodService",
        '"strVal": "http"',
        "service ConfigMapService {",
        '"colour": "blue"',
        "ADDED from-python-",
        '"type": "ADDED"',
        '"manager": "kubectl-create"',
        "kubewire.scheduler.v1.SchedulerService",
        '"mode": "nftables"',
        "controller-manager stopped",
        "node-1/kubelet started",
        "apiserver_request_total{",
        "ready       True",
        "condition met",
    )
    assert [text for text in expected if text not in said] == [], said
