"""Mounts of the real kernel."""

import os
from pathlib import Path

import pytest

from kubewire.kubelet.volumes.mounting import KernelMounter


def test_places_with_any_names(tmp_path: Path, mounter: KernelMounter) -> None:
    """The kernel's table escapes what would break its lines; true paths are told, in the order of the mounts."""
    places = [tmp_path / name for name in ("a b", "tab\there", "line\nend", "back\\slash", "hash#", "ümlaut")]
    for place in places:
        place.mkdir()
        mounter.mount_tmpfs(place, "mode=0700")
    try:
        assert mounter.below(tmp_path) == places
    finally:
        for place in places:
            mounter.unmount(place)
    assert mounter.below(tmp_path) == []


def test_neighbours_are_not_below(tmp_path: Path, mounter: KernelMounter) -> None:
    """A folder whose name begins alike is another one."""
    (tmp_path / "a").mkdir()
    (tmp_path / "ab").mkdir()
    mounter.mount_tmpfs(tmp_path / "ab", "mode=0700")
    try:
        assert mounter.below(tmp_path / "a") == []
        assert mounter.below(tmp_path / "ab") == [tmp_path / "ab"]
    finally:
        mounter.unmount(tmp_path / "ab")


def test_what_is_mounted_stays_as_it_is(tmp_path: Path, mounter: KernelMounter) -> None:
    """Mounting memory again keeps what is in it; ending a mount twice is harmless."""
    mounter.mount_tmpfs(tmp_path, "mode=0700")
    (tmp_path / "file").touch()
    mounter.mount_tmpfs(tmp_path, "mode=0700")
    assert (tmp_path / "file").exists()
    mounter.unmount(tmp_path)
    mounter.unmount(tmp_path)
    assert not (tmp_path / "file").exists()


def test_mounts_on_each_other_are_all_ended(tmp_path: Path, mounter: KernelMounter) -> None:
    """Nothing shows through."""
    (tmp_path / "source").mkdir()
    (tmp_path / "place").mkdir()
    for _ in range(3):
        source = os.open(tmp_path / "source", os.O_PATH)
        mounter.bind(source, tmp_path / "place")
        os.close(source)
    assert len(mounter.below(tmp_path)) == 3
    mounter.unmount(tmp_path / "place")
    assert mounter.below(tmp_path) == []


def test_what_the_kernel_refuses_is_told(tmp_path: Path, mounter: KernelMounter) -> None:
    """With the place, as any other failure of a file."""
    with pytest.raises(FileNotFoundError) as raised:
        mounter.mount_tmpfs(tmp_path / "none", "mode=0700")
    assert raised.value.filename == str(tmp_path / "none")
    with pytest.raises(OSError, match="Invalid argument"):
        mounter.mount_tmpfs(tmp_path, "size=nonsense")
