"""Folders of a node of a test's own, on which nothing is left mounted after it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubewire.kubelet.volumes.disk import Disk
from kubewire.kubelet.volumes.layout import Layout
from kubewire.kubelet.volumes.mounting import KernelMounter


@pytest.fixture
def mounter() -> KernelMounter:
    """The kernel's mounts; needs root."""
    if os.geteuid() != 0:
        pytest.fail("this test mounts file systems: run it as root")
    return KernelMounter()


@pytest.fixture
def layout(tmp_path: Path, mounter: KernelMounter) -> Iterator[Layout]:
    """An empty root; the test fails that leaves something mounted in it."""
    root = tmp_path / "kubelet"
    root.mkdir()
    yield Layout(root)
    left = list(reversed(mounter.below(root)))
    for place in left:
        mounter.unmount(place)
    assert not left, f"left mounted: {left}"


@pytest.fixture
def disk(layout: Layout, mounter: KernelMounter) -> Disk:
    """The disk of the node."""
    return Disk(layout, mounter)
