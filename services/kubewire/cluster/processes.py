"""Processes that outlive the command that started them, known by id and start time.

An id alone may have been given to another process since; with its start time it names one process for good, so that
`down` ends only what `up` started.
"""

from __future__ import annotations

import os
import select
import signal
import time
from dataclasses import dataclass
from pathlib import Path


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
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        if not process.is_alive:
            return False
        signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        if not _wait_for_exit(descriptor, grace_seconds):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            _wait_for_exit(descriptor, grace_seconds)
    except ProcessLookupError:
        pass  # it ended between two of the steps above
    finally:
        os.close(descriptor)
    return True


def _wait_for_exit(descriptor: int, seconds: float) -> bool:
    """Whether the process behind a pidfd ends within `seconds`."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        readable, _, _ = select.select([descriptor], [], [], left)
        if readable:
            return True
    return False
