"""Processes known by id and start time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from kubewire.cluster.processes import (
    HOME_VARIABLE,
    ProcessId,
    identify,
    resident_bytes,
    strays,
    terminate,
    terminate_all,
)


def test_own_process_is_alive_and_holds_memory() -> None:
    """A running process is found by its id, and its memory is counted."""
    found = identify(os.getpid())
    assert found is not None
    assert found.is_alive
    assert resident_bytes(found) > 1 << 20


def test_reused_id_is_another_process() -> None:
    """The same id with another start time does not name the process, and is not ended."""
    stranger = ProcessId(os.getpid(), started=1)
    assert not stranger.is_alive
    assert not terminate(stranger, grace_seconds=1)


def test_terminate_waits_for_the_end() -> None:
    """After terminate the process is gone; a second time there is nothing to end."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    found = identify(child.pid)
    assert found is not None
    assert terminate(found, grace_seconds=10)
    assert child.wait(10) == -signal.SIGTERM
    assert not terminate(found, grace_seconds=1)


def test_terminate_kills_who_does_not_listen() -> None:
    """SIGKILL ends a process that ignores SIGTERM, after the grace period."""
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    found = identify(child.pid)
    assert found is not None
    assert terminate(found, grace_seconds=0.2)
    assert child.wait(10) == -signal.SIGKILL
    child.stdout.close()


def test_zombie_is_not_alive() -> None:
    """A process that ended and was not waited for is gone."""
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.read()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert identify(child.pid) is None
    child.wait()
    child.stdout.close()


def test_halted_process_ends_as_asked() -> None:
    """A process that was halted goes on to notice SIGTERM, and does not have to be killed."""
    child = subprocess.Popen(["sleep", "60"])
    found = identify(child.pid)
    assert found is not None
    os.kill(child.pid, signal.SIGSTOP)
    assert terminate_all([found], grace_seconds=10) == [found]
    assert child.wait(10) == -signal.SIGTERM


def test_strays_are_found_by_their_folder(tmp_path: Path) -> None:
    """Processes that carry a cluster's folder in their environment are found, those of other folders are not."""
    children = [
        subprocess.Popen(["sleep", "60"], env={**os.environ, HOME_VARIABLE: str(folder)})
        for folder in (tmp_path / "a", tmp_path / "ab")
    ]
    try:
        assert [one.pid for one in strays(tmp_path / "a")] == [children[0].pid]
    finally:
        for child in children:
            child.kill()
            child.wait()
