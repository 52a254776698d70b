"""Parts of volumes, with containers that try to get out."""

import os
import stat
from pathlib import Path

import pytest

from kubewire.kubelet.errors import VolumeError
from kubewire.kubelet.volumes.mounting import KernelMounter
from kubewire.kubelet.volumes.sub_paths import bind_sub_path


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A volume, next to something that is none of its."""
    folder = tmp_path / "volume"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/file").write_text("not for containers")
    return folder


def bound(volume: Path, path: str, mounter: KernelMounter) -> Path:
    """Bind a part; returns the place."""
    place = volume.parent / "places" / "0"
    place.parent.mkdir(exist_ok=True)
    bind_sub_path(volume, path, place, mounter)
    return place


def test_a_folder_a_file_and_one_that_is_not_there(volume: Path, mounter: KernelMounter) -> None:
    """Each is seen as it is; a missing one is made, a folder with the volume's mode."""
    (volume / "a").mkdir()
    (volume / "a/file").write_text("x")
    for path, is_folder in (("a", True), ("a/file", False), ("new/deep", True), ("a", True)):
        place = bound(volume, path, mounter)
        try:
            assert place.is_dir() is is_folder
            assert os.path.samestat(place.stat(), (volume / path).stat())
        finally:
            mounter.unmount(place)
    assert stat.S_IMODE((volume / "new/deep").stat().st_mode) == 0o777


def test_symlinks_within_the_volume_are_followed(volume: Path, mounter: KernelMounter) -> None:
    """As those of a ConfigMap's files: the version that was current stays to be seen."""
    (volume / "v1").mkdir()
    (volume / "v1/key").write_text("1")
    (volume / "..data").symlink_to("v1")
    (volume / "key").symlink_to("..data/key")
    place = bound(volume, "key", mounter)
    try:
        (volume / "v2").mkdir()
        (volume / "v2/key").write_text("2")
        (volume / "..data").unlink()
        (volume / "..data").symlink_to("v2")
        assert place.read_text() == "1"
        assert bound(volume, "key", mounter).read_text() == "2"
    finally:
        mounter.unmount(place)


@pytest.mark.parametrize("target", ["../secret", "/etc", "../secret/file", "..", "/"])
def test_symlinks_out_of_the_volume_are_refused(volume: Path, mounter: KernelMounter, target: str) -> None:
    """Whether they are the last name or one on the way."""
    (volume / "out").symlink_to(target)
    for path in ("out", "out/more"):
        with pytest.raises(VolumeError, match="leads out of the volume"):
            bound(volume, path, mounter)


@pytest.mark.parametrize("path", ["/etc", "../secret", "a/../../secret"])
def test_paths_out_of_the_volume_are_refused(volume: Path, mounter: KernelMounter, path: str) -> None:
    """Without looking at the disk."""
    with pytest.raises(VolumeError, match="subPath"):
        bound(volume, path, mounter)


def test_a_name_that_becomes_a_symlink_while_we_look(
    volume: Path, mounter: KernelMounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that swaps a folder for a symlink between look and open gets an error, not what it points to."""
    opens = os.open
    for path in ("inner", "inner/deeper"):
        (volume / path).mkdir(parents=True, exist_ok=True)

        def swapping(name: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
            if name == "inner" and (volume / "inner").is_dir() and not (volume / "inner").is_symlink():
                (volume / "inner").rename(volume / "gone")
                (volume / "inner").symlink_to("../secret")
            return opens(name, flags, mode, dir_fd=dir_fd)

        with monkeypatch.context() as patched:
            patched.setattr(os, "open", swapping)
            with pytest.raises((VolumeError, NotADirectoryError)):
                bound(volume, path, mounter)
        (volume / "inner").unlink()
        (volume / "gone").rename(volume / "inner")
    assert not (volume.parent / "secret/deeper").exists()


def test_symlinks_in_a_circle(volume: Path, mounter: KernelMounter) -> None:
    """They end in an error, not in a loop."""
    (volume / "a").symlink_to("b")
    (volume / "b").symlink_to("a")
    with pytest.raises((VolumeError, OSError)):
        bound(volume, "a", mounter)
