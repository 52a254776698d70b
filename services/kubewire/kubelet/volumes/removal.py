"""Removes a pod's folder, and nothing else whatever lies in it.

Containers wrote there: symlinks, mounts, trees of any depth. Descriptors are opened one below the other without
following symlinks, and every folder must be on the mount of the first: what is mounted there is somebody else's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_OPEN: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_DEPTH_AT_MOST: Final = 64
"""Deeper folders are moved up to the first one and removed from there: descriptors and stack stay bounded."""


class ForeignMount(OSError):
    """Something is mounted in the folder; end that mount first. It was not touched."""


def remove_tree(folder: Path) -> None:
    """Remove a folder and all in it; it is no error if it is not there.

    Raises:
        ForeignMount: something is mounted below it.
        OSError: something cannot be removed.
    """
    with suppress(FileNotFoundError):
        with _opened(str(folder), None) as top:
            tree = _Tree(top)
            while tree.clear(top, depth=0):
                continue
        folder.rmdir()


class _Tree:
    def __init__(self, top: int) -> None:
        self._top = top
        self._mount = _mount_id(top)
        self._moved = 0

    def clear(self, folder: int, *, depth: int) -> bool:
        """Remove what is in a folder; True if something was moved into the first one meanwhile."""
        moved = False
        # A listing of its own: the folder changes while we go through it.
        with os.scandir(folder) as listing:
            entries = list(listing)
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.name, dir_fd=folder)
            elif depth == _DEPTH_AT_MOST:
                self._move_up(entry.name, folder)
                moved = True
            else:
                moved |= self._remove(entry.name, folder, depth)
        return moved

    def _remove(self, name: str, parent: int, depth: int) -> bool:
        with _opened(name, parent) as folder:
            if _mount_id(folder) != self._mount:
                raise ForeignMount(f"something is mounted at {Path(f'/proc/self/fd/{folder}').readlink()}")
            moved = self.clear(folder, depth=depth + 1)
        os.rmdir(name, dir_fd=parent)
        return moved

    def _move_up(self, name: str, parent: int) -> None:
        self._moved += 1
        os.rename(name, f"..deep-{self._moved}", src_dir_fd=parent, dst_dir_fd=self._top)


@contextmanager
def _opened(name: str, parent: int | None) -> Iterator[int]:
    descriptor = os.open(name, _OPEN, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _mount_id(descriptor: int) -> str:
    for line in Path(f"/proc/self/fdinfo/{descriptor}").read_text().splitlines():
        if line.startswith("mnt_id:"):
            return line
    raise OSError("the kernel does not tell which mount a folder is on (mnt_id in /proc/self/fdinfo)")
