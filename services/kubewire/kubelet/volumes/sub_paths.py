"""Parts of volumes, seen by a container without the rest.

A container may put symlinks into a volume that it shares, and change them while we look. So the path is resolved once,
must lie within the volume then, and is opened name by name without following anything; what was opened is bound to a
place of our own, which the runtime mounts.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kubewire.kubelet.errors import VolumeError
from kubewire.kubelet.volumes.layout import FOLDER_MODE
from kubewire.kubelet.volumes.mounting import Mounter

_LOOK: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def check_sub_path(path: str) -> None:
    """Refuse what leads out of a volume by itself.

    Raises:
        VolumeError: naming the path.
    """
    if path.startswith("/"):
        raise VolumeError(f"subPath {path!r}: want a path within the volume, without '/' before it")
    if ".." in path.split("/"):
        raise VolumeError(f"subPath {path!r}: must not contain '..'")


def bind_sub_path(volume: Path, path: str, place: Path, mounter: Mounter) -> None:
    """Have `path` of a volume seen at `place`, and make it a folder if it is not there.

    Raises:
        VolumeError: it leads out of the volume.
        OSError: it cannot be opened, or bound.
    """
    check_sub_path(path)
    with _opened_below(volume, path) as source:
        # What an earlier container of this name saw may be gone from the volume meanwhile.
        mounter.unmount(place)
        _make_place(place, is_folder=stat.S_ISDIR(os.fstat(source).st_mode))
        mounter.bind(source, place)


@contextmanager
def _opened_below(volume: Path, path: str) -> Iterator[int]:
    """A descriptor of what lies at `path`."""
    names = _resolved(volume, path)
    folder = os.open(volume.resolve(), _LOOK | os.O_DIRECTORY)
    try:
        mode = stat.S_IMODE(os.fstat(folder).st_mode)
        for name in names:
            inner = _open_or_make(name, folder, mode)
            os.close(folder)
            folder = inner
        if stat.S_ISLNK(os.fstat(folder).st_mode):
            raise VolumeError(f"subPath {path!r}: it changed while it was looked at")
        yield folder
    finally:
        os.close(folder)


def _resolved(volume: Path, path: str) -> tuple[str, ...]:
    """The names on the way, with symlinks resolved."""
    root = volume.resolve()
    try:
        place = (root / path).resolve()
    except RuntimeError:
        raise VolumeError(f"subPath {path!r}: symlinks lead round in a circle") from None
    if not place.is_relative_to(root):
        raise VolumeError(f"subPath {path!r}: it leads out of the volume")
    return place.relative_to(root).parts


def _open_or_make(name: str, folder: int, mode: int) -> int:
    """Open a name of a folder; if nothing has it, a folder of the volume's own mode is made."""
    try:
        return os.open(name, _LOOK, dir_fd=folder)
    except FileNotFoundError:
        os.mkdir(name, dir_fd=folder)
        made = os.open(name, _LOOK | os.O_DIRECTORY, dir_fd=folder)
        # A descriptor that only marks a place is no good for fchmod itself.
        Path(f"/proc/self/fd/{made}").chmod(mode)
        return made


def _make_place(place: Path, *, is_folder: bool) -> None:
    """An empty folder or file to bind on; the folder above it is there."""
    if place.is_dir() != is_folder and place.exists():
        place.rmdir() if place.is_dir() else place.unlink()
    if is_folder:
        place.mkdir(FOLDER_MODE, exist_ok=True)
    else:
        place.touch(0o640)
