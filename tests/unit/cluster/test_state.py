"""The file that says what runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kubewire.cluster import state
from kubewire.cluster.errors import NotRunning
from kubewire.cluster.home import Home
from kubewire.cluster.processes import ProcessId, identify
from kubewire.cluster.wanted import Settings

GONE = ProcessId(os.getpid(), 1)
SETTINGS = Settings(
    name="dev",
    runtime="none",
    processes="together",
    nodes=("node-1",),
    rest="127.0.0.1:6443",
    grpc="127.0.0.1:6444",
    insecure_grpc="",
    etcd_version="3.4.23",
    services={"scheduler": "127.0.0.1:10359"},
)


def own() -> ProcessId:
    """This process."""
    found = identify(os.getpid())
    assert found is not None
    return found


def test_state_survives_the_file(tmp_path: Path) -> None:
    """What was written is read, and counts as running while a process of it lives."""
    home = Home("dev", tmp_path)
    components = {
        "etcd": state.ComponentState(own(), restarts=2, exit_code=-9),
        "scheduler": state.ComponentState(is_stopped=True),
    }
    written = state.ClusterState(SETTINGS, own(), components)
    state.write(home, written)
    assert state.running(home) == written
    assert written.is_whole


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"name": "dev"}', b'{"supervisor": 1, "components": 2}'])
def test_damaged_state_is_no_state(tmp_path: Path, content: bytes) -> None:
    """A file that cannot be read is as good as none."""
    home = Home("dev", tmp_path)
    home.state.write_bytes(content)
    assert state.read(home) is None


def test_dead_processes_do_not_run(tmp_path: Path) -> None:
    """A state whose processes are gone names the command that starts the cluster."""
    home = Home("dev", tmp_path)
    state.write(home, state.ClusterState(SETTINGS, GONE, {"etcd": state.ComponentState(GONE)}))
    with pytest.raises(NotRunning, match="kubewire up --name dev"):
        state.running(home)


def test_half_of_a_cluster_runs_and_is_not_whole() -> None:
    """A cluster whose supervisor or whose component is gone runs, and wants repair; what was stopped is as wanted."""
    alive, dead, stopped = (
        state.ComponentState(own()),
        state.ComponentState(GONE),
        state.ComponentState(is_stopped=True),
    )
    cases = [
        (state.ClusterState(SETTINGS, GONE, {"etcd": alive}), False),
        (state.ClusterState(SETTINGS, own(), {"etcd": dead}), False),
        (state.ClusterState(SETTINGS, own(), {"etcd": stopped}), True),
    ]
    assert [(found.is_running, found.is_whole) for found, _ in cases] == [(True, whole) for _, whole in cases]
