"""Processes that outlive the command that started them, known by id and start time.

An id alone may have been given to another process since; with its start time it names one process for good, so that
`down` ends only what `up` started.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOME_VARIABLE: Final = "KUBEWIRE_CLUSTER_HOME"
"""In the environment of every process of a cluster: its folder, by which `strays` finds those nobody wrote down."""


@dataclass(frozen=True, slots=True)
class ProcessId:
    """One process of this boot. `started` is in clock ticks since boot, as the kernel counts them."""

    pid: int
    started: int

    @property
    def is_alive(self) -> bool:
        """Whether it runs; a zombie does not."""
        return identify(self.pid) == self


def identify(pid: int) -> ProcessId | None:
    """The process that has this id now, or None."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second column is the program's name in parentheses, which may itself hold spaces and parentheses.
    columns = text.rpartition(")")[2].split()
    return None if columns[0] in "ZX" else ProcessId(pid, int(columns[19]))


def parent_of(process: ProcessId) -> int:
    """The id of the process's parent; 0 if it is gone."""
    try:
        text = Path(f"/proc/{process.pid}/stat").read_text()
    except OSError:
        return 0
    return int(text.rpartition(")")[2].split()[1])


def resident_bytes(process: ProcessId) -> int:
    """Memory that the process holds, without what it shares with files (anonymous resident set); 0 if it is gone."""
    try:
        text = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return 0
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return int(lines.get("VmRSS", "0 kB").split()[0]) * 1024


def terminate(process: ProcessId, *, grace_seconds: float) -> bool:
    """End it: SIGTERM, and SIGKILL after the grace period. False if it did not run."""
    return bool(terminate_all([process], grace_seconds=grace_seconds))


def terminate_all(processes: Iterable[ProcessId], *, grace_seconds: float) -> list[ProcessId]:
    """End all side by side, as `terminate` does; returns those that ran.

    A process that was halted (SIGSTOP) goes on, or it would not notice.
    """
    found = [(process, descriptor) for process in processes if (descriptor := _open(process)) is not None]
    descriptors = [descriptor for _, descriptor in found]
    try:
        for descriptor in descriptors:
            _send(descriptor, signal.SIGTERM)
            _send(descriptor, signal.SIGCONT)
        left = _wait_for_exits(descriptors, grace_seconds)
        for descriptor in left:
            _send(descriptor, signal.SIGKILL)
        _wait_for_exits(left, grace_seconds)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    return [process for process, _ in found]


def strays(home: Path) -> Iterator[ProcessId]:
    """Living processes that were started for the cluster in this folder, or by one that was.

    What runs in containers is not among them: containers get an environment of their own.
    """
    mark = os.fsencode(f"{HOME_VARIABLE}={home}")
    own = os.getpid()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == own:
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:  # gone, or another user's
            continue
        if mark in environment.split(b"\0") and (found := identify(int(entry.name))):
            yield found


def _open(process: ProcessId) -> int | None:
    """A pidfd of the process, None if it is gone."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return None
    if process.is_alive:
        return descriptor
    os.close(descriptor)
    return None


def _send(descriptor: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it ended by itself meanwhile
        signal.pidfd_send_signal(descriptor, number)


def _wait_for_exits(descriptors: Sequence[int], seconds: float) -> list[int]:
    """The pidfds whose processes have not ended after `seconds`."""
    deadline = time.monotonic() + seconds
    left = list(descriptors)
    while left and (remaining := deadline - time.monotonic()) > 0:
        poll = select.poll()  # unlike select, it takes descriptors beyond 1023
        for descriptor in left:
            poll.register(descriptor, select.POLLIN)
        ended = {descriptor for descriptor, _ in poll.poll(remaining * 1000)}
        left = [descriptor for descriptor in left if descriptor not in ended]
    return left
