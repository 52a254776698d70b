"""What a node's containers leave in the kernel beside processes: mounts and cgroups. Finding them, removing them."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import NamedTuple

from kubewire.cluster.nodes import programs

_SECONDS = 5.0
_POLL_SECONDS = 0.005


class Mount(NamedTuple):
    """One line of the kernel's table of mounts."""

    path: str
    kind: str


def parse_mounts(table: str) -> list[Mount]:
    """The mounts of a `mountinfo` table, in the order in which they were made."""
    mounts = []
    for line in table.splitlines():
        left, _, right = line.partition(" - ")
        mounts.append(Mount(_unescape(left.split()[4]), right.split()[0]))
    return mounts


def mounts() -> list[Mount]:
    """All mounts that this process sees."""
    return parse_mounts(Path("/proc/self/mountinfo").read_text())


def mounts_below(folder: Path) -> list[str]:
    """Where something is mounted on or below a folder, the last one made first."""
    top = str(folder)
    return [mount.path for mount in reversed(mounts()) if mount.path == top or mount.path.startswith(f"{top}/")]


def unmount_below(folder: Path) -> int:
    """Detach every mount on or below a folder; how many there were."""
    found = mounts_below(folder)
    for start in range(0, len(found), 200):  # well below what one command may hold
        programs.attempt(["umount", "--lazy", *found[start : start + 200]])
    return len(found)


def cgroup_roots() -> list[Path]:
    """Where cgroups are mounted: one place in the second version, one for each controller in the first."""
    return [Path(mount.path) for mount in mounts() if mount.kind in {"cgroup", "cgroup2"}]


def cgroups_below(path: str) -> list[Path]:
    """A cgroup (from the hierarchy's root) and all below it, in every hierarchy, children first."""
    return [Path(folder) for root in cgroup_roots() for folder, _, _ in os.walk(root / path.lstrip("/"), topdown=False)]


def remove_cgroups(path: str) -> int:
    """Remove a cgroup and all below it; how many there were.

    The processes must have ended. The kernel needs a moment to take the last of them out, so it is asked again; what
    is still busy then stays, and shows among the leftovers.
    """
    found = cgroups_below(path)
    deadline = time.monotonic() + _SECONDS
    left = found
    while left := [cgroup for cgroup in left if not _is_removed(cgroup)]:
        if time.monotonic() > deadline:
            break
        time.sleep(_POLL_SECONDS)
    return len(found)


def remove_empty_cgroup(path: str) -> None:
    """Remove a cgroup if nothing is in it or below it: others may share it."""
    for root in cgroup_roots():
        _is_removed(root / path.lstrip("/"))


def _is_removed(cgroup: Path) -> bool:
    try:
        cgroup.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _unescape(text: str) -> str:
    """A path as the kernel writes it: blanks and the like as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
