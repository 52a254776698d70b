"""Which processes live on a node, found without any record of them, so that a node can be switched off after a crash.

A node's processes are those in its network namespace or its cgroups, shims in its folders, and everything that
descends from them: containerd and its shims are in the namespace, and the processes of pods, in namespaces of their
own, descend from shims.
"""

from __future__ import annotations

import os
import signal
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kubewire.cluster.errors import StartFailed

_SECONDS = 10.0
_POLL_SECONDS = 0.003
SHIM = "containerd-shim"
"""The name of a container's shim, as the kernel cuts it."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One process as /proc shows it. What cannot be read any more is empty."""

    pid: int
    parent: int
    is_dead: bool
    namespace: str
    folder: str
    cgroups: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Premises:
    """What makes a process a node's: any of these. `namespace` is the kernel's name of it (`net:[4026532000]`)."""

    namespace: str
    folder: str
    cgroup: str

    def house(self, tenant: Tenant) -> bool:
        """Whether a process is here by itself, apart from what its ancestors are."""
        return (
            (bool(self.namespace) and tenant.namespace == self.namespace)
            or (tenant.name == SHIM and _is_below(tenant.folder, self.folder))  # others may be somebody's shell
            or any(_is_below(path, self.cgroup) for path in tenant.cgroups)
        )


def select(everyone: Iterable[Tenant], premises: Sequence[Premises], spared: int) -> list[Tenant]:
    """Those who live there, with their descendants; without the process `spared`, its ancestors, and the dead."""
    processes = {tenant.pid: tenant for tenant in everyone}
    children = defaultdict(list)
    for tenant in processes.values():
        children[tenant.parent].append(tenant.pid)
    kept = _ancestors(processes, spared)
    found: set[int] = set()
    pending = [
        pid for pid, tenant in processes.items() if pid not in kept and any(one.house(tenant) for one in premises)
    ]
    while pending:
        pid = pending.pop()
        if pid not in found and pid not in kept:
            found.add(pid)
            pending += children[pid]
    return [processes[pid] for pid in sorted(found) if not processes[pid].is_dead]


def survey() -> list[Tenant]:
    """Every process of the machine."""
    return [tenant for entry in os.listdir("/proc") if entry.isdecimal() and (tenant := _read(int(entry)))]  # noqa: PTH208  # names alone


def evict(premises: Sequence[Premises]) -> int:
    """Kill everyone who lives there and wait until they are gone; how many there were.

    Shims go last: they collect their containers' dead, without which a pod's process namespace does not end, and
    the machine's first process may be slow to do it for them.

    Raises:
        StartFailed: some are still there after 10 s, which the kernel allows only to those that wait for a device.
    """
    deadline = time.monotonic() + _SECONDS
    seen: set[int] = set()
    while remaining := select(survey(), premises, os.getpid()):
        for tenant in [one for one in remaining if one.name != SHIM] or remaining:
            with suppress(ProcessLookupError):
                os.kill(tenant.pid, signal.SIGKILL)
        seen |= {tenant.pid for tenant in remaining}
        if time.monotonic() > deadline:
            listed = ", ".join(f"{tenant.name} ({tenant.pid})" for tenant in remaining)
            raise StartFailed(f"processes do not end: {listed}")
        time.sleep(_POLL_SECONDS)
    return len(seen)


def _read(pid: int) -> Tenant | None:
    """A process, or None if it is gone."""
    folder = Path("/proc", str(pid))
    try:
        head, _, rest = (folder / "stat").read_text(errors="replace").rpartition(")")
        cgroups = (folder / "cgroup").read_text().splitlines()
    except OSError:
        return None
    columns = rest.split()
    return Tenant(
        pid=pid,
        parent=int(columns[1]),
        is_dead=columns[0] in "ZX",
        namespace=_link(folder / "ns" / "net"),
        folder=_link(folder / "cwd"),
        cgroups=tuple({line.split(":", 2)[2] for line in cgroups}),
        name=head.partition("(")[2],
    )


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _ancestors(processes: dict[int, Tenant], pid: int) -> set[int]:
    found = {0, 1}
    while pid in processes and pid not in found:
        found.add(pid)
        pid = processes[pid].parent
    return found


def _is_below(path: str, top: str) -> bool:
    return path == top or path.startswith(f"{top}/")
