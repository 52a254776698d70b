"""Files of a volume that change all at once.

    volume/..2026_11_23_09_30_00.123456789/certs/ca.crt     what there is now, a folder for each version
    volume/..data -> ..2026_11_23_09_30_00.123456789        exchanged by one rename
    volume/certs  -> ..data/certs                           what programs open

A program that reads several files through `..data` sees one version of all of them. A crash at any moment leaves the
version before or the one after, and leftovers that the next write removes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from kubewire.kubelet.volumes.owners import give_folder_to_group, give_to_group
from kubewire.kubelet.volumes.payload import Payload
from kubewire.kubelet.volumes.removal import remove_tree

DATA: Final = "..data"
_NEXT: Final = "..data_tmp"
_FOLDER_MODE: Final = 0o755
_OWN: Final = ".."


def write_files(
    folder: Path, payload: Payload, group: int | None = None, *, wall_ns: Callable[[], int] = time.time_ns
) -> bool:
    """Make a volume hold just these files; False if it held them already.

    Raises:
        OSError: the disk is full, for one; the volume holds what it held.
    """
    before = _present(folder)
    if before is not None and _holds(folder / before, payload, group):
        _link(folder, payload)
        return False
    version = _name(wall_ns())
    _write_version(folder / version, payload, group)
    _exchange(folder, version)
    _link(folder, payload)
    _sweep(folder, version)
    return True


def _present(folder: Path) -> str | None:
    """The name of the version that is seen now."""
    try:
        return (folder / DATA).readlink().name
    except FileNotFoundError:
        return None


def _holds(version: Path, payload: Payload, group: int | None) -> bool:
    """Whether a version on disk is this one: the same files, each with the same bytes, mode and owner."""
    if _paths(version) != set(payload):
        return False
    for path, file in payload.items():
        with open(version / path, "rb") as handle:  # noqa: PTH123 - its status is asked for too
            status = os.fstat(handle.fileno())
            wanted = file.mode | (0 if group is None else 0o440)
            is_same = status.st_mode & 0o7777 == wanted and status.st_uid == (file.uid or 0)
            if not is_same or (group is not None and status.st_gid != group) or handle.read() != file.data:
                return False
    return True


def _paths(version: Path) -> set[str]:
    return {str(path.relative_to(version)) for path in version.rglob("*") if not path.is_dir()}


def _name(at_ns: int) -> str:
    seconds, nanos = divmod(at_ns, 10**9)
    return time.strftime(f"{_OWN}%Y_%m_%d_%H_%M_%S.{nanos:09d}", time.gmtime(seconds))


def _write_version(version: Path, payload: Payload, group: int | None) -> None:
    _make_folder(version, group)
    for path, file in payload.items():
        place = version / path
        for above in reversed(place.relative_to(version).parents[:-1]):
            if not (version / above).exists():
                _make_folder(version / above, group)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(file.data)
            if file.uid is not None:
                os.fchown(descriptor, file.uid, -1)
            os.fchmod(descriptor, file.mode)
            if group is not None:
                give_to_group(descriptor, group, is_writable=False)


def _make_folder(folder: Path, group: int | None) -> None:
    folder.mkdir()
    folder.chmod(_FOLDER_MODE)
    if group is not None:
        give_folder_to_group(folder, group, is_writable=False)


def _exchange(folder: Path, version: str) -> None:
    following = folder / _NEXT
    following.unlink(missing_ok=True)
    following.symlink_to(version)
    following.rename(folder / DATA)


def _link(folder: Path, payload: Iterable[str]) -> None:
    """Symlinks for the first names of all paths, and none for others.

    A subPath that was mounted before its file was there has made a folder in the file's place, as upstream has it.
    """
    wanted = {path.partition("/")[0] for path in payload}
    for entry in folder.iterdir():
        if entry.name.startswith(_OWN):
            continue
        if not entry.is_symlink():
            remove_tree(entry)
        elif entry.name not in wanted:
            entry.unlink()
    for name in wanted:
        with suppress(FileExistsError):
            (folder / name).symlink_to(f"{DATA}/{name}")


def _sweep(folder: Path, version: str) -> None:
    """Remove other versions: the one before, and what a crash has left."""
    for entry in folder.iterdir():
        if entry.name.startswith(_OWN) and entry.name not in {version, DATA, _NEXT}:
            remove_tree(entry)
