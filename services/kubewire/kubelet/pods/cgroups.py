"""Cgroups of pods: the runtime makes them for containers and leaves the pod's own behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_MOUNT: Final = Path("/sys/fs/cgroup")


def remove_cgroup(path: str, mount: Path = _MOUNT) -> None:
    """Remove a cgroup in all hierarchies. One that is not there, or still holds processes, is left."""
    for folder in _folders(path.strip("/"), mount):
        with suppress(OSError):
            folder.rmdir()


def _folders(path: str, mount: Path) -> Iterator[Path]:
    """With version 2 there is one hierarchy, with version 1 one for each controller."""
    if not path or ".." in Path(path).parts:
        return
    if (mount / "cgroup.controllers").exists():
        yield mount / path
        return
    for controller in sorted(mount.iterdir()) if mount.is_dir() else ():
        if controller.is_dir() and not controller.is_symlink():
            yield controller / path
