"""Removing folders that containers wrote to."""

import os
from pathlib import Path

import pytest

from kubewire.kubelet.volumes.mounting import KernelMounter
from kubewire.kubelet.volumes.removal import ForeignMount, remove_tree


def test_everything_in_it_goes_and_nothing_else(tmp_path: Path) -> None:
    """Files, folders without rights, sockets' and symlinks' names go; what symlinks lead to stays."""
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("mine")
    doomed = tmp_path / "doomed"
    (doomed / "a/b/c").mkdir(parents=True)
    (doomed / "a/b/file").write_text("x")
    (doomed / "a/to-folder").symlink_to(kept)
    (doomed / "a/to-file").symlink_to(kept / "file")
    (doomed / "a/to-root").symlink_to("/")
    os.mkfifo(doomed / "a/pipe")
    (doomed / "closed").mkdir(mode=0)
    remove_tree(doomed)
    assert not doomed.exists()
    assert (kept / "file").read_text() == "mine"


def test_what_is_not_there_is_removed() -> None:
    """Doing it twice is harmless."""
    remove_tree(Path("/nonexistent/folder"))


def test_a_symlink_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """The folder itself must be one."""
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    (tmp_path / "link").symlink_to(kept)
    with pytest.raises(NotADirectoryError):
        remove_tree(tmp_path / "link")
    assert (kept / "file").exists()


def test_trees_of_any_depth(tmp_path: Path) -> None:
    """A tree deeper than we have descriptors open at once is removed all the same."""
    doomed = tmp_path / "doomed"
    doomed.mkdir()
    here = os.open(doomed, os.O_RDONLY)
    for _ in range(400):
        os.mkdir("d", dir_fd=here)
        os.close(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    remove_tree(doomed)
    assert not doomed.exists()


def test_what_is_mounted_in_it_is_not_touched(tmp_path: Path, mounter: KernelMounter) -> None:
    """A bind mount of the same file system looks like any folder, and holds somebody else's files."""
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("mine")
    place = tmp_path / "doomed/inner"
    place.mkdir(parents=True)
    source = os.open(kept, os.O_PATH)
    mounter.bind(source, place)
    os.close(source)
    try:
        with pytest.raises(ForeignMount, match="something is mounted at"):
            remove_tree(tmp_path / "doomed")
        assert (kept / "file").read_text() == "mine"
    finally:
        mounter.unmount(place)
    remove_tree(tmp_path / "doomed")
    assert (kept / "file").read_text() == "mine"
