"""The kernel's mounts: making, ending and listing them.

Through the C library, since a process for each mount would cost more than the mount. Nothing here follows symlinks at
the place of a mount.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, Protocol

_BIND: Final = 0x1000
_UNMOUNT_DETACH: Final = 2
_UNMOUNT_NO_FOLLOW: Final = 8
_ESCAPE: Final = re.compile(r"\\([0-7]{3})")
_TABLE: Final = "/proc/self/mountinfo"


class Mounter(Protocol):
    """What volumes need of the kernel."""

    def mount_tmpfs(self, place: Path, options: str) -> None:
        """Mount memory at a folder, with the options of tmpfs(5); nothing if something is mounted there.

        Raises:
            OSError: the kernel refused.
        """
        ...

    def bind(self, source: int, place: Path) -> None:
        """Have what the descriptor `source` is of seen at `place`, a folder or file of the same sort."""
        ...

    def unmount(self, place: Path) -> None:
        """End the mount at a place; it is harmless if there is none."""
        ...

    def below(self, folder: Path) -> Sequence[Path]:
        """Places at or below a folder where something is mounted, in the order in which it was."""
        ...


class KernelMounter:
    """The mounts of this process's namespace."""

    def mount_tmpfs(self, place: Path, options: str) -> None:
        """Mount memory that is never swapped out where the kernel (6.4) can promise that."""
        if os.path.ismount(place):
            return
        try:
            _mount("tmpfs", place, "tmpfs", 0, f"{options},noswap")
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            _mount("tmpfs", place, "tmpfs", 0, options)

    def bind(self, source: int, place: Path) -> None:
        """Bind; the descriptor cannot be exchanged for something else meanwhile, as a path could."""
        _mount(f"/proc/self/fd/{source}", place, "", _BIND, "")

    def unmount(self, place: Path) -> None:
        """End the mount; what still uses it keeps it until it is done."""
        while _unmount(place, _UNMOUNT_NO_FOLLOW):
            # Mounts can lie on each other: the next one is ended too.
            continue

    def below(self, folder: Path) -> Sequence[Path]:
        """From the kernel's table."""
        prefix = f"{folder}/"
        with open(_TABLE, "rb") as table:  # noqa: PTH123 - read whole, thousands of times
            places = [_unescaped(os.fsdecode(line.split(b" ", 5)[4])) for line in table]
        return [Path(place) for place in places if place == str(folder) or place.startswith(prefix)]


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _mount(source: str, place: Path, kind: str, flags: int, options: str) -> None:
    done = _libc().mount(
        source.encode(), os.fsencode(place), kind.encode(), ctypes.c_ulong(flags), ctypes.c_char_p(options.encode())
    )
    if done != 0:
        raise _error(place)


def _unmount(place: Path, flags: int) -> bool:
    """End one mount; False if there was none."""
    if _libc().umount2(os.fsencode(place), flags) == 0:
        return True
    number = ctypes.get_errno()
    if number in {errno.EINVAL, errno.ENOENT}:
        return False
    if number == errno.EBUSY and not flags & _UNMOUNT_DETACH:
        return _unmount(place, flags | _UNMOUNT_DETACH)
    raise OSError(number, os.strerror(number), str(place))


def _error(place: Path) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), str(place))


def _unescaped(place: str) -> str:
    r"""Spaces and the like are written as `\040`."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), place) if "\\" in place else place
