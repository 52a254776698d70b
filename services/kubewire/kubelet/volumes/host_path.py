"""Paths of the node itself, checked as their `type` says."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from kubewire.api.core.v1.volume_source_pb2 import HostPathVolumeSource
from kubewire.kubelet.errors import VolumeError

_SORTS: Final[Mapping[str, tuple[Callable[[int], bool], str]]] = {
    "Directory": (stat.S_ISDIR, "a directory"),
    "File": (stat.S_ISREG, "a file"),
    "Socket": (stat.S_ISSOCK, "a socket"),
    "CharDevice": (stat.S_ISCHR, "a character device"),
    "BlockDevice": (stat.S_ISBLK, "a block device"),
}
_FOLDER_MODE: Final = 0o755
_FILE_MODE: Final = 0o644


def check_host_path(source: HostPathVolumeSource) -> None:
    """See to it that there is what the type says; without a type, whatever there is will do.

    Raises:
        VolumeError: it is something else, or cannot be made.
    """
    path = Path(source.path)
    if not source.type:
        return
    try:
        if source.type == "DirectoryOrCreate":
            path.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
        elif source.type == "FileOrCreate":
            _make_file(path)
        wanted = source.type.removesuffix("OrCreate")
        if wanted not in _SORTS:
            raise VolumeError(f"hostPath type {source.type!r} is not known; want one of {', '.join(sorted(_SORTS))}")
        is_one, words = _SORTS[wanted]
        if not is_one(path.stat().st_mode):
            raise VolumeError(f"hostPath type check failed: {path} is not {words}")
    except FileExistsError:
        raise VolumeError(f"hostPath type check failed: {path} is not a directory") from None
    except OSError as error:
        raise VolumeError(f"hostPath type check failed: {path}: {error.strerror}") from None


def _make_file(path: Path) -> None:
    """Its folder must be there already, as upstream has it."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE))
