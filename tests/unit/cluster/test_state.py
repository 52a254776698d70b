"""The file that says what runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kubewire.cluster import state
from kubewire.cluster.errors import NotRunning
from kubewire.cluster.home import Home
from kubewire.cluster.processes import ProcessId, identify


def running_state(process: ProcessId) -> state.ClusterState:
    """A state whose control plane is `process`."""
    return state.ClusterState(
        name="dev",
        runtime="none",
        control_plane=process,
        etcd=process,
        rest="127.0.0.1:6443",
        grpc="127.0.0.1:6444",
        insecure_grpc="",
        etcd_version="3.4.23",
    )


def test_state_survives_the_file(tmp_path: Path) -> None:
    """What was written is read, and counts as running while its process lives."""
    home, own = Home("dev", tmp_path), identify(os.getpid())
    assert own is not None
    state.write(home, running_state(own))
    assert state.running(home) == running_state(own)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"name": "dev"}', b'{"control_plane": 1, "etcd": 2}'])
def test_damaged_state_is_no_state(tmp_path: Path, content: bytes) -> None:
    """A file that cannot be read is as good as none."""
    home = Home("dev", tmp_path)
    home.state.write_bytes(content)
    assert state.read(home) is None


def test_dead_process_does_not_run(tmp_path: Path) -> None:
    """A state whose process is gone names the command that starts the cluster."""
    home = Home("dev", tmp_path)
    state.write(home, running_state(ProcessId(os.getpid(), 1)))
    with pytest.raises(NotRunning, match="kubewire up --name dev"):
        state.running(home)
