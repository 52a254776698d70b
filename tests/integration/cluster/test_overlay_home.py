"""A home on an overlay, as inside of another container: containers run there all the same."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubewire.cluster.nodes.containerd import inspect_machine
from tests.containerd_process import running_containerd
from tests.integration.cluster.pods import runtime_of


@pytest.fixture
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on an overlay; temporary folders are made in it."""
    for name in ("lower", "upper", "work", "merged"):
        (tmp_path / name).mkdir()
    layers = f"lowerdir={tmp_path}/lower,upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    subprocess.run(["mount", "-t", "overlay", "-o", layers, "overlay", str(tmp_path / "merged")], check=True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "merged"))
    yield tmp_path / "merged"
    subprocess.run(["umount", str(tmp_path / "merged")], check=True)


async def test_containers_run(overlay: Path, tmp_path: Path) -> None:
    """Snapshots are copies on an overlay, where another overlay could not be made, and pods run from them."""
    assert inspect_machine(tmp_path).snapshotter == "overlayfs"
    assert inspect_machine(overlay).snapshotter == "native"
    with running_containerd() as node:
        assert node.node.folder.is_relative_to(overlay)
        async with runtime_of(node) as runtime:
            pod = await runtime.run_pod("pod")
            assert await runtime.exec(pod.container, "hostname") == "pod\n"
